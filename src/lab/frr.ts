/**
 * FRRouting's vrrpd on a lab host: a third implementation of VRRP version 3 (RFC 5798), independent of keepalived's.
 * It wants zebra beside it, and a macvlan with the virtual MAC that carries the addresses all the time; it blocks that device
 * (protodown) while it is Backup. So who is Master is asked of vrrpd and seen in adverts, not in addresses.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { type RunningProgram, until } from "./processes.ts";

/** Debian's folder for FRRouting's programs; not in anybody's PATH. */
const PROGRAMS = "/usr/lib/frr";

export interface FrrRouter {
  readonly virtualRouterId: number;
  /** 1 to 254. */
  readonly priority: number;
  /** Milliseconds, a multiple of ten. */
  readonly advertMillis: number;
  readonly vip: string;
  readonly preempt: boolean;
}

/** Null when vrrpd can run on hosts of this kind, else the reason in words. */
export function frrUnavailable(userNamespace: boolean): string | null {
  if (!existsSync(join(PROGRAMS, "vrrpd"))) return "FRRouting is not installed (Debian package frr)";
  return userNamespace ? "FRRouting changes to a user of its own, which a user namespace does not have" : null;
}

export class Frr {
  readonly #host: LabHost;
  readonly #router: FrrRouter;
  readonly #programs: readonly RunningProgram[];
  readonly #sockets: string;

  private constructor(host: LabHost, router: FrrRouter, started: { programs: RunningProgram[]; sockets: string }) {
    this.#host = host;
    this.#router = router;
    this.#programs = started.programs;
    this.#sockets = started.sockets;
  }

  static async start(host: LabHost, router: FrrRouter): Promise<Frr> {
    const sockets = "/run/frr-lab";
    // Not in the host's folder: only its owner may enter that, and FRRouting gives up root.
    const config = `${sockets}/frr.conf`;
    const mac = `00:00:5e:00:01:${router.virtualRouterId.toString(16).padStart(2, "0")}`;
    const device = `vrrp4-${router.virtualRouterId}`;
    await host.execOrThrow(["sh", "-c", DEVICE_SCRIPT, "sh", device, mac, router.vip, sockets], {
      input: configText(router),
    });
    const common = [
      "-u",
      "frr",
      "-g",
      "frr",
      "-A",
      "127.0.0.1",
      "--vty_socket",
      sockets,
      "--log",
      "stdout",
      "-f",
      config,
    ];
    const daemon = (name: string): readonly string[] => [
      join(PROGRAMS, name),
      ...common,
      "-z",
      `${sockets}/zserv.api`,
      "-i",
      `${sockets}/${name}.pid`,
    ];
    const zebra = host.spawn(daemon("zebra"));
    await until(async () => (await answers(host, sockets, "zebra")) || undefined, "zebra answers", 10_000);
    const vrrpd = host.spawn(daemon("vrrpd"));
    const started = new Frr(host, router, { programs: [vrrpd, zebra], sockets });
    try {
      await until(async () => (await started.status()) ?? undefined, "vrrpd answers", 10_000);
    } catch (error) {
      await started.stop();
      throw new Error(`${String(error)}\n${vrrpd.text}`);
    }
    return started;
  }

  /** "Master", "Backup" or "Initialize"; null while vrrpd does not answer. */
  async status(): Promise<string | null> {
    const result = await this.#host.exec(["vtysh", "--vty_socket", this.#sockets, "-c", "show vrrp json"]);
    if (result.code !== 0) return null;
    return /"v4":\s*\{[\s\S]*?"status":\s*"(\w+)"/.exec(result.stdout)?.[1] ?? null;
  }

  async becomes(status: "Master" | "Backup", timeoutMs = 10_000): Promise<void> {
    const asked = async () => ((await this.status()) === status ? true : undefined);
    await until(asked, `vrrpd on ${this.#host.name} is ${status}`, timeoutMs).catch((error) => {
      const said = this.#programs[0]?.lines.slice(-20).map((line) => line.text);
      throw new Error(`${String(error)}\n${said?.join("\n")}`);
    });
  }

  /** TERM; vrrpd says priority 0 when it is Master. The device goes with it. */
  async stop(): Promise<void> {
    for (const program of this.#programs) {
      await program.signal("SIGTERM");
      await until(() => !program.running || undefined, "FRRouting stops", 10_000);
    }
    await this.#host.exec(["ip", "link", "del", `vrrp4-${this.#router.virtualRouterId}`]);
  }
}

async function answers(host: LabHost, sockets: string, daemon: string): Promise<boolean> {
  const { code } = await host.exec(["vtysh", "--vty_socket", sockets, "-d", daemon, "-c", "show version"]);
  return code === 0;
}

function configText({ virtualRouterId: id, priority, advertMillis, vip, preempt }: FrrRouter): string {
  return [
    "interface eth0",
    ` vrrp ${id} version 3`,
    ` vrrp ${id} priority ${priority}`,
    ` vrrp ${id} advertisement-interval ${advertMillis}`,
    preempt ? ` vrrp ${id} preempt` : ` no vrrp ${id} preempt`,
    ` vrrp ${id} ip ${vip}`,
    "",
  ].join("\n");
}

const DEVICE_SCRIPT = `
  set -e
  ip link add "$1" link eth0 type macvlan mode bridge
  ip link set dev "$1" address "$2"
  ip addr add "$3/32" dev "$1"
  ip link set dev "$1" up
  mkdir -p "$4"
  chown frr:frrvty "$4"
  chmod 775 "$4"
  cat >"$4/frr.conf"`;
