/** The two contestants: how each is configured, started and found in the process table. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LabHost } from "../lab/lab.ts";
import { processTree, type RunningProgram } from "../lab/processes.ts";

const CLI = fileURLToPath(new URL("../main/holdfast.js", import.meta.url));

export type DaemonName = "holdfast" | "keepalived";

export interface InstancePlan {
  readonly version: 2 | 3;
  /** Seconds. */
  readonly advertInterval: number;
  readonly priority: number;
  /** Virtual router ids 1 to N with one address each: 192.168.11.100, then 10.77.0.0/16. */
  readonly count: number;
  readonly state: "MASTER" | "BACKUP";
}

/** The address of instance number `index`, from 0. */
export function virtualAddress(index: number): string {
  return index === 0 ? "192.168.11.100" : `10.77.${index >> 8}.${index & 0xff}`;
}

function configText(plan: InstancePlan): string {
  const instances = Array.from(
    { length: plan.count },
    (_, index) => `vrrp_instance V${index + 1} {
    state ${plan.state}
    interface eth0
    version ${plan.version}
    virtual_router_id ${index + 1}
    priority ${plan.priority}
    advert_int ${plan.advertInterval}
    virtual_ipaddress {
        ${virtualAddress(index)}
    }
}
`,
  );
  return instances.join("");
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
    writeFileSync(join(this.#folder, "keepalived.conf"), configText(plan), { mode: 0o600 });
  }

  get log(): string {
    return this.#program?.text ?? "";
  }

  start(): void {
    const file = (name: string): string => join(this.#folder, name);
    for (const name of ["daemon.pid", "vrrp.pid", "checkers.pid"]) rmSync(file(name), { force: true });
    const argv =
      this.name === "holdfast"
        ? [process.execPath, CLI, "run", "-n", "-f", file("keepalived.conf"), "-p", file("daemon.pid")]
        : [
            "keepalived",
            "-n",
            "-P",
            "-l",
            "-f",
            file("keepalived.conf"),
            "-p",
            file("daemon.pid"),
            "-r",
            file("vrrp.pid"),
          ];
    this.#program = this.#host.spawn(argv);
  }

  /** Every process of the daemon, children first, so that killing in order leaves nobody time to react. */
  async pids(): Promise<readonly number[]> {
    if (this.#program === null) return [];
    return [...processTree(await this.#program.pid())].reverse();
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

  async killed(): Promise<void> {
    await this.#program?.exited;
    this.#program = null;
  }
}

/** Upstream's version of the package: `keepalived --version` writes to standard error. */
export function keepalivedVersion(): string {
  const { stdout, stderr } = spawnSync("keepalived", ["--version"], { encoding: "utf8" });
  return /v(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}
