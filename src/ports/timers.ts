/** Waiting for an instant: how control and the simulator share the code that runs checks and hooks. */
import type { Instant, Micros } from "../core/lib/units.ts";
import type { Clock } from "./clock.ts";

export interface Timer {
  /** Harmless when the timer has fired or was cancelled. */
  cancel(): void;
}

/** Deadlines for the control process; virtual time in tests and in the simulator. */
export interface Timers extends Clock {
  /** Runs the action once, never before the delay has passed. */
  schedule(delay: Micros, action: () => void): Timer;
  /** The instant itself, for code that keeps a schedule without drift. */
  now(): Instant;
}
