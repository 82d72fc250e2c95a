/** A quorum store in memory, and what each host has of it: reachable or not, writable or not, slow to answer a write. */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { QuorumStore, Swap, Swapped } from "../../ports/quorum-store.ts";

const ABSENT: Reading = { revision: "0", value: null };

export class MemoryStore {
  now: Reading = ABSENT;
  #counter = 0;

  open(): StoreView {
    return new StoreView(this);
  }

  empty(): void {
    this.now = ABSENT;
    this.#counter = 0;
  }

  swap({ expected, value }: Swap): Swapped {
    const { revision, value: was } = this.now;
    if (expected.revision !== revision || expected.value !== was) return { done: false, now: this.now };
    this.#counter += 1;
    this.now = { revision: String(this.#counter), value };
    return { done: true, revision: this.now.revision };
  }

  get epoch(): number | null {
    return this.now.value === null ? null : (JSON.parse(this.now.value) as { epoch: number }).epoch;
  }
}

export class StoreView implements QuorumStore {
  readonly #store: MemoryStore;
  readonly endpoint = null;
  reachable = true;
  writable = true;
  /** While it is not null answers to writes wait for it. */
  late: Promise<void> | null = null;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async read(): Promise<Result<Reading, StoreFailure>> {
    return this.reachable ? ok(this.#store.now) : err({ kind: "unreachable", detail: "cut" });
  }

  async swap(swap: Swap): Promise<Result<Swapped, StoreFailure>> {
    if (!this.reachable) return err({ kind: "unreachable", detail: "cut" });
    if (!this.writable) return err({ kind: "unable", detail: "ENOSPC" });
    const swapped = this.#store.swap(swap);
    await this.late;
    return ok(swapped);
  }

  close(): void {
    this.reachable = false;
  }
}
