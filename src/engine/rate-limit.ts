/** Lets something happen a few times at once and then at a steady pace. No clock of its own. */
import type { Instant, Micros } from "../core/lib/units.ts";

export class RateLimit {
  readonly #most: number;
  readonly #within: Micros;
  #left: number;
  #filledAt: Instant | null = null;

  /** `most` at once; one more each time `within` has passed. */
  constructor({ most, within }: { readonly most: number; readonly within: Micros }) {
    this.#most = most;
    this.#within = within;
    this.#left = most;
  }

  allows(now: Instant): boolean {
    const passed = this.#filledAt === null ? 0 : Math.floor((now - this.#filledAt) / this.#within);
    if (this.#filledAt === null || passed > 0) this.#filledAt = now;
    this.#left = Math.min(this.#most, this.#left + passed);
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
