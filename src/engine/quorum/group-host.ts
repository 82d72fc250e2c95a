/** What the record of a group is about, and what it asks of its surroundings. */
import type { Policy } from "../../core/database/config.ts";
import type { QuorumEventBody } from "../../core/events/quorum-events.ts";
import type { Instant, Micros } from "../../core/lib/units.ts";
import type { QuorumConfig } from "../../core/quorum/config.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { QuorumStore } from "../../ports/quorum-store.ts";
import type { Timers } from "../../ports/timers.ts";

export interface GroupSettings {
  readonly instance: string;
  /** "mysql/orders" */
  readonly group: string;
  readonly key: string;
  readonly policy: Policy;
  readonly addresses: readonly string[];
  /** The shortest lifetime with which the addresses live from one advert to the next. */
  readonly shortestLease: Micros;
}

export interface GroupHost {
  readonly timers: Timers;
  readonly store: QuorumStore;
  readonly config: QuorumConfig;
  readonly host: string;
  readonly life: string;
  readonly tell: (action: QuorumEventBody["action"], epoch: number | null, detail: string) => void;
  /** Until when the keeper may hold the addresses; null: nothing limits it. */
  readonly permit: (until: Instant | null) => void;
  /** Why the instance must not serve; null when that is over. */
  readonly forbid: (detail: string | null) => void;
  /** What was granted is gone before the instance was MASTER: its claim must not go on. */
  readonly lost: (why: string) => void;
  /** A claim that was refused would be granted now. */
  readonly retry: () => void;
  /** After every answer of the store, or its absence. */
  readonly asked: (failure: StoreFailure | null) => void;
}

export type ClaimResult = { readonly granted: true } | { readonly granted: false; readonly reason: string };
