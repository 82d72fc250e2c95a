/** The two contestants: how each is configured, started, told to reload, and found in the process table. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../lab/paths.ts";
import { processTree, type RunningProgram } from "../lab/processes.ts";

export type DaemonName = "holdfast" | "keepalived";

/** In this order in every run. */
export const CONTESTANTS: readonly DaemonName[] = ["holdfast", "keepalived"];

export interface InstancePlan {
  readonly version: 2 | 3;
  /** Seconds. */
  readonly advertInterval: number;
  readonly priority: number;
  /** One address each; see interfaceOf() and virtualAddress(). */
  readonly count: number;
  readonly state: "MASTER" | "BACKUP";
  /** Tracked by every instance: it is fit while this file exists. */
  readonly checkedFile?: string;
  /** More addresses of the first instance. */
  readonly extraAddresses?: readonly string[];
  /** More lines of every instance. */
  readonly lines?: readonly string[];
}

/** Virtual router ids in use on one interface; the rest go to the next one. */
export const ROUTERS_PER_INTERFACE = 250;

/** Interface number of an instance: 0 is eth0. */
export function interfaceOf(index: number): number {
  return Math.floor(index / ROUTERS_PER_INTERFACE);
}

/** The address of instance number `index`, from 0. */
export function virtualAddress(index: number): string {
  return index === 0 ? "192.168.11.100" : `10.77.${index >> 8}.${index & 0xff}`;
}

function checkText(file: string): string {
  return `global_defs {
    script_user root
}
vrrp_script fit {
    script "/usr/bin/test -e ${file}"
    interval 1
    fall 1
    rise 1
}
`;
}

function instanceText(plan: InstancePlan, index: number): string {
  const addresses = [virtualAddress(index), ...(index === 0 ? (plan.extraAddresses ?? []) : [])];
  const tracked = plan.checkedFile === undefined ? "" : "    track_script {\n        fit\n    }\n";
  return `vrrp_instance V${index + 1} {
    state ${plan.state}
    interface eth${interfaceOf(index)}
    version ${plan.version}
    virtual_router_id ${(index % ROUTERS_PER_INTERFACE) + 1}
    priority ${plan.priority}
    advert_int ${plan.advertInterval}
    virtual_ipaddress {
${addresses.map((address) => `        ${address}\n`).join("")}    }
${tracked}${(plan.lines ?? []).map((line) => `    ${line}\n`).join("")}}
`;
}

export function configText(plan: InstancePlan): string {
  const check = plan.checkedFile === undefined ? "" : checkText(plan.checkedFile);
  return check + Array.from({ length: plan.count }, (_, index) => instanceText(plan, index)).join("");
}

export class Daemon {
  readonly name: DaemonName;
  readonly #host: LabHost;
  readonly #folder: string;
  #program: RunningProgram | null = null;

  constructor(name: DaemonName, host: LabHost, plan: InstancePlan) {
    this.name = name;
    this.#host = host;
    this.#folder = join(host.directory, name);
    mkdirSync(this.#folder, { recursive: true });
    this.configure(plan);
  }

  /** Writes the configuration; a running daemon does not notice before reload(). */
  configure(plan: InstancePlan): void {
    writeFileSync(join(this.#folder, "keepalived.conf"), configText(plan), { mode: 0o600 });
  }

  get log(): string {
    return this.#program?.text ?? "";
  }

  start(): void {
    const file = (name: string): string => join(this.#folder, name);
    for (const name of ["daemon.pid", "vrrp.pid", "checkers.pid"]) rmSync(file(name), { force: true });
    const common = ["-n", "-f", file("keepalived.conf"), "-p", file("daemon.pid")];
    const argv =
      this.name === "holdfast"
        ? [process.execPath, HOLDFAST_PROGRAM, "run", ...common]
        : ["keepalived", "-P", "-l", ...common, "-r", file("vrrp.pid")];
    this.#program = this.#host.spawn(argv);
  }

  async reload(): Promise<void> {
    await this.#program?.signal("SIGHUP");
  }

  /** Every process of the daemon, children first, so that killing in order leaves nobody time to react. */
  async pids(): Promise<readonly number[]> {
    if (this.#program === null) return [];
    return [...processTree(await this.#program.pid())].reverse();
  }

  /** The process that takes signals and ends last. */
  async mainPid(): Promise<number> {
    if (this.#program === null) throw new Error(`${this.name} does not run`);
    return await this.#program.pid();
  }

  /** The process whose command line ends in keeper.js; keepalived has no such part. */
  async keeperPid(): Promise<number> {
    for (const pid of await this.pids()) {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("keeper.js")) return pid;
    }
    throw new Error("holdfast runs without a keeper");
  }

  async stop(): Promise<void> {
    if (this.#program === null) return;
    await this.#program.signal("SIGTERM");
    await this.#program.exited;
    this.#program = null;
  }

  /** After its processes were killed, or told to end, by somebody else. */
  async ended(): Promise<void> {
    await this.#program?.exited;
    this.#program = null;
  }
}

/** Upstream's version of the package: `keepalived --version` writes to standard error. */
export function keepalivedVersion(): string {
  const { stdout, stderr } = spawnSync("keepalived", ["--version"], { encoding: "utf8" });
  return /v(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}

export function redisVersion(): string {
  const { stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  return /v=(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1] ?? "unknown";
}
