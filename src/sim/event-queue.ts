/**
 * What is going to happen, in order of time and, at one instant, in order of scheduling: a binary heap. It knows
 * nothing of hosts or networks. Cancelled entries stay in the heap until they surface.
 */
export interface Scheduled {
  readonly at: number;
  readonly serial: number;
  /** Null once it has run or was cancelled. */
  run: (() => void) | null;
}

export class EventQueue {
  readonly #heap: Scheduled[] = [];
  #serial = 0;

  push(at: number, run: () => void): Scheduled {
    const entry: Scheduled = { at, serial: this.#serial++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (!before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
    return entry;
  }

  /** When the next entry is due; infinity when there is none. */
  nextAt(): number {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return Number.POSITIVE_INFINITY;
      if (first.run !== null) return first.at;
      this.#removeFirst();
    }
  }

  /** Takes the next entry's action out. */
  take(): (() => void) | null {
    if (this.nextAt() === Number.POSITIVE_INFINITY) return null;
    const first = this.#removeFirst();
    const run = first?.run ?? null;
    if (first !== undefined) first.run = null;
    return run;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #removeFirst(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++;
      const below = heap[child] as Scheduled;
      if (!before(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}
