/**
 * Token buckets by client address: a steady rate and a burst. How many addresses are remembered is bounded; a flood of addresses
 * makes the oldest be forgotten, never memory grow.
 */
export interface RateOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly burst: number;
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
}

const MOST_ADDRESSES = 4_096;

export class RateLimit {
  readonly #options: RateOptions;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** True: go on. `cost` may be more than one for what should be rare, such as a wrong token. */
  take(address: string, cost = 1): boolean {
    const bucket = this.#refill(address);
    if (bucket.left < 1) return false;
    bucket.left -= cost;
    return true;
  }

  #refill(address: string): { left: number; at: number } {
    const { rate, burst, now } = this.#options;
    const at = now();
    const known = this.#buckets.get(address);
    const left = known === undefined ? burst : Math.min(burst, known.left + ((at - known.at) * rate) / 1_000);
    const bucket = { left, at };
    // Put at the end: the first of the map is the one that has been silent for longest.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MOST_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value ?? "");
    return bucket;
  }
}
