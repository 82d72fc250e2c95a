/**
 * What the cases of IPVS have in common: configurations of many services, the kernel's table as /proc shows it, and a daemon of either kind in
 * a namespace that has nothing else. Runs in the virtual machine of lab/ipvs-vm, which has IPVS and one processor.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../lab/paths.ts";
import { processTree, type RunningProgram, sleep } from "../lab/processes.ts";
import type { DaemonName } from "./daemons.ts";

export const SERVERS_PER_SERVICE = 10;

export interface ServicePlan {
  readonly services: number;
  /** Block of each real server; "": no check. */
  readonly checker: string;
  /** Lines of each virtual server. */
  readonly lines?: string;
  /** Weight of the first server of the first service. */
  readonly firstWeight?: number;
  readonly servers?: number;
}

/** Every real server is this host itself under another address, so that a check finds somebody who listens. */
const serverAddress = (service: number, server: number): string =>
  `127.${1 + (service >> 8)}.${service & 0xff}.${1 + server}`;

export const SERVER_PORT = 8080;

export function ipvsConfig({ services, checker, lines = "", firstWeight = 1, servers }: ServicePlan): string {
  const blocks = Array.from({ length: services }, (_, service) => {
    const real = Array.from({ length: servers ?? SERVERS_PER_SERVICE }, (_each, server) => {
      const weight = service === 0 && server === 0 ? firstWeight : 1;
      return `real_server ${serverAddress(service, server)} ${SERVER_PORT} {\nweight ${weight}\n${checker}}\n`;
    });
    const head = `delay_loop 1\nlvs_sched wlc\nlvs_method NAT\nprotocol TCP\n${lines}`;
    return `virtual_server 10.88.${service >> 8}.${service & 0xff} 80 {\n${head}${real.join("")}}\n`;
  });
  return blocks.join("");
}

/** The same table for `ipvsadm -R`. */
export function ipvsRules(services: number): string {
  const lines: string[] = [];
  for (let service = 0; service < services; service++) {
    const address = `10.88.${service >> 8}.${service & 0xff}:80`;
    lines.push(`-A -t ${address} -s wlc`);
    for (let server = 0; server < SERVERS_PER_SERVICE; server++)
      lines.push(`-a -t ${address} -r ${serverAddress(service, server)}:${SERVER_PORT} -m -w 1`);
  }
  return `${lines.join("\n")}\n`;
}

export interface Entries {
  readonly services: number;
  readonly servers: number;
  /** In the order of the table. */
  readonly weights: readonly number[];
}

/** The kernel's table of the host's namespace. */
export function entriesOf(host: LabHost): Entries {
  const lines = readFileSync(`/proc/${host.pid}/net/ip_vs`, "latin1").split("\n").slice(3);
  const servers = lines.filter((line) => line.startsWith("  ->"));
  const services = lines.filter((line) => line.startsWith("TCP"));
  return {
    services: services.length,
    servers: servers.length,
    weights: servers.map((line) => Number(line.trim().split(/\s+/)[3])),
  };
}

export const isComplete = ({ servers }: Entries, services: number): boolean =>
  servers === services * SERVERS_PER_SERVICE;

/** Polls until it holds; milliseconds of performance.now(). Between two looks the contestant has the processor. */
export async function when(holds: () => boolean, what: string, limitMs: number): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (holds()) return performance.now();
    if (performance.now() > end) throw new Error(`${what} did not come within ${limitMs / 1_000} s`);
    await sleep(4);
  }
}

export class BalancingDaemon {
  readonly name: DaemonName;
  readonly host: LabHost;
  readonly #folder: string;
  #program: RunningProgram | null = null;

  constructor(name: DaemonName, host: LabHost) {
    this.name = name;
    this.host = host;
    this.#folder = join(host.directory, `ipvs-${name}`);
    mkdirSync(this.#folder, { recursive: true });
  }

  get log(): string {
    return this.#program?.text ?? "";
  }

  configure(text: string): void {
    writeFileSync(join(this.#folder, "k.conf"), text, { mode: 0o600 });
  }

  start(): void {
    const file = (name: string): string => join(this.#folder, name);
    for (const name of ["d.pid", "c.pid"]) rmSync(file(name), { force: true });
    const common = ["-n", "-f", file("k.conf"), "-p", file("d.pid")];
    const argv =
      this.name === "holdfast"
        ? [process.execPath, HOLDFAST_PROGRAM, "run", ...common]
        : ["keepalived", "-C", "-l", ...common, "-c", file("c.pid")];
    this.#program = this.host.spawn(argv);
  }

  async reload(): Promise<void> {
    await this.#program?.signal("SIGHUP");
  }

  async pids(): Promise<readonly number[]> {
    return this.#program === null ? [] : processTree(await this.#program.pid());
  }

  /** It empties its table; whoever does not within the limit is killed, and its table with it. */
  async stop(limitMs: number): Promise<void> {
    const program = this.#program;
    if (program === null) return;
    this.#program = null;
    const pids = processTree(await program.pid());
    await program.signal("SIGTERM");
    await Promise.race([program.exited, sleep(limitMs)]);
    if (program.running) for (const pid of pids) process.kill(pid, "SIGKILL");
    await program.exited;
    await this.host.execOrThrow(["ipvsadm", "-C"]);
  }
}
