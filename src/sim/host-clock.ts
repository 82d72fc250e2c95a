/**
 * The clocks of one host. CLOCK_MONOTONIC has its own origin and rate and stands still while the whole host is
 * paused (a virtual machine that is stopped); the wall clock is that plus an offset an operator can step. Nothing in
 * the engine sees the wall clock.
 */
import { type Instant, instant } from "../core/lib/units.ts";

export class HostClock {
  readonly #rate: number;
  #anchorTrue = 0;
  #anchorLocal: number;
  #paused = false;
  #wallOffset = 0;

  /** drift: parts per million, origin: microseconds. */
  constructor(origin: number, drift: number) {
    this.#anchorLocal = origin;
    this.#rate = 1 + drift / 1_000_000;
  }

  local(trueTime: number): Instant {
    if (this.#paused) return instant(this.#anchorLocal);
    return instant(this.#anchorLocal + (trueTime - this.#anchorTrue) * this.#rate);
  }

  /** The true time at which the monotonic clock shows `local`; infinity while paused. */
  trueTime(local: number): number {
    if (this.#paused) return Number.POSITIVE_INFINITY;
    return this.#anchorTrue + (local - this.#anchorLocal) / this.#rate;
  }

  pause(trueTime: number): void {
    this.#anchorLocal = this.local(trueTime);
    this.#anchorTrue = trueTime;
    this.#paused = true;
  }

  resume(trueTime: number): void {
    this.#anchorTrue = trueTime;
    this.#paused = false;
  }

  /** Wall clock in microseconds: what log lines would show. */
  wall(trueTime: number): number {
    return this.local(trueTime) + this.#wallOffset;
  }

  stepWall(micros: number): void {
    this.#wallOffset += micros;
  }
}
