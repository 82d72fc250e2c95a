/** A printable picture of one instance: what the keeper tells control, what `status --json` shows. */
import type { IpAddress } from "../lib/ip.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpPhaseName, VrrpStateName } from "./state.ts";

/**
 * Why a packet was not accepted: one counter each (RFC 9568 section 7.1). keepalived's statistics are sums of them:
 * packet_len_err = truncated + length, ip_ttl_err = ttl, invalid_type_rcvd = type, addr_list_err = address-list + wrong-destination,
 * advert_interval_err = interval, invalid_authtype = auth-type-unknown, authtype_mismatch = auth-type,
 * auth_failure = auth-fail + ah-digest + ah-replay + everything that begins with hmac- and is no notice, vers_err = version,
 * chk_err = checksum. Notices (below) are counted although the advert is obeyed.
 */
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
  "auth-type-unknown",
  "auth-fail",
  "ah-digest",
  "ah-replay",
  "hmac-missing",
  "hmac-malformed",
  "hmac-unknown-key",
  "hmac-digest",
  "hmac-stale",
  "hmac-replay",
  "interval",
  "address-list",
  "own-packet",
  "not-a-peer",
  "wrong-destination",
  "owner-ignores",
  "hmac-unsigned",
  "hmac-skew",
  "interval-differs",
  "old-checksum",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Counted and told, but the advert is obeyed. */
export const NOTICE_REASONS: ReadonlySet<DropReason> = new Set<DropReason>([
  "address-list",
  "hmac-unsigned",
  "hmac-skew",
  "interval-differs",
  "old-checksum",
]);

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
  /** Name of its vrrp_sync_group; null without one. */
  readonly syncGroup: string | null;
  /** BACKUP whose own timer has run out, and which waits for the other members of its sync group. */
  readonly wantsMaster: boolean;
  readonly addresses: readonly IpAddress[];
  /** The addresses are on the interface and announced. */
  readonly holding: boolean;
  /** CLOCK_MONOTONIC, microseconds; null when no lease runs. */
  readonly leaseUntil: number | null;
  /** When nftables closes the addresses unless an advert moves it on; null without `fence strict`, and from a keeper that does not know it. */
  readonly fenceUntil?: number | null;
  readonly master: { readonly source: IpAddress; readonly priority: number; readonly heardAt: number } | null;
  readonly source: IpAddress | null;
  readonly timers: VrrpTimers;
  /** Last sequence number of the authentication header, sent or heard; null without auth_type AH. */
  readonly ahSequence: number | null;
  readonly counters: VrrpCounters;
}
