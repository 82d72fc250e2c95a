/** Why an instance may not serve, and why it changed its state. Codes are stable: logs, metrics and tests name them. */

import type { Trouble } from "../database/trouble.ts";
import type { IpAddress } from "../lib/ip.ts";

/** One reason for FAULT. An instance is fit when it has none. */
export type Fault =
  | { readonly kind: "script"; readonly key: string }
  /** The script cannot be run at all (missing, not executable, insecure); the reason is for the operator. */
  | { readonly kind: "script-unusable"; readonly key: string; readonly reason: string }
  /** The number in a tracked file forbids it. */
  | { readonly kind: "file"; readonly key: string; readonly value: number }
  /** Too few or too many of a tracked process run. */
  | { readonly kind: "process"; readonly key: string; readonly count: number }
  /** A tracked database server; the trouble is as it was when it began. Null: it is fine, and tracked in reverse. */
  | { readonly kind: "mysql"; readonly key: string; readonly trouble: Trouble | null }
  | { readonly kind: "redis"; readonly key: string; readonly trouble: Trouble | null }
  /** "up" is a problem for `weight 0 reverse` only. */
  | { readonly kind: "interface"; readonly interface: string; readonly problem: "missing" | "down" | "up" }
  /** Unicast without a peer (unicast_fault_no_peer). */
  | { readonly kind: "no-peer" }
  /** `wanted` is the address of mcast_src_ip or unicast_src_ip; null: any of that family. */
  | {
      readonly kind: "no-source-address";
      readonly interface: string;
      readonly family?: 4 | 6;
      readonly wanted?: string | null;
    }
  | { readonly kind: "socket"; readonly interface: string; readonly reason: string }
  /** A virtual MAC or ipvlan interface could not be made. */
  | { readonly kind: "virtual-interface"; readonly interface: string; readonly reason: string }
  | { readonly kind: "address-refused"; readonly address: IpAddress; readonly reason: string }
  /** A static object of a track group of this instance cannot be put back; the reason is a symbolic errno. */
  | { readonly kind: "static-object"; readonly object: string; readonly reason: string }
  | { readonly kind: "control-silent" }
  | { readonly kind: "claim-refused"; readonly reason: string }
  /**
   * Other members of the sync group may not serve, so this one does not either: the one that failed first, what is wrong with it,
   * and how many more there are. Not all of them by name: each of n members would carry n - 1.
   */
  | {
      readonly kind: "sibling";
      readonly group: string;
      readonly instance: string;
      readonly faults: readonly Fault[];
      readonly more: number;
    };

export type Cause =
  /** The election begins; there was no check to wait for. */
  | { readonly code: "start" }
  /** Trackers have reported; the election begins. */
  | { readonly code: "ready" }
  | { readonly code: "owner-start" }
  /** Master_Down_Timer ran out (RFC 9568 section 6.4.2). */
  | { readonly code: "master-down"; readonly lastMaster: IpAddress | null }
  /** The master resigned with priority 0 and Skew_Time passed. */
  | { readonly code: "master-resigned"; readonly lastMaster: IpAddress | null }
  /** A live master of lower priority was outlasted. */
  | { readonly code: "preempting"; readonly master: IpAddress; readonly masterPriority: number }
  | { readonly code: "higher-priority-advert"; readonly from: IpAddress; readonly priority: number }
  | { readonly code: "equal-priority-higher-address"; readonly from: IpAddress; readonly priority: number }
  | { readonly code: "fault"; readonly faults: readonly Fault[] }
  | { readonly code: "recovered" }
  | { readonly code: "lease-lost" }
  /** `fence strict`: nftables had closed the addresses before an advert could move the deadline on. */
  | { readonly code: "fence-closed" }
  /** The quorum store has not confirmed in time that we may hold the addresses. */
  | { readonly code: "permit-over" }
  /** The loop itself was stopped for longer than the peers wait. */
  | { readonly code: "stalled"; readonly missedMicros: number }
  | { readonly code: "address-removed"; readonly address: IpAddress }
  | { readonly code: "object-removed"; readonly what: "route" | "rule"; readonly text: string }
  | { readonly code: "claim-refused"; readonly reason: string }
  | { readonly code: "claim-timeout" }
  /** Another member of the sync group is no longer MASTER, or no longer claims. */
  | { readonly code: "sibling-left"; readonly group: string; readonly instance: string }
  /** A planned move: another host is to take over, and nothing is wrong here. */
  | { readonly code: "handed-over" }
  | { readonly code: "reconfigured" }
  | { readonly code: "stop" };

export type CauseCode = Cause["code"];
