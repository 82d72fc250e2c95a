/**
 * One lab for many tests: after each of them every daemon is stopped and the links are whole again, so a test starts on
 * bare hosts without paying for new ones. Each daemon has a folder, and so a journal, of its own.
 */
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { type Daemon, startDaemon } from "../src/lab/daemon.ts";
import { createLab, type Lab, type LabHost, VIP } from "../src/lab/lab.ts";
import { until } from "../src/lab/processes.ts";
import { GLOBALS } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

export class Stage {
  #lab: Lab | null = null;
  #daemons: Daemon[] = [];
  #started = 0;

  get lab(): Lab {
    if (this.#lab === null) throw new Error("the lab is up in tests only");
    return this.#lab;
  }

  host(name: string): LabHost {
    return this.lab.host(name);
  }

  /** `extra` are further arguments of the command line. */
  start(hostName: string, config: string, ...extra: readonly string[]): Daemon {
    this.#started += 1;
    const daemon = startDaemon(this.host(hostName), {
      kind: "holdfast",
      config: GLOBALS + config,
      name: `d${this.#started}`,
      extraArguments: extra,
    });
    this.#daemons.push(daemon);
    return daemon;
  }

  /** One that has ended, once more: with its file, its journal and its notes. */
  again(daemon: Daemon): Daemon {
    const name = basename(dirname(daemon.pidFile));
    const started = startDaemon(daemon.host, {
      kind: "holdfast",
      config: "",
      configFile: this.configFile(daemon),
      name,
    });
    this.#daemons.push(started);
    return started;
  }

  configFile(daemon: Daemon): string {
    return join(daemon.pidFile, "../keepalived.conf");
  }

  /** Waits until the kernel of the host has the address, or has it no more. */
  async held(hostName: string, held: boolean, options: { vip?: string; timeoutMs?: number } = {}): Promise<void> {
    const vip = options.vip ?? VIP;
    const host = this.host(hostName);
    const asked = async () => ((await host.holds(vip)) === held ? true : undefined);
    const what = `${hostName} ${held ? "holds" : "has given up"} ${vip}`;
    await until(asked, what, options.timeoutMs ?? 10_000).catch((error) => {
      throw new Error(`${String(error)}\n${this.said()}`);
    });
  }

  /** What the daemons have said last, for the message of a failed test. */
  said(): string {
    return this.#daemons
      .map(({ host, program }) => {
        const lines = program.lines.slice(-60).map((line) => line.text);
        return `-- ${host.name}:\n${lines.join("\n")}`;
      })
      .join("\n");
  }

  async open(): Promise<void> {
    this.#lab = await createLab();
  }

  async clear(): Promise<void> {
    // A test that failed half way may have left a process stopped.
    for (const daemon of this.#daemons) await daemon.program.signal("SIGCONT");
    const stops = await Promise.allSettled(this.#daemons.map((daemon) => daemon.stop()));
    const problem = stops.find((stop) => stop.status === "rejected");
    const said = this.said();
    for (const daemon of this.#daemons) await daemon.program.signal("SIGKILL");
    this.#daemons = [];
    if (problem !== undefined) throw new Error(`${String(problem.reason)}\n${said}`);
    for (const name of ["db1", "db2"]) await this.lab.restoreLink(name);
  }

  async close(): Promise<void> {
    await this.#lab?.destroy();
  }
}

function onStage(body: (stage: Stage) => void): void {
  const stage = new Stage();
  beforeAll(() => stage.open());
  afterEach(() => stage.clear());
  afterAll(() => stage.close());
  body(stage);
}

/** A group of tests on one lab, of promises that keepalived does not make. */
export function describeStage(title: string, body: (stage: Stage) => void): void {
  describeHoldfast(title, () => onStage(body));
}

/**
 * Groups side by side, each on a lab of its own: such tests mostly wait. Inside a group they are `test.sequential`, because
 * they share its stage.
 */
export function describeStages(title: string, groups: Readonly<Record<string, (stage: Stage) => void>>): void {
  describeHoldfast(title, () => {
    for (const [name, body] of Object.entries(groups)) describe.concurrent(name, () => onStage(body));
  });
}

/** What that host sends and the rule of nftables matches is lost, until its ruleset is flushed. */
export const drop = (stage: Stage, host: string, rule: string): Promise<string> =>
  stage
    .host(host)
    .execOrThrow([
      "nft",
      `add table inet cut; add chain inet cut o { type filter hook output priority 0; }; add rule inet cut o ${rule} drop`,
    ]);
