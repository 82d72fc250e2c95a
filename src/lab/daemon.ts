/**
 * Starts a VRRP daemon on a lab host: Holdfast or the real keepalived, with the same configuration file. Mixed
 * pairs, comparisons and benchmarks need both, so everything above this file takes the kind as a parameter.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { HOLDFAST_PROGRAM } from "./paths.ts";
import { childrenOf, type RunningProgram, until } from "./processes.ts";

export type DaemonKind = "holdfast" | "keepalived";

export interface DaemonOptions {
  readonly kind: DaemonKind;
  /** Text of keepalived.conf. */
  readonly config: string;
  /** Runs this file instead of a written copy of `config`. */
  readonly configFile?: string;
  /** Several daemons on one host need names. */
  readonly name?: string;
  readonly extraArguments?: readonly string[];
}

/** The command line of a daemon in the foreground, and the pid file it will write. */
export function daemonCommand(
  host: LabHost,
  options: DaemonOptions,
): { readonly argv: readonly string[]; readonly pidFile: string } {
  const directory = join(host.directory, options.name ?? "daemon");
  mkdirSync(directory, { recursive: true });
  const config = options.configFile ?? join(directory, "keepalived.conf");
  if (options.configFile === undefined) writeFileSync(config, options.config);
  const pidFile = join(directory, "daemon.pid");
  const extra = options.extraArguments ?? [];
  if (options.kind === "holdfast") {
    return { argv: [process.execPath, HOLDFAST_PROGRAM, "run", "-n", "-f", config, "-p", pidFile, ...extra], pidFile };
  }
  const pidFiles = ["-p", pidFile, "-r", join(directory, "vrrp.pid"), "-c", join(directory, "checkers.pid")];
  return { argv: ["keepalived", "-n", "-l", "-D", "-P", "-f", config, ...pidFiles, ...extra], pidFile };
}

export class Daemon {
  readonly kind: DaemonKind;
  readonly host: LabHost;
  readonly pidFile: string;
  readonly program: RunningProgram;

  constructor(
    host: LabHost,
    kind: DaemonKind,
    started: { readonly program: RunningProgram; readonly pidFile: string },
  ) {
    this.host = host;
    this.kind = kind;
    this.program = started.program;
    this.pidFile = started.pidFile;
  }

  /** Holdfast: control. keepalived: the parent. */
  controlPid(): Promise<number> {
    return this.program.pid();
  }

  /** The process that sends adverts: Holdfast's keeper, keepalived's VRRP child. */
  async keeperPid(): Promise<number> {
    const control = await this.controlPid();
    return await until(() => childrenOf(control).find((pid) => isKeeper(pid)), "the daemon has a VRRP process", 10_000);
  }

  /** Kills both processes in one go; scripts they started are left to themselves, as after a real crash. */
  async killBoth(): Promise<void> {
    const [control, keeper] = await Promise.all([this.controlPid(), this.keeperPid()]);
    // Microseconds apart. Stopping both first would stop the nsenter above them as well, which mirrors its child.
    // keepalived's child gets TERM when its parent dies, and would tidy up if it had the time.
    const order = this.kind === "keepalived" ? [keeper, control] : [control, keeper];
    for (const pid of order) process.kill(pid, "SIGKILL");
    await this.program.exited;
  }

  /** A regular stop: TERM, then the end of the program. */
  async stop(): Promise<void> {
    if (!this.program.running) return;
    await this.program.signal("SIGTERM");
    await until(() => !this.program.running || undefined, `the daemon on ${this.host.name} stops`, 15_000);
  }
}

/** Check scripts are children of the same process and must not be mistaken for the keeper. */
function isKeeper(pid: number): boolean {
  try {
    return /keepalived\0|\0vrrp\0|keeper/.test(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
  } catch {
    return false;
  }
}

export function startDaemon(host: LabHost, options: DaemonOptions): Daemon {
  const { argv, pidFile } = daemonCommand(host, options);
  return new Daemon(host, options.kind, { program: host.spawn(argv), pidFile });
}
