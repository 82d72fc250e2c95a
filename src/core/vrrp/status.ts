/** A printable picture of one instance: what the keeper tells control, what `status --json` shows. */
import type { IpAddress } from "../lib/ip.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpPhaseName, VrrpStateName } from "./state.ts";

/** Why a packet was not accepted: one counter each (RFC 9568 section 7.1, keepalived's statistics). */
export const DROP_REASONS = [
  "truncated",
  "unknown-vrid",
  "not-running",
  "ip-header",
  "ttl",
  "version",
  "type",
  "length",
  "checksum",
  "auth-type",
  "auth-fail",
  "interval",
  "address-list",
  "own-packet",
  "not-a-peer",
  "wrong-destination",
  "owner-ignores",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface VrrpCounters {
  advertsSent: number;
  advertsReceived: number;
  becameMaster: number;
  releasedMaster: number;
  priorityZeroSent: number;
  priorityZeroReceived: number;
  garpSent: number;
  sendErrors: number;
  /** ARP frames of other hosts that used an address while it was held here. */
  addressConflicts: number;
  /** Only reasons that occurred. */
  drops: Partial<Record<DropReason, number>>;
}

export function emptyCounters(): VrrpCounters {
  return {
    advertsSent: 0,
    advertsReceived: 0,
    becameMaster: 0,
    releasedMaster: 0,
    priorityZeroSent: 0,
    priorityZeroReceived: 0,
    garpSent: 0,
    sendErrors: 0,
    addressConflicts: 0,
    drops: {},
  };
}

/** Microseconds, as the dumps show them. */
export interface VrrpTimers {
  /** CLOCK_MONOTONIC: when something happens by itself, the next advert or the end of Master_Down; null when nothing will. */
  readonly deadline: number | null;
  /** Master_Down_Interval. */
  readonly masterDown: number;
  /** Master_Adver_Interval: the master's in BACKUP, else our own. */
  readonly masterAdvertInterval: number;
}

export interface VrrpInstanceStatus {
  readonly name: string;
  readonly interface: string;
  readonly virtualRouterId: number;
  readonly version: 2 | 3;
  readonly state: VrrpStateName;
  readonly phase: VrrpPhaseName;
  readonly cause: Cause;
  /** CLOCK_MONOTONIC, microseconds. */
  readonly since: number;
  readonly basePriority: number;
  readonly priority: number;
  readonly faults: readonly Fault[];
  readonly addresses: readonly IpAddress[];
  /** The addresses are on the interface and announced. */
  readonly holding: boolean;
  /** CLOCK_MONOTONIC, microseconds; null when no lease runs. */
  readonly leaseUntil: number | null;
  readonly master: { readonly source: IpAddress; readonly priority: number; readonly heardAt: number } | null;
  readonly source: IpAddress | null;
  readonly timers: VrrpTimers;
  readonly counters: VrrpCounters;
}
