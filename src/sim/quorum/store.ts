/**
 * A quorum store in memory: one key, changed by compare and swap, in revisions that only grow; and what stores do that nobody counts on. They answer
 * out of what was, and forget: emptied, set back to a copy, made anew.
 */
import type { Reading } from "../../core/quorum/ownership.ts";
import type { Swapped } from "../../ports/quorum-store.ts";

export const ABSENT: Reading = { revision: "0", value: null };

/** How a store loses what it knew: the key alone, everything, or what came after so many changes before now. */
export type Loss = "key" | "all" | number;

export class StoreModel {
  readonly #onSwapped: (before: Reading, now: Reading) => void;
  /** What stood there since the store last forgot, oldest first. */
  #history: Reading[] = [ABSENT];
  #revision = 0;

  constructor(onSwapped: (before: Reading, now: Reading) => void) {
    this.#onSwapped = onSwapped;
  }

  get now(): Reading {
    return this.#history.at(-1) ?? ABSENT;
  }

  /** As it was so many changes ago, but not before a loss. */
  asOf(changes: number): Reading {
    return this.#history[Math.max(0, this.#history.length - 1 - changes)] ?? ABSENT;
  }

  swap(expected: Reading, value: string): Swapped {
    const before = this.now;
    if (before.revision !== expected.revision || before.value !== expected.value) return { done: false, now: before };
    this.#revision += 1;
    const now = { revision: String(this.#revision), value };
    this.#history.push(now);
    this.#onSwapped(before, now);
    return { done: true, revision: now.revision };
  }

  forget(loss: Loss): void {
    const left = typeof loss === "number" ? this.asOf(loss) : ABSENT;
    // A key that is deleted leaves the count of revisions as it is.
    if (loss !== "key") this.#revision = Number(left.revision);
    this.#history = [left];
  }
}
