/** Which refusals are told: whoever is turned away for one reason so often, and of all together so many in that time. */
const REFUSAL_MILLIS = 60_000;
const REFUSALS_MOST = 100;

export class Refusals {
  readonly #told = new Map<string, number>();

  isNew(address: string, detail: string): boolean {
    const now = performance.now();
    for (const [key, told] of this.#told) {
      if (now - told < REFUSAL_MILLIS) break;
      this.#told.delete(key);
    }
    // A stranger who tries from many addresses must fill neither the memory nor, by it, the journal.
    const key = `${address} ${detail}`;
    if (this.#told.has(key) || this.#told.size >= REFUSALS_MOST) return false;
    this.#told.set(key, now);
    return true;
  }
}
