/**
 * Two hosts with one daemon each, a client that probes the address every millisecond, and a capture on the backup with
 * the kernel's time stamps. Faults are injected from here; what happened is read from outside, never from the daemon.
 */
import { fileURLToPath } from "node:url";
import type { Lab } from "../lab/lab.ts";
import { spawnInside } from "../lab/namespace.ts";
import { type RunningProgram, sleep, until } from "../lab/processes.ts";
import { Daemon, type DaemonName, type InstancePlan, virtualAddress } from "./daemons.ts";

const PORT = "9112";
const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

export interface CapturedAdvert {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly source: string;
  readonly priority: number;
}

/** Sees all VRRP packets of a host, with kernel time stamps. */
class Capture {
  readonly adverts: CapturedAdvert[] = [];

  constructor(program: RunningProgram) {
    program.onLine(({ text }) => {
      const match = /^(\d+\.\d+) IP .*?(\d+\.\d+\.\d+\.\d+) > .*prio (\d+)/.exec(text);
      if (match === null) return;
      this.adverts.push({ at: Number(match[1]) * 1_000, source: match[2] ?? "", priority: Number(match[3]) });
    });
  }
}

export interface Answer {
  readonly at: number;
  readonly host: string;
}

export class Pair {
  readonly lab: Lab;
  readonly plan: InstancePlan;
  readonly a: Daemon;
  readonly b: Daemon;
  readonly answers: Answer[] = [];
  readonly #capture: Capture;
  readonly #switch: RunningProgram;

  private constructor(lab: Lab, plan: InstancePlan, name: DaemonName) {
    this.lab = lab;
    this.plan = plan;
    this.a = new Daemon(name, lab.host("db1"), { ...plan, priority: 200 });
    this.b = new Daemon(name, lab.host("db2"), { ...plan, priority: 100 });
    // tcpdump prints a packet's time as the kernel stamped it; line buffering only delays the reading.
    this.#capture = new Capture(
      lab
        .host("db2")
        .spawn(["tcpdump", "-i", "eth0", "-p", "-n", "-l", "-tt", "--immediate-mode", "-Z", "root", "ip proto 112"]),
    );
    for (const host of ["db1", "db2"]) lab.host(host).spawn([process.execPath, script("probe-server"), host, PORT]);
    const client = lab.host("client").spawn([process.execPath, script("probe-client"), virtualAddress(0), PORT]);
    client.onLine(({ text }) => {
      const [at, host] = text.split(" ");
      if (host !== undefined) this.answers.push({ at: Number(at), host });
    });
    // A program that is already running cuts the link about a millisecond after it is told.
    this.#switch = spawnInside(lab.sandbox, ["ip", "-force", "-batch", "-"]);
  }

  static async start(lab: Lab, plan: InstancePlan, name: DaemonName): Promise<Pair> {
    const pair = new Pair(lab, plan, name);
    await sleep(500);
    pair.a.start();
    pair.b.start();
    await pair.settled();
    return pair;
  }

  get aAddress(): string {
    return this.lab.host("db1").address;
  }

  /** The last advert of a (not a resignation) that b's kernel received before an instant. */
  lastAdvertOfA(before: number): number {
    const adverts = this.#capture.adverts.filter(
      (it) => it.source === this.aAddress && it.priority > 0 && it.at <= before,
    );
    const last = adverts.at(-1);
    if (last === undefined) throw new Error("the capture holds no advert of the master");
    return last.at;
  }

  /** a answers and nothing has changed for three intervals. */
  async settled(): Promise<void> {
    await until(() => (this.answers.at(-1)?.host === "db1" ? true : undefined), "the first host answers", 30_000);
    await sleep(Math.max(500, 3_000 * this.plan.advertInterval));
  }

  /** The first answer of b at the client after an instant. */
  firstAnswerOfB(since: number): Promise<Answer> {
    const find = (): Answer | undefined => this.answers.find((it) => it.at >= since && it.host === "db2");
    return until(find, "the second host answers", 15_000);
  }

  cutLinkOfA(): void {
    this.#switch.write("link set sw-db1 down\n");
  }

  restoreLinkOfA(): void {
    this.#switch.write("link set sw-db1 up\n");
  }

  async dispose(): Promise<void> {
    this.#switch.endInput();
    await this.a.stop();
    await this.b.stop();
  }
}
