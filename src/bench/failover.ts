/**
 * Failover cases. Faults fall at a random phase of the advert interval, so totals spread by an interval; what compares
 * daemons is the lateness: the client's first answer minus the instant that the protocol prescribes in that very run.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../lab/lab.ts";
import { sleep, until } from "../lab/processes.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName, type InstancePlan, virtualAddress } from "./daemons.ts";
import { Pair, wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";

/** How long a left-over address is waited for before the run counts as "still there". */
const ORPHAN_WATCH_MILLIS = 10_000;
/** A daemon that was started again is busy for a while, which is no business of the other's measurement. */
const RESTART_MILLIS = 1_000;

export type Timing = "1s" | "100ms" | "10ms";

export const TIMINGS: Readonly<Record<Timing, Pick<InstancePlan, "version" | "advertInterval">>> = {
  "1s": { version: 2, advertInterval: 1 },
  "100ms": { version: 3, advertInterval: 0.1 },
  "10ms": { version: 3, advertInterval: 0.01 },
};

const FAULTS = ["host-death", "link-cut", "stop", "script-fail", "daemon-kill9", "both-kill9"] as const;
type Fault = (typeof FAULTS)[number];

interface FailoverCase {
  readonly name: string;
  readonly timing: Timing;
  readonly fault: Fault;
}

interface FailoverRun {
  /** Fault to the client's first answer from b, milliseconds. */
  readonly failover: number;
  /** The client's longest silence, milliseconds: after a stop it is shorter than the failover. */
  readonly outage: number;
  /** First answer from b, beyond the instant that the protocol prescribes, milliseconds. */
  readonly late: number;
  /** First advert of b, beyond the same instant, milliseconds. */
  readonly advertLate: number;
  /** Fault to the address having left a, milliseconds; null when not watched. */
  readonly orphan: number | null;
}

export const FAILOVER_CASES: readonly BenchCase[] = FAULTS.flatMap((fault) =>
  (Object.keys(TIMINGS) as Timing[])
    .filter((timing) => fault !== "both-kill9" || timing === "1s")
    .map((timing) => {
      const chosen = { name: `${fault}-${timing}`, timing, fault };
      return {
        name: chosen.name,
        rows: [chosen.name],
        runs: timing === "1s" ? 7 : 10,
        measure: (labs: Labs, options: CaseOptions) => measureFailover(labs, chosen, options),
      };
    }),
);

async function runFailover(pair: Pair, fault: Fault): Promise<{ run: FailoverRun; recovered: Promise<void> }> {
  do {
    await pair.settled();
    pair.probe(true);
    await sleep(300 + Math.random() * 2_000 * pair.plan.advertInterval);
  } while (!pair.undisturbed);
  const faultAt = await inject(pair, fault);
  // Watched from the fault on: the address may leave long before the other host answers.
  const watch = fault === "both-kill9" ? orphanMillis(pair, faultAt) : Promise.resolve(null);
  const answer = await pair.firstAnswerOfB(faultAt);
  await sleep(50);
  pair.probe(false);
  const prescribed = prescribedInstant(pair, answer.at);
  const advert = pair.firstAdvertOfB(faultAt);
  const silences = pair.answers.filter((it) => it.at >= faultAt && it.at <= answer.at).map((it) => it.gap);
  const orphan = await watch;
  const run: FailoverRun = {
    failover: answer.at - faultAt,
    outage: Math.max(...silences),
    late: answer.at - prescribed,
    advertLate: advert - prescribed,
    orphan,
  };
  const recovered = recover(pair, fault);
  await sleep(RESTART_MILLIS);
  return { run, recovered };
}

/** Last advert of a as b received it, and the timer it starts: Skew_Time after a resignation, Master_Down_Interval otherwise. */
function prescribedInstant(pair: Pair, before: number): number {
  const adverts = pair.advertsOfA(before);
  const last = adverts.at(-1);
  if (last === undefined) throw new Error("the capture holds no advert of the master");
  // Several resignations in a row: the first one starts the timer.
  const resignation = adverts[adverts.findLastIndex((it) => it.priority > 0) + 1];
  const { skew, masterDown } = timersMillis(pair.plan, 100);
  return resignation === undefined ? last.at + masterDown : resignation.at + skew;
}

/** RFC 3768 and RFC 9568: three intervals and Skew_Time; version 2 counts its skew in seconds. */
function timersMillis(plan: Pick<InstancePlan, "version" | "advertInterval">, priority: number) {
  const interval = plan.advertInterval * 1_000;
  const skew = ((256 - priority) / 256) * (plan.version === 2 ? 1_000 : interval);
  return { skew, masterDown: 3 * interval + skew };
}

/** Runs the contestants alternately, so that the machine's mood touches both alike. */
async function measureFailover(
  labs: Labs,
  chosen: FailoverCase,
  options: CaseOptions,
): Promise<readonly Measurements[]> {
  const results: Record<DaemonName, FailoverRun[]> = { holdfast: [], keepalived: [] };
  const pairs = {
    holdfast: await startPair(labs.holdfast, chosen, "holdfast"),
    keepalived: await startPair(labs.keepalived, chosen, "keepalived"),
  };
  const recoveries: Promise<void>[] = [];
  try {
    for (let run = 0; run < options.runs; run++) {
      for (const name of CONTESTANTS) {
        const { run: result, recovered } = await runFailover(pairs[name], chosen.fault);
        recoveries.push(recovered);
        results[name].push(result);
        options.progress(`${chosen.name} run ${run + 1} ${name}: ${JSON.stringify(result)}`);
      }
    }
  } finally {
    await Promise.all(recoveries);
    await pairs.holdfast.dispose();
    await pairs.keepalived.dispose();
  }
  return toMeasurements(chosen, results);
}

function startPair(lab: Lab, { timing, fault }: FailoverCase, name: DaemonName): Promise<Pair> {
  const plan: InstancePlan = { ...TIMINGS[timing], priority: 100, count: 1, state: "BACKUP" };
  if (fault !== "script-fail") return Pair.start(lab, plan, name);
  const checkedFile = join(lab.host("db1").directory, "fit");
  writeFileSync(checkedFile, "");
  return Pair.start(lab, { ...plan, checkedFile }, name);
}

function toMeasurements(chosen: FailoverCase, results: Record<DaemonName, FailoverRun[]>): readonly Measurements[] {
  const row = (suffix: string, unit: string, read: (run: FailoverRun) => number, note?: string): Measurements => ({
    case: `${chosen.name}${suffix}`,
    unit,
    holdfast: results.holdfast.map(read),
    peer: results.keepalived.map(read),
    ...(note === undefined ? {} : { note }),
  });
  if (chosen.fault === "daemon-kill9") {
    return [
      row("", "ms", (run) => run.failover, "Holdfast: the keeper alone is killed; keepalived: all its processes"),
    ];
  }
  if (chosen.fault === "both-kill9") {
    const note = `until the dead node's address is gone; ${ORPHAN_WATCH_MILLIS} means still there when the watch ended`;
    return [row("", "ms", (run) => run.orphan ?? ORPHAN_WATCH_MILLIS, note)];
  }
  return [
    row("", "ms late", (run) => run.late),
    row("-advert", "ms late", (run) => run.advertLate, "the first advert on the wire instead of the first answer"),
    row(
      "-outage",
      "ms",
      (run) => run.outage,
      "the client's silence: spread over one advert interval by the fault's phase",
    ),
  ];
}

async function inject(pair: Pair, fault: Fault): Promise<number> {
  const { a, plan } = pair;
  const keeperOnly = fault === "daemon-kill9" && a.name === "holdfast";
  const victims = keeperOnly ? [await a.keeperPid()] : await a.pids();
  const main = await a.mainPid();
  const at = wallMillis();
  switch (fault) {
    case "host-death":
      for (const pid of victims) process.kill(pid, "SIGKILL");
      pair.cutLinkOfA("carrier");
      break;
    case "daemon-kill9":
    case "both-kill9":
      for (const pid of victims) process.kill(pid, "SIGKILL");
      break;
    case "link-cut":
      pair.cutLinkOfA("carrier");
      break;
    case "stop":
      process.kill(main, "SIGTERM");
      break;
    case "script-fail":
      rmSync(plan.checkedFile ?? "");
  }
  return at;
}

async function orphanMillis(pair: Pair, faultAt: number): Promise<number> {
  const gone = async (): Promise<true | undefined> =>
    (await pair.lab.host("db1").holds(virtualAddress(0))) ? undefined : true;
  try {
    await until(gone, "the address leaves", ORPHAN_WATCH_MILLIS);
  } catch {
    return ORPHAN_WATCH_MILLIS;
  }
  return Math.min(ORPHAN_WATCH_MILLIS, wallMillis() - faultAt);
}

async function recover(pair: Pair, fault: Fault): Promise<void> {
  const { a, plan } = pair;
  if (fault === "host-death" || fault === "link-cut") pair.restoreLinkOfA();
  if (fault === "script-fail") writeFileSync(plan.checkedFile ?? "", "");
  const restarts = fault === "host-death" || fault === "stop" || fault === "both-kill9" || a.name === "keepalived";
  if (!restarts || fault === "link-cut" || fault === "script-fail") return;
  await a.ended();
  a.start();
}
