/** The control process' own figures: processor time, memory, and how late its event loop is. */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { ProcessFigures } from "./families.ts";

const RESOLUTION_MILLIS = 20;
const NANOS = 1e9;
/** Longer than anybody pauses between two questions. */
const ASKED_NO_MORE_MILLIS = 300_000;

export class ProcessMeter {
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MILLIS });
  #idle: NodeJS.Timeout | null = null;

  /** It wakes the process up fifty times a second. */
  get measures(): boolean {
    return this.#idle !== null;
  }

  stop(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#lag.disable();
  }

  /** The delays are those since the last question; nothing is measured before the first one, and five minutes after the last. */
  read(): ProcessFigures {
    this.#lag.enable();
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), ASKED_NO_MORE_MILLIS).unref();
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
