/** A store of small records outside the pair, whose writes all hosts see in one order: etcd, or a witness of our own. */

import type { Result } from "../core/lib/result.ts";
import type { QuorumConfig } from "../core/quorum/config.ts";
import type { StoreFailure } from "../core/quorum/failure.ts";
import type { Reading } from "../core/quorum/ownership.ts";

export interface Swap {
  readonly key: string;
  /** What must stand there; revision "0": the key must be absent. */
  readonly expected: Reading;
  readonly value: string;
}

/** `done`: the key has the value, in that revision. Otherwise somebody else was first: what stands there now. */
export type Swapped =
  | { readonly done: true; readonly revision: string }
  | { readonly done: false; readonly now: Reading };

export interface QuorumStore {
  /** Never throws; an answer after the configured time is a failure. */
  read(key: string): Promise<Result<Reading, StoreFailure>>;
  /**
   * Compare and swap; never repeated by itself. After a failure of kind `unreachable` or `timeout` it may have been carried out all the same.
   */
  swap(swap: Swap): Promise<Result<Swapped, StoreFailure>>;
  /** The endpoint that answered last; null: none yet. */
  readonly endpoint: string | null;
  close(): void;
}

export interface QuorumPort {
  open(config: QuorumConfig): QuorumStore;
}
