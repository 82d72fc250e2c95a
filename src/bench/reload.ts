/**
 * SIGHUP with N MASTER instances: the priority of every one is changed and one address is added or removed. Measured: when the first and the
 * last new priority are on the wire, when the address is there (or gone), and whether anything suffered: the longest advert
 * interval around the reload, adverts of priority 0, addresses lost, CPU time beyond that of standing still.
 */
import { sleep, until } from "../lab/processes.ts";
import { cpuNanoseconds } from "./accounts.ts";
import { AddressMonitor } from "./address-monitor.ts";
import { byRouter, Capture, type CapturedAdvert } from "./capture.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, Daemon, type DaemonName, type InstancePlan } from "./daemons.ts";
import { wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";
import { widen } from "./wide-lab.ts";

const EXTRA = "10.99.0.1";
const PRIORITIES = [200, 150] as const;
/** Before and after the signal, so that each instance has intervals on both sides. */
const WATCH_MILLIS = 3_000;

type ReloadRun = Readonly<
  Record<"firstPriority" | "lastPriority" | "address" | "longest" | "resignations" | "lost" | "cpu", number>
>;

const PLANS = [
  { suffix: "", advertInterval: 1, counts: [255, 1000] },
  { suffix: "-100ms", advertInterval: 0.1, counts: [255] },
];

export const RELOAD_CASES: readonly BenchCase[] = PLANS.flatMap(({ suffix, advertInterval, counts }) =>
  counts.map((count) => {
    const name = `reload-${count}${suffix}`;
    const plan: InstancePlan = { version: 3, advertInterval, priority: PRIORITIES[0], count, state: "BACKUP" };
    return {
      name,
      rows: [name],
      runs: 6,
      measure: (labs: Labs, options: CaseOptions) => measureReload(labs, { name, plan }, options),
    };
  }),
);

interface Setup {
  readonly daemon: Daemon;
  readonly capture: Capture;
  readonly monitor: AddressMonitor;
}

async function measureReload(
  labs: Labs,
  { name: caseName, plan }: { readonly name: string; readonly plan: InstancePlan },
  options: CaseOptions,
): Promise<readonly Measurements[]> {
  const runs: Record<DaemonName, ReloadRun[]> = { holdfast: [], keepalived: [] };
  for (const name of CONTESTANTS) await widen(labs[name], plan.count);
  const setups = {
    holdfast: await setUp(labs, "holdfast", plan),
    keepalived: await setUp(labs, "keepalived", plan),
  };
  try {
    await sleep(5_000);
    for (let run = 0; run < options.runs; run++) {
      const changed = run % 2 === 0;
      const next: InstancePlan = {
        ...plan,
        priority: PRIORITIES[changed ? 1 : 0],
        extraAddresses: changed ? [EXTRA] : [],
      };
      for (const name of CONTESTANTS) {
        const result = await reloadOnce(setups[name], next);
        runs[name].push(result);
        options.progress(`${caseName} run ${run + 1} ${name}: ${JSON.stringify(result)}`);
      }
    }
  } finally {
    for (const { daemon, capture, monitor } of Object.values(setups)) {
      await daemon.stop();
      await monitor.stop();
      capture.stop();
    }
  }
  return toRows(caseName, runs);
}

async function setUp(labs: Labs, name: DaemonName, plan: InstancePlan): Promise<Setup> {
  const capture = await Capture.start(labs[name].host("db2"), "any");
  const monitor = await AddressMonitor.start(labs[name].host("db1"));
  const daemon = new Daemon(name, labs[name].host("db1"), plan);
  daemon.start();
  await until(
    () => (monitor.changes.length >= plan.count && byRouter(capture.adverts).size >= plan.count ? true : undefined),
    `${name} holds ${plan.count} addresses`,
    60_000,
  );
  return { daemon, capture, monitor };
}

async function reloadOnce({ daemon, capture, monitor }: Setup, next: InstancePlan): Promise<ReloadRun> {
  daemon.configure(next);
  const pids = await daemon.pids();
  capture.adverts.length = 0;
  monitor.changes.length = 0;
  const idleBefore = cpuNanoseconds(pids);
  await sleep(WATCH_MILLIS);
  const before = cpuNanoseconds(pids);
  const idle = before - idleBefore;
  const signalAt = wallMillis();
  await daemon.reload();
  await sleep(WATCH_MILLIS);
  const cpu = (cpuNanoseconds(pids) - before - idle) / 1e6;
  const routers = [...byRouter(capture.adverts).values()];
  const fresh = routers.map((row) => row.find((it) => it.priority === next.priority)?.at ?? Number.NaN);
  const extra = monitor.changes.find((it) => it.address === EXTRA);
  return {
    firstPriority: Math.min(...fresh) - signalAt,
    lastPriority: Math.max(...fresh) - signalAt,
    address: (extra?.at ?? Number.NaN) - signalAt,
    longest: Math.max(...routers.map(longestInterval)) - next.advertInterval * 1_000,
    resignations: capture.adverts.filter((it) => it.priority === 0).length,
    lost: monitor.changes.filter((it) => it.action === "removed" && it.address !== EXTRA).length,
    cpu,
  };
}

function longestInterval(row: readonly CapturedAdvert[]): number {
  return row
    .slice(1)
    .reduce((longest, advert, index) => Math.max(longest, advert.at - (row[index]?.at ?? advert.at)), 0);
}

function toRows(caseName: string, runs: Record<DaemonName, ReloadRun[]>): readonly Measurements[] {
  const row = (suffix: string, unit: string, field: keyof ReloadRun): Measurements => ({
    case: `${caseName}${suffix}`,
    unit,
    holdfast: runs.holdfast.map((it) => it[field]),
    peer: runs.keepalived.map((it) => it[field]),
  });
  return [
    row("", "ms to the last new priority", "lastPriority"),
    row("-first", "ms to the first new priority", "firstPriority"),
    row("-address", "ms to the changed address", "address"),
    row("-late", "ms, latest advert beyond its interval", "longest"),
    row("-resignations", "adverts of priority 0", "resignations"),
    row("-lost", "addresses lost", "lost"),
    row("-cpu", "ms CPU beyond standing still", "cpu"),
  ];
}
