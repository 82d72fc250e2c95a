/** The one question about time that the engine asks; see timers.ts for waiting. */
import type { Instant } from "../core/lib/units.ts";

/** CLOCK_MONOTONIC in the daemon, virtual time in the simulator. */
export interface Clock {
  now(): Instant;
}
