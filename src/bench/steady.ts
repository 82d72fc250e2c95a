/**
 * What N instances cost while nothing happens: CPU time per advert sent and received, memory as PSS, punctuality of the adverts. Both
 * contestants run side by side, each in its lab, and the same windows count for both: the machine's mood is shared, and a
 * window that one of them would have had for itself would be no more alike.
 */
import { sleep, until } from "../lab/processes.ts";
import { cpuNanoseconds, pssMebibytes } from "./accounts.ts";
import { byRouter, Capture } from "./capture.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, Daemon, type DaemonName, type InstancePlan } from "./daemons.ts";
import type { Measurements } from "./report.ts";
import { widen } from "./wide-lab.ts";

/** A daemon's life is long compared with what V8 needs until it has compiled what runs every second. */
const WARM_UP_MILLIS = 45_000;
const WINDOW_MILLIS = 10_000;
/** The early window begins when all addresses are surely there. */
const EARLY_MILLIS = 5_000;

export const SIZES = [1, 100, 255, 1000] as const;

type Window = Readonly<Record<"cost" | "pss" | "p50" | "p99" | "max" | "drift", number>>;
type Windows = Record<DaemonName, Window[]>;

export const STEADY_CASES: readonly BenchCase[] = SIZES.flatMap((count) => [
  {
    name: `steady-${count}`,
    rows: ["advert-cost", "advert-cost-early", "memory", "jitter"].map((row) => `${row}-${count}`),
    runs: 5,
    measure: (labs: Labs, options: CaseOptions) => measureMaster(labs, count, options),
  },
  {
    name: `backup-cost-${count}`,
    rows: [`backup-cost-${count}`],
    runs: 5,
    measure: (labs: Labs, options: CaseOptions) => measureBackup(labs, count, options),
  },
]);

const planFor = (count: number, priority: number, state: "MASTER" | "BACKUP"): InstancePlan => ({
  version: 3,
  advertInterval: 1,
  priority,
  count,
  state,
});

async function measureMaster(labs: Labs, count: number, options: CaseOptions): Promise<readonly Measurements[]> {
  const runners = await Promise.all(
    CONTESTANTS.map(async (name) => {
      await widen(labs[name], count);
      const capture = await Capture.start(labs[name].host("db2"), "any");
      const daemon = new Daemon(name, labs[name].host("db1"), planFor(count, 255, "MASTER"));
      daemon.start();
      return { name, capture, daemon };
    }),
  );
  const early: Windows = { holdfast: [], keepalived: [] };
  const windows: Windows = { holdfast: [], keepalived: [] };
  const take = async (into: Windows, label: string): Promise<void> => {
    const taken = await Promise.all(runners.map((runner) => observe(runner, count)));
    for (const [position, { name }] of runners.entries()) {
      const window = taken[position] as Window;
      into[name].push(window);
      options.progress(`steady-${count} ${label} ${name}: ${JSON.stringify(window)}`);
    }
  };
  try {
    for (const { name, capture } of runners) {
      const complete = () => (byRouter(capture.adverts).size >= count ? true : undefined);
      await until(complete, `${name} sends adverts of ${count} instances`, 60_000);
    }
    await sleep(EARLY_MILLIS);
    await take(early, "early");
    await sleep(WARM_UP_MILLIS - EARLY_MILLIS - WINDOW_MILLIS);
    for (let run = 0; run < options.runs; run++) await take(windows, `window ${run + 1}`);
  } finally {
    for (const { daemon, capture } of runners) {
      await daemon.stop();
      capture.stop();
    }
  }
  return masterRows(count, windows, early);
}

interface Runner {
  readonly daemon: Daemon;
  readonly capture: Capture;
}

async function observe({ daemon, capture }: Runner, count: number): Promise<Window> {
  const pids = await daemon.pids();
  capture.adverts.length = 0;
  const before = cpuNanoseconds(pids);
  await sleep(WINDOW_MILLIS);
  const used = cpuNanoseconds(pids) - before;
  // What was sent at the end of the window may still be on its way through the pipe.
  await sleep(100);
  const adverts = capture.adverts.splice(0);
  if (adverts.length < count)
    throw new Error(`the window of ${count} instances holds ${adverts.length} adverts: ${daemon.log.slice(-500)}`);
  const intervals = [...byRouter(adverts).values()].flatMap((row) =>
    row.slice(1).map((advert, position) => advert.at - (row[position]?.at ?? Number.NaN)),
  );
  const deviations = intervals.map((interval) => Math.abs(interval - 1_000)).sort((a, b) => a - b);
  const at = (share: number): number => deviations[Math.floor(share * (deviations.length - 1))] ?? Number.NaN;
  const drift = intervals.reduce((sum, interval) => sum + interval - 1_000, 0) / intervals.length;
  return {
    cost: used / 1_000 / adverts.length,
    pss: pssMebibytes(pids),
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    drift,
  };
}

function masterRows(count: number, windows: Windows, early: Windows): readonly Measurements[] {
  const row = (name: string, unit: string, from: Windows, field: keyof Window): Measurements => ({
    case: name,
    unit,
    holdfast: from.holdfast.map((window) => window[field]),
    peer: from.keepalived.map((window) => window[field]),
  });
  return [
    row(`advert-cost-${count}`, "us CPU per advert", windows, "cost"),
    row(`advert-cost-early-${count}`, "us CPU per advert", early, "cost"),
    row(`memory-${count}`, "MiB PSS, all processes", windows, "pss"),
    row(`jitter-${count}`, "ms off the interval, p50", windows, "p50"),
    row(`jitter-${count}-p99`, "ms off the interval, p99", windows, "p99"),
    row(`jitter-${count}-max`, "ms off the interval, max", windows, "max"),
    row(`jitter-${count}-drift`, "ms mean interval - 1 s", windows, "drift"),
  ];
}

/** Both listen to the same kind of master, a keepalived, so that what they receive is alike. */
async function measureBackup(labs: Labs, count: number, options: CaseOptions): Promise<readonly Measurements[]> {
  const costs: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const runners = [];
  for (const name of CONTESTANTS) {
    await widen(labs[name], count);
    const master = new Daemon("keepalived", labs[name].host("db1"), planFor(count, 255, "MASTER"));
    master.start();
    const daemon = new Daemon(name, labs[name].host("db2"), planFor(count, 100, "BACKUP"));
    runners.push({ name, master, daemon });
  }
  try {
    await sleep(5_000);
    for (const { daemon } of runners) daemon.start();
    await sleep(WARM_UP_MILLIS);
    for (let run = 0; run < options.runs; run++) {
      const pids = await Promise.all(runners.map(({ daemon }) => daemon.pids()));
      const before = pids.map(cpuNanoseconds);
      const start = performance.now();
      await sleep(WINDOW_MILLIS);
      const adverts = (count * (performance.now() - start)) / 1_000;
      for (const [position, { name }] of runners.entries()) {
        const cost = (cpuNanoseconds(pids[position] ?? []) - (before[position] ?? 0)) / 1_000 / adverts;
        costs[name].push(cost);
        options.progress(`backup-cost-${count} window ${run + 1} ${name}: ${cost.toFixed(2)} us`);
      }
    }
  } finally {
    for (const { daemon, master } of runners) {
      await daemon.stop();
      await master.stop();
    }
  }
  return [
    {
      case: `backup-cost-${count}`,
      unit: "us CPU per advert received",
      holdfast: costs.holdfast,
      peer: costs.keepalived,
    },
  ];
}
