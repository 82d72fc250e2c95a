/**
 * Failover cases. Faults fall at a random phase of the advert interval, so totals spread by an interval; what compares
 * daemons is the lateness: the client's first answer minus the instant that the protocol prescribes in that very run.
 */
import type { Lab } from "../lab/lab.ts";
import { sleep, until } from "../lab/processes.ts";
import { type DaemonName, type InstancePlan, virtualAddress } from "./daemons.ts";
import { Pair } from "./pair.ts";
import type { Measurements } from "./report.ts";

/** How long a left-over address is waited for before the run counts as "still there". */
const ORPHAN_WATCH_MILLIS = 10_000;

export interface FailoverCase {
  readonly name: string;
  readonly plan: Pick<InstancePlan, "version" | "advertInterval">;
  readonly fault: "host-death" | "daemon-kill9" | "both-kill9";
}

export const FAILOVER_CASES: readonly FailoverCase[] = [
  { name: "host-death-1s", plan: { version: 2, advertInterval: 1 }, fault: "host-death" },
  { name: "host-death-100ms", plan: { version: 3, advertInterval: 0.1 }, fault: "host-death" },
  { name: "daemon-kill9-1s", plan: { version: 2, advertInterval: 1 }, fault: "daemon-kill9" },
  { name: "both-kill9-1s", plan: { version: 2, advertInterval: 1 }, fault: "both-kill9" },
];

export interface FailoverRun {
  /** Fault to the client's first answer from b, milliseconds. */
  readonly failover: number;
  /** Beyond the last advert of a plus Master_Down of b, milliseconds. */
  readonly late: number;
  /** Fault to the address having left a, milliseconds; null when not watched. */
  readonly orphan: number | null;
}

async function runFailover(pair: Pair, fault: FailoverCase["fault"]): Promise<FailoverRun> {
  await sleep(Math.random() * 2_000 * pair.plan.advertInterval);
  const faultAt = await inject(pair, fault);
  // Watched from the fault on: the address may leave long before the other host answers.
  const watch = fault === "both-kill9" ? orphanMillis(pair, faultAt) : Promise.resolve(null);
  const answer = await pair.firstAnswerOfB(faultAt);
  const prescribed = pair.lastAdvertOfA(answer.at) + masterDownMillis(pair.plan, 100);
  const orphan = await watch;
  await recover(pair, fault);
  return { failover: answer.at - faultAt, late: answer.at - prescribed, orphan };
}

/** Runs the contestants alternately, so that the machine's mood touches both alike. */
export async function measureFailover(
  labs: Readonly<Record<DaemonName, Lab>>,
  chosen: FailoverCase,
  options: { readonly runs: number; readonly progress: (line: string) => void },
): Promise<readonly Measurements[]> {
  const plan: InstancePlan = { ...chosen.plan, priority: 100, count: 1, state: "BACKUP" };
  const results: Record<DaemonName, FailoverRun[]> = { holdfast: [], keepalived: [] };
  const pairs = {
    holdfast: await Pair.start(labs.holdfast, plan, "holdfast"),
    keepalived: await Pair.start(labs.keepalived, plan, "keepalived"),
  };
  try {
    for (let run = 0; run < options.runs; run++) {
      for (const name of ["holdfast", "keepalived"] as const) {
        const result = await runFailover(pairs[name], chosen.fault);
        results[name].push(result);
        options.progress(`${chosen.name} run ${run + 1} ${name}: ${JSON.stringify(result)}`);
      }
    }
  } finally {
    await pairs.holdfast.dispose();
    await pairs.keepalived.dispose();
  }
  return toMeasurements(chosen, results);
}

function toMeasurements(chosen: FailoverCase, results: Record<DaemonName, FailoverRun[]>): readonly Measurements[] {
  const column = (name: string, unit: string, read: (run: FailoverRun) => number, note?: string): Measurements => ({
    case: name,
    unit,
    holdfast: results.holdfast.map(read),
    peer: results.keepalived.map(read),
    ...(note === undefined ? {} : { note }),
  });
  if (chosen.fault === "host-death") {
    return [
      column(chosen.name, "ms late", (run) => run.late),
      column(
        `${chosen.name}-total`,
        "ms",
        (run) => run.failover,
        "spread over one advert interval by the fault's phase",
      ),
    ];
  }
  if (chosen.fault === "daemon-kill9") {
    const note = "Holdfast: the keeper alone is killed; keepalived: all its processes";
    return [column(chosen.name, "ms", (run) => run.failover, note)];
  }
  const note = `until the dead node's address is gone; ${ORPHAN_WATCH_MILLIS} means still there when the watch ended`;
  return [column(chosen.name, "ms", (run) => run.orphan ?? ORPHAN_WATCH_MILLIS, note)];
}

/** RFC 3768 and RFC 9568: three intervals and Skew_Time; version 2 counts its skew in seconds. */
function masterDownMillis(plan: Pick<InstancePlan, "version" | "advertInterval">, priority: number): number {
  const interval = plan.advertInterval * 1_000;
  const skew = ((256 - priority) / 256) * (plan.version === 2 ? 1_000 : interval);
  return 3 * interval + skew;
}

async function inject(pair: Pair, fault: FailoverCase["fault"]): Promise<number> {
  const keeperOnly = fault === "daemon-kill9" && pair.a.name === "holdfast";
  const victims = keeperOnly ? [await pair.a.keeperPid()] : await pair.a.pids();
  const at = performance.timeOrigin + performance.now();
  for (const pid of victims) process.kill(pid, "SIGKILL");
  if (fault === "host-death") pair.cutLinkOfA();
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
  return Math.min(ORPHAN_WATCH_MILLIS, performance.timeOrigin + performance.now() - faultAt);
}

async function recover(pair: Pair, fault: FailoverCase["fault"]): Promise<void> {
  const restarts = !(fault === "daemon-kill9" && pair.a.name === "holdfast");
  if (fault === "host-death") pair.restoreLinkOfA();
  if (restarts) {
    await pair.a.killed();
    pair.a.start();
  }
  await pair.settled();
}
