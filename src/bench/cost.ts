/** What it costs to be MASTER: CPU time per advert from the scheduler's own accounts, and memory as PSS. */
import { readdirSync, readFileSync } from "node:fs";
import type { Lab } from "../lab/lab.ts";
import { sleep } from "../lab/processes.ts";
import { Daemon, type DaemonName, type InstancePlan } from "./daemons.ts";
import type { Measurements } from "./report.ts";

/** Until V8 has compiled what runs every second; a daemon's life is long compared with this. */
const WARM_UP_MILLIS = 40_000;
const WINDOW_MILLIS = 12_000;

/** Nanoseconds on a CPU, all threads, from /proc/PID/task/TID/schedstat: finer than clock ticks. */
function cpuNanoseconds(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    }
  }
  return total;
}

function pssMebibytes(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    kibibytes += Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN);
  }
  return kibibytes / 1024;
}

interface CostRun {
  readonly microsPerAdvert: number;
  readonly pss: number;
}

async function measureOnce(lab: Lab, name: DaemonName, plan: InstancePlan): Promise<CostRun> {
  const daemon = new Daemon(name, lab.host("db1"), plan);
  daemon.start();
  try {
    await sleep(WARM_UP_MILLIS);
    const pids = await daemon.pids();
    const before = cpuNanoseconds(pids);
    const start = performance.now();
    await sleep(WINDOW_MILLIS);
    const adverts = (plan.count * (performance.now() - start)) / (1_000 * plan.advertInterval);
    return { microsPerAdvert: (cpuNanoseconds(pids) - before) / 1_000 / adverts, pss: pssMebibytes(pids) };
  } finally {
    await daemon.stop();
  }
}

export async function measureCost(
  labs: Readonly<Record<DaemonName, Lab>>,
  count: number,
  options: { readonly runs: number; readonly progress: (line: string) => void },
): Promise<{ readonly cpu: Measurements; readonly memory: Measurements }> {
  const plan: InstancePlan = { version: 3, advertInterval: 1, priority: 255, count, state: "MASTER" };
  const runs: Record<DaemonName, CostRun[]> = { holdfast: [], keepalived: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const name of ["holdfast", "keepalived"] as const) {
      const result = await measureOnce(labs[name], name, plan);
      runs[name].push(result);
      options.progress(`${count} instances, run ${run + 1} ${name}: ${JSON.stringify(result)}`);
    }
  }
  const pick = (read: (run: CostRun) => number) => ({
    holdfast: runs.holdfast.map(read),
    peer: runs.keepalived.map(read),
  });
  return {
    cpu: { case: `advert-cost-${count}`, unit: "us CPU per advert", ...pick((run) => run.microsPerAdvert) },
    memory: { case: `memory-${count}`, unit: "MiB PSS, both processes", ...pick((run) => run.pss) },
  };
}
