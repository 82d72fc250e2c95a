/** What processes have used, from the kernel's accounts: CPU time to the nanosecond, memory as PSS. */
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds on a CPU, all threads, from /proc/PID/task/TID/schedstat: finer than clock ticks. */
export function cpuNanoseconds(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    }
  }
  return total;
}

/** Proportional set size: pages shared with other processes count for their share. */
export function pssMebibytes(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    kibibytes += Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN);
  }
  return kibibytes / 1024;
}
