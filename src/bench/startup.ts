/**
 * From the command line to the first advert, the last one and the last address, for N instances. With priority 255 the
 * protocol prescribes no wait at all; "elected" is priority 200, where Master_Down_Interval (3.22 s) belongs to the figure.
 */
import { sleep, until } from "../lab/processes.ts";
import { cpuNanoseconds } from "./accounts.ts";
import { AddressMonitor } from "./address-monitor.ts";
import { byRouter, Capture } from "./capture.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, Daemon, type DaemonName, type InstancePlan } from "./daemons.ts";
import { wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";
import { widen } from "./wide-lab.ts";

type StartRun = Readonly<Record<"firstAdvert" | "lastAdvert" | "lastAddress" | "cpu", number>>;

const PLANS = [
  { prefix: "startup", priority: 255, state: "MASTER" },
  { prefix: "startup-elected", priority: 200, state: "BACKUP" },
] as const;

export const STARTUP_CASES: readonly BenchCase[] = PLANS.flatMap(({ prefix, priority, state }) =>
  [1, 255, 1000].map((count) => {
    const name = `${prefix}-${count}`;
    const plan: InstancePlan = { version: 3, advertInterval: 1, priority, count, state };
    return {
      name,
      rows: [name],
      runs: 5,
      measure: (labs: Labs, options: CaseOptions) => measureStartup(labs, { name, plan }, options),
    };
  }),
);

async function measureStartup(
  labs: Labs,
  { name: caseName, plan }: { readonly name: string; readonly plan: InstancePlan },
  options: CaseOptions,
): Promise<readonly Measurements[]> {
  const runs: Record<DaemonName, StartRun[]> = { holdfast: [], keepalived: [] };
  for (const name of CONTESTANTS) await widen(labs[name], plan.count);
  for (let run = 0; run < options.runs; run++) {
    for (const name of CONTESTANTS) {
      const result = await startOnce(labs, name, plan);
      runs[name].push(result);
      options.progress(`${caseName} run ${run + 1} ${name}: ${JSON.stringify(result)}`);
    }
  }
  const row = (suffix: string, unit: string, field: keyof StartRun): Measurements => ({
    case: `${caseName}${suffix}`,
    unit,
    holdfast: runs.holdfast.map((it) => it[field]),
    peer: runs.keepalived.map((it) => it[field]),
  });
  return [
    row("", "ms to the last address", "lastAddress"),
    row("-first-advert", "ms", "firstAdvert"),
    row("-last-advert", "ms", "lastAdvert"),
    row("-cpu", "ms CPU until then", "cpu"),
  ];
}

async function startOnce(labs: Labs, name: DaemonName, plan: InstancePlan): Promise<StartRun> {
  const lab = labs[name];
  const capture = await Capture.start(lab.host("db2"), "any");
  const monitor = await AddressMonitor.start(lab.host("db1"));
  const daemon = new Daemon(name, lab.host("db1"), plan);
  const startedAt = wallMillis();
  daemon.start();
  try {
    const added = () => monitor.changes.filter((it) => it.action === "added");
    const complete = () =>
      added().length >= plan.count && byRouter(capture.adverts).size >= plan.count ? true : undefined;
    await until(complete, `${name} has ${plan.count} addresses and has sent as many adverts`, 60_000);
    const cpu = cpuNanoseconds(await daemon.pids()) / 1e6;
    const firsts = [...byRouter(capture.adverts).values()].map((adverts) => adverts[0]?.at ?? Number.NaN);
    return {
      firstAdvert: Math.min(...firsts) - startedAt,
      lastAdvert: Math.max(...firsts) - startedAt,
      lastAddress: Math.max(...added().map((it) => it.at)) - startedAt,
      cpu,
    };
  } finally {
    await daemon.stop();
    await monitor.stop();
    capture.stop();
    await sleep(500);
  }
}
