/**
 * Daemons without databases: what tests of VRRP itself need. Writes configurations, starts daemons on hosts, and
 * waits for addresses to be where they should be, always seen from the kernel and never from the daemon.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Daemon, type DaemonKind, startDaemon } from "./daemon.ts";
import { type Lab, type LabHost, VIP } from "./lab.ts";
import { until } from "./processes.ts";

export interface InstanceSpec {
  readonly name?: string;
  readonly virtualRouterId?: number;
  readonly priority?: number;
  /** Seconds; fractions need version 3. */
  readonly advertSeconds?: number;
  readonly version?: 2 | 3;
  readonly nopreempt?: boolean;
  readonly vip?: string;
  /** Further lines of the vrrp_instance block. */
  readonly lines?: readonly string[];
}

/** Text of one vrrp_instance. Version 2 is authenticated with PASS, as in the field. */
export function instanceBlock(spec: InstanceSpec): string {
  const version = spec.version ?? 3;
  return [
    `vrrp_instance ${spec.name ?? "VI_1"} {`,
    "    state BACKUP",
    ...(spec.nopreempt === true ? ["    nopreempt"] : []),
    "    interface eth0",
    `    version ${version}`,
    `    virtual_router_id ${spec.virtualRouterId ?? 51}`,
    `    priority ${spec.priority ?? 100}`,
    `    advert_int ${spec.advertSeconds ?? 0.2}`,
    ...(version === 2 ? ["    authentication {", "        auth_type PASS", "        auth_pass 1111", "    }"] : []),
    "    virtual_ipaddress {",
    `        ${spec.vip ?? VIP}`,
    "    }",
    ...(spec.lines ?? []).map((line) => `    ${line}`),
    "}",
    "",
  ].join("\n");
}

/** A check that succeeds while a file exists: a fault that a test can switch. */
export function fileCheck(name: string, file: string): string {
  return `vrrp_script ${name} {\n    script "/usr/bin/test -e ${file}"\n    interval 1\n    timeout 1\n}\n`;
}

/** Runs scripts as whoever the daemon is; a lab host has no keepalived_script user. */
export const GLOBALS = "global_defs {\n    script_user root\n}\n";

export class VrrpCluster {
  readonly lab: Lab;
  readonly #daemons: Daemon[] = [];

  constructor(lab: Lab) {
    this.lab = lab;
  }

  start(hostName: string, kind: DaemonKind, config: string): Daemon {
    const daemon = startDaemon(this.lab.host(hostName), { kind, config: GLOBALS + config });
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Ends every daemon, so that the next test finds bare hosts. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#daemons.splice(0).map((daemon) => daemon.stop()));
  }

  #lastLines(): string {
    const said = (daemon: Daemon) => daemon.program.lines.slice(-20).map((line) => line.text);
    return this.#daemons
      .map((daemon) => `-- ${daemon.host.name} (${daemon.kind}):\n${said(daemon).join("\n")}`)
      .join("\n");
  }

  /** Names of the database hosts that carry an address now. */
  async holders(vip: string = VIP): Promise<readonly string[]> {
    const hosts = this.lab.hosts.filter((host) => host.name.startsWith("db"));
    const held = await Promise.all(hosts.map((host) => host.holds(vip)));
    return hosts.filter((_, index) => held[index]).map((host) => host.name);
  }

  /** Waits until exactly these hosts carry the address. */
  async heldBy(
    names: readonly string[],
    options: { readonly vip?: string; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const wanted = names.join(",");
    const asked = async () => ((await this.holders(options.vip)).join(",") === wanted ? true : undefined);
    try {
      await until(asked, `${options.vip ?? VIP} is held by ${wanted || "nobody"}`, options.timeoutMs ?? 10_000);
    } catch (error) {
      const holders = (await this.holders(options.vip)).join(",");
      throw new Error(`${String(error)}; it is held by ${holders || "nobody"}\n${this.#lastLines()}`);
    }
  }
}

/** A notify script that writes one line per call, and what it has written. */
export class NotifyRecorder {
  readonly script: string;
  readonly #output: string;

  constructor(host: LabHost, name = "notify") {
    this.#output = join(host.directory, `${name}.txt`);
    this.script = join(host.directory, `${name}.sh`);
    rmSync(this.#output, { force: true });
    writeFileSync(this.script, `#!/bin/sh\necho "$@" >>"${this.#output}"\n`);
    chmodSync(this.script, 0o755);
  }

  get lines(): readonly string[] {
    if (!existsSync(this.#output)) return [];
    return readFileSync(this.#output, "utf8").split("\n").filter(Boolean);
  }
}
