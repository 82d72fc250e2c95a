/** The control process's clock and timers. process.hrtime() is CLOCK_MONOTONIC, the keeper's clock as well. */
import { instant, type Micros } from "../core/lib/units.ts";
import type { Timers } from "../ports/timers.ts";

/** Node turns longer delays into 1 ms. */
const LONGEST_MILLIS = 2 ** 31 - 1;

export function createTimers(): Timers {
  const now = () => {
    const [whole, nanos] = process.hrtime();
    return instant(whole * 1_000_000 + Math.floor(nanos / 1_000));
  };
  return {
    now,
    schedule(delay: Micros, action) {
      const handle = setTimeout(action, Math.min(Math.max(0, Math.ceil(delay / 1_000)), LONGEST_MILLIS));
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
