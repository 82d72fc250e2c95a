/** The questions about time that the engine asks; see timers.ts for waiting. */
import type { Instant } from "../core/lib/units.ts";

/** CLOCK_MONOTONIC in the daemon, virtual time in the simulator. */
export interface Clock {
  now(): Instant;
}

/** CLOCK_REALTIME, which people and other hosts go by: it may jump. Only for what travels in packets. */
export interface WallClock {
  /** Microseconds since 1970, UTC. */
  micros(): number;
}
