/** The control process' own figures: processor time, memory, and how late its event loop is. */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { ProcessFigures } from "./families.ts";

const RESOLUTION_MILLIS = 20;
const NANOS = 1e9;

export class ProcessMeter {
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MILLIS });

  start(): void {
    this.#lag.enable();
  }

  stop(): void {
    this.#lag.disable();
  }

  /** The delays begin anew with each question. */
  read(): ProcessFigures {
    const { user, system } = process.cpuUsage();
    // The histogram measures the whole period; what is beyond the resolution is the delay. It is empty right after its start.
    const delay = (nanos: number): number =>
      Number.isFinite(nanos) ? Math.max(0, nanos / NANOS - RESOLUTION_MILLIS / 1_000) : 0;
    const empty = this.#lag.count === 0;
    const lag = {
      p50: empty ? 0 : delay(this.#lag.percentile(50)),
      p99: empty ? 0 : delay(this.#lag.percentile(99)),
      max: empty ? 0 : delay(this.#lag.max),
    };
    this.#lag.reset();
    return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), loopLag: lag };
  }
}
