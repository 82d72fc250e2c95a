/**
 * Two hosts with one daemon each, a client that probes the address twice a millisecond, and a capture on the backup; all times are the
 * kernel's. Faults are injected from here; what happened is read from outside, never from the daemon.
 */
import { join } from "node:path";
import type { Lab } from "../lab/lab.ts";
import { spawnInside } from "../lab/namespace.ts";
import { LAB_DATA } from "../lab/paths.ts";
import { type RunningProgram, sleep, until } from "../lab/processes.ts";
import { Capture, type CapturedAdvert } from "./capture.ts";
import { Daemon, type DaemonName, type InstancePlan, virtualAddress } from "./daemons.ts";

const PROBE_INTERVAL_MILLIS = "0.5";
/** Of echo replies: the hosts' answers differ in it even when they share a virtual MAC. */
const TTL_OF = { db1: 61, db2: 62 } as const;
/** The first host has the client back when it has answered this long without a silence. */
const STEADY_MILLIS = 1_500;
const SILENCE_MILLIS = 20;

export interface Answer {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly host: string;
  /** Silence before it, milliseconds. */
  readonly gap: number;
}

export const wallMillis = (): number => performance.timeOrigin + performance.now();

export class Pair {
  readonly lab: Lab;
  readonly plan: InstancePlan;
  readonly a: Daemon;
  readonly b: Daemon;
  /** Changes, silences, and one in ten a second of the others. */
  readonly answers: Answer[] = [];
  readonly #capture: Capture;
  readonly #client: RunningProgram;
  readonly #switch: RunningProgram;

  private constructor(lab: Lab, plan: InstancePlan, parts: { capture: Capture; name: DaemonName }) {
    this.lab = lab;
    this.plan = plan;
    this.a = new Daemon(parts.name, lab.host("db1"), { ...plan, priority: 200 });
    // Only the master's check is made to fail; the backup has none, so that it is always fit.
    const { checkedFile: _, ...unchecked } = plan;
    this.b = new Daemon(parts.name, lab.host("db2"), { ...unchecked, priority: 100 });
    this.#capture = parts.capture;
    const probe = join(LAB_DATA, "observer/answer_probe.py");
    this.#client = lab.host("client").spawn([probe, "eth0", virtualAddress(0), PROBE_INTERVAL_MILLIS]);
    this.#client.onLine(({ text }) => {
      const [at, , gap, ttl] = text.split(" ");
      const host = Object.entries(TTL_OF).find(([, value]) => value === Number(ttl))?.[0];
      if (host !== undefined) this.answers.push({ at: Number(at), host, gap: Number(gap) });
    });
    // A program that is already running cuts the link about a millisecond after it is told.
    this.#switch = spawnInside(lab.sandbox, ["ip", "-force", "-batch", "-"]);
  }

  static async start(lab: Lab, plan: InstancePlan, name: DaemonName): Promise<Pair> {
    const capture = await Capture.start(lab.host("db2"), "eth0");
    for (const [host, ttl] of Object.entries(TTL_OF)) {
      await lab.host(host).execOrThrow(["sysctl", "-qw", `net.ipv4.ip_default_ttl=${ttl}`]);
    }
    const pair = new Pair(lab, plan, { capture, name });
    await pair.#client.line(/^ready$/, { timeoutMs: 10_000 });
    pair.a.start();
    pair.b.start();
    await pair.settled();
    return pair;
  }

  get aAddress(): string {
    return this.lab.host("db1").address;
  }

  /** The adverts of a that b's kernel received before an instant, in order. */
  advertsOfA(before: number): readonly CapturedAdvert[] {
    return this.#capture.adverts.filter((it) => it.source === this.aAddress && it.at <= before);
  }

  /** b has sent no advert of late: on a loaded machine it takes over now and then without any fault. */
  get undisturbed(): boolean {
    const since = wallMillis() - Math.max(100, 5_000 * this.plan.advertInterval);
    return Number.isNaN(this.firstAdvertOfB(since)) && this.answers.at(-1)?.host === "db1";
  }

  /** When b's kernel saw b's own first advert after an instant. */
  firstAdvertOfB(since: number): number {
    const bAddress = this.lab.host("db2").address;
    return this.#capture.adverts.find((it) => it.source === bAddress && it.at >= since)?.at ?? Number.NaN;
  }

  probe(on: boolean): void {
    this.#client.write(on ? "go\n" : "rest\n");
  }

  /** a holds and b does not, and nothing has changed for three intervals. */
  async settled(): Promise<void> {
    const address = virtualAddress(0);
    const steady = async (): Promise<true | undefined> => {
      const [a, b] = await Promise.all([this.lab.host("db1").carries(address), this.lab.host("db2").carries(address)]);
      return a && !b ? true : undefined;
    };
    await until(steady, "the first host holds the address", 30_000);
    await sleep(Math.max(500, 3_000 * this.plan.advertInterval));
  }

  /** The first answer of b at the client after an instant. */
  firstAnswerOfB(since: number): Promise<Answer> {
    const find = (): Answer | undefined => this.answers.find((it) => it.at >= since && it.host === "db2");
    return until(find, "the second host answers", 15_000);
  }

  /** Waits until the first host answers without a silence; the longest one that the client had after an instant, milliseconds. */
  async silenceUntilSteady(since: number): Promise<number> {
    const after = () => this.answers.filter((it) => it.at > since);
    await until(
      () => {
        const lines = after();
        const disturbed = lines.findLastIndex((it) => it.host !== "db1" || it.gap > SILENCE_MILLIS);
        const steadySince = lines[disturbed + 1]?.at;
        const last = lines.at(-1);
        if (steadySince === undefined || last === undefined || wallMillis() - last.at > 200) return undefined;
        return last.at - steadySince >= STEADY_MILLIS ? true : undefined;
      },
      "the first host answers steadily again",
      30_000,
    );
    return Math.max(...after().map((it) => it.gap));
  }

  /** `carrier`: both ends see it. `silent`: the switch drops the port's frames. */
  cutLinkOfA(how: "carrier" | "silent"): void {
    this.#switch.write(how === "carrier" ? "link set sw-db1 down\n" : "link set sw-db1 nomaster\n");
  }

  restoreLinkOfA(): void {
    this.#switch.write("link set sw-db1 master br0 up\n");
  }

  async dispose(): Promise<void> {
    this.#switch.endInput();
    this.#client.endInput();
    await this.a.stop();
    await this.b.stop();
    this.#capture.stop();
  }
}
