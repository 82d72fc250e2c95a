/**
 * The one event vocabulary. Log lines, history, explain, metrics and the simulator's trace are all made from these
 * values, and describe.ts alone puts them into words.
 */

import type { StandingName } from "../database/standing.ts";
import type { Trouble } from "../database/trouble.ts";
import type { IpAddress } from "../lib/ip.ts";
import type { Cause } from "../vrrp/causes.ts";
import type { VrrpReport } from "../vrrp/reports.ts";
import type { VrrpStateName } from "../vrrp/state.ts";
import type { DropReason } from "../vrrp/status.ts";
import type { HostEventBody } from "./host-events.ts";
import type { IpvsEventBody } from "./ipvs-events.ts";
import type { LvsEventBody } from "./lvs-events.ts";
import type { CheckOutcome } from "./outcome.ts";
import type { PacketEventBody } from "./packet-events.ts";
import type { PeerEventBody } from "./peer-events.ts";
import type { QuorumEventBody } from "./quorum-events.ts";
import type { SplitBrainEventBody } from "./split-brain-events.ts";

/** The process a log line belongs to; keepalived's idents are made from it. */
export type Origin = "parent" | "vrrp" | "checks";

export type { CheckOutcome } from "./outcome.ts";

export type HookKind =
  | "notify"
  | "notify_master"
  | "notify_backup"
  | "notify_fault"
  | "notify_stop"
  | "notify_claim"
  | "notify_release"
  | "notify_deleted"
  | "notify_master_rx_lower_pri";

/** A static or virtual object in words of its line. */
export interface RoutingText {
  readonly kind: "address" | "route" | "rule";
  readonly text: string;
}

interface DatabaseBody<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
  readonly server: string;
  readonly standing: StandingName;
  readonly trouble: Trouble | null;
}

interface DatabaseStepBody<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
  readonly instance: string;
  readonly what: "takeover" | "release" | "guard" | "tending" | "switchover" | "rejoin" | "skip" | "fence";
  readonly step: string;
  /** `ready` and `refused` end a takeover; `trouble` stays until somebody acts. */
  readonly outcome: "begun" | "done" | "failed" | "ready" | "refused" | "trouble";
  readonly detail: string;
}

export type HoldfastEventBody =
  | HostEventBody
  | IpvsEventBody
  | LvsEventBody
  | PacketEventBody
  | PeerEventBody
  | QuorumEventBody
  | SplitBrainEventBody
  | { readonly kind: "vrrp"; readonly instance: string; readonly report: VrrpReport }
  /** All members of a sync group have come to another state; `instance` is the member that brought it about. */
  | {
      readonly kind: "sync-group";
      readonly group: string;
      readonly from: VrrpStateName;
      readonly to: VrrpStateName;
      readonly cause: Cause;
      readonly instance: string;
    }
  /** First packet of a kind since the last state change; the counter counts them all. */
  | {
      readonly kind: "drop";
      readonly instance: string | null;
      readonly reason: DropReason;
      readonly source: IpAddress;
      readonly detail: string;
      /** As in Drop: the two numbers that differ. */
      readonly numbers?: { readonly theirs: number; readonly ours: number };
    }
  | {
      readonly kind: "addresses";
      readonly instance: string;
      readonly action: "added" | "removed";
      readonly addresses: readonly IpAddress[];
      /** Those of them that adverts do not name (virtual_ipaddress_excluded); absent when there are none. */
      readonly excluded?: readonly IpAddress[];
    }
  | {
      readonly kind: "leftover-removed";
      readonly instance: string;
      readonly address: IpAddress;
      readonly interface: string;
      /** It was removed before and came back: something on this host sets it. */
      readonly again: boolean;
    }
  /** Routes and rules of an instance, or static objects (instance null). swept: an earlier life had left them behind. */
  | {
      readonly kind: "routing";
      readonly instance: string | null;
      readonly action: "added" | "removed" | "restored" | "swept";
      readonly objects: readonly RoutingText[];
    }
  /** The kernel refused one; the detail names object and error. */
  | { readonly kind: "routing-failed"; readonly instance: string | null; readonly detail: string }
  | {
      readonly kind: "announcement";
      readonly instance: string;
      readonly interface: string;
      readonly addresses: readonly IpAddress[];
      readonly frames: number;
    }
  /** Another host uses an address that is held here; once per address and MAC in 10 s, the counter counts them all. */
  | {
      readonly kind: "address-conflict";
      readonly instance: string;
      readonly interface: string;
      readonly address: IpAddress;
      /** The other host's hardware address. */
      readonly mac: string;
    }
  | { readonly kind: "link"; readonly interface: string; readonly state: "up" | "down" | "gone" | "new" }
  | {
      readonly kind: "socket";
      readonly interface: string;
      readonly action: "opened" | "closed" | "failed";
      readonly detail: string;
    }
  | {
      readonly kind: "virtual-interface";
      readonly instance: string;
      readonly interface: string;
      readonly action: "made" | "removed" | "failed";
      /** Why it failed. */
      readonly detail: string;
    }
  /** Rules of no_accept and virtual MAC, and those of `fence strict`: set again after somebody removed them, refused, or left by a dead daemon. */
  | {
      readonly kind: "firewall";
      readonly action: "restored" | "failed" | "swept" | "fence-restored" | "fence-failed";
      readonly detail: string;
    }
  /** A script's standing changed, or it failed in a new way. */
  | {
      readonly kind: "check";
      readonly script: string;
      readonly standing: "ok" | "failed" | "unusable";
      /** True when the standing is not what it was. */
      readonly changed: boolean;
      readonly outcome: CheckOutcome | null;
      readonly lastError: string | null;
      readonly durationMillis: number;
    }
  /** The number in a tracked file is another one; detail says why nothing can be read. */
  | {
      readonly kind: "tracked-file";
      readonly file: string;
      readonly path: string;
      readonly value: number;
      readonly detail: string;
    }
  /** A tracked process has gained or lost its quorum. */
  | { readonly kind: "tracked-process"; readonly process: string; readonly count: number; readonly fulfilled: boolean }
  /** The kernel does not tell of processes here, so they are looked for; detail says why. */
  | { readonly kind: "process-watch"; readonly everyMillis: number; readonly detail: string }
  /** A tracked database server's standing changed, or the cause of it. */
  | DatabaseBody<"mysql">
  | DatabaseBody<"redis">
  /** A step of preparing, closing or looking after a managed database server; the journal has it before it takes effect. */
  | DatabaseStepBody<"mysql-step">
  | DatabaseStepBody<"redis-step">
  | { readonly kind: "hook-started"; readonly instance: string; readonly hook: HookKind; readonly command: string }
  | {
      readonly kind: "hook-ended";
      readonly instance: string;
      readonly hook: HookKind;
      readonly command: string;
      readonly outcome: CheckOutcome;
      readonly lastError: string | null;
      readonly durationMillis: number;
    }
  | {
      readonly kind: "daemon-started";
      readonly version: string;
      readonly file: string;
      readonly pid: number;
      readonly instances: readonly string[];
    }
  /** vrrp_startup_delay or vrrp_delay_after_boot holds VRRP back, or does so no more. */
  | { readonly kind: "startup-delay"; readonly delayMillis: number; readonly over: boolean }
  | { readonly kind: "keeper-started"; readonly pid: number; readonly restart: number }
  /** Control has begun anew and taken over the keeper that went on serving. */
  | { readonly kind: "keeper-adopted"; readonly pid: number }
  | { readonly kind: "keeper-lost"; readonly pid: number; readonly how: string }
  | { readonly kind: "keeper-frozen"; readonly pid: number; readonly silentMillis: number }
  /** Control spoke for a dead keeper: addresses removed, priority 0 sent. */
  | { readonly kind: "guard-released"; readonly instances: readonly string[]; readonly addresses: readonly IpAddress[] }
  | { readonly kind: "control-silent"; readonly silentMillis: number }
  | { readonly kind: "control-back" }
  /** The file is read from here on; `reload` says what has come of it. */
  | { readonly kind: "reload-begun" }
  | { readonly kind: "reload"; readonly outcome: "applied" | "unchanged" | "refused"; readonly detail: string }
  | { readonly kind: "journal-unwritable"; readonly detail: string }
  /** Control begins anew as that version, and the keeper goes on meanwhile. */
  | { readonly kind: "restarting"; readonly version: string }
  | { readonly kind: "stopping"; readonly signal: string }
  | { readonly kind: "stopped" };

export interface HoldfastEvent {
  /** CLOCK_MONOTONIC of the host, microseconds: orders events of both processes. */
  readonly at: number;
  /** Wall clock, milliseconds since the epoch: for people. */
  readonly time: number;
  readonly origin: Origin;
  readonly body: HoldfastEventBody;
}
