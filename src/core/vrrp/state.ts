/**
 * The state of one virtual router. Deadlines are fields: there is nothing to cancel, nothing to leak, and the
 * simulator steps over them. Made only by machine.ts.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { Instant, Micros } from "../lib/units.ts";
import type { Cause, Fault } from "./causes.ts";

/** The master last heard, while we are BACKUP. */
export interface HeardMaster {
  readonly source: IpAddress;
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly at: Instant;
}

/** A claim gate that was asked. */
export interface ClaimGate {
  /** Number of the question; 0 when only others of the sync group are asked. */
  readonly gate: number;
  readonly deadline: Instant;
  /** It has answered yes, and the other members' gates are waited for. */
  readonly opened: boolean;
}

export interface ReleasingPhase {
  readonly kind: "releasing";
  readonly gate: number;
  readonly deadline: Instant;
  readonly next: Cause;
  /** Our gate is done, the other members' gates are waited for. */
  readonly done: boolean;
}

/** Place in the row of echoes (echoes.ts). */
export interface Echo {
  readonly since: Instant;
  readonly next: number;
}

export type VrrpRole =
  /** Waiting for the first result of trackers that can veto. */
  | { readonly kind: "init" }
  | {
      readonly kind: "backup";
      readonly masterDownAt: Instant;
      /** Master_Adver_Interval: learned from the master in version 3, our own in version 2. */
      readonly masterAdvertInterval: Micros;
      readonly master: HeardMaster | null;
      /** The master sent priority 0; masterDownAt is now Skew_Time away. */
      readonly resigned: boolean;
      /** While set, lower-priority adverts are obeyed (preempt_delay). */
      readonly preemptAt: Instant | null;
      /** The claim gate runs although a live master is heard: no adverts of our own. Null when it does not run. */
      readonly preparing: ClaimGate | null;
      /** Its timer has run out, but a member of a sync group claims only together with the others. */
      readonly wants: boolean;
    }
  | {
      readonly kind: "master";
      readonly phase: ({ readonly kind: "claiming" } & ClaimGate) | { readonly kind: "holding" } | ReleasingPhase;
      readonly advertiseAt: Instant;
      /** Second burst after becoming MASTER, or after a rival was heard. */
      readonly garpAt: Instant | null;
      /** Frames per address in that burst. */
      readonly garpRepeat: number;
      readonly garpRefreshAt: Instant | null;
      /** Announcements that follow a takeover of a virtual MAC; null when there are none to come. */
      readonly echo: Echo | null;
      readonly garpExtraAt: Instant | null;
      /** When the kernel drops our addresses unless renewed; null without lease or without addresses. */
      readonly leaseUntil: Instant | null;
      readonly renewedAt: Instant | null;
    }
  /** retryAt: when a refused claim may be tried again although no check reports. */
  | { readonly kind: "fault"; readonly retryAt: Instant | null }
  | { readonly kind: "stopped" };

export type BackupRole = Extract<VrrpRole, { readonly kind: "backup" }>;
export type MasterRole = Extract<VrrpRole, { readonly kind: "master" }>;

export interface VrrpState {
  readonly role: VrrpRole;
  readonly faults: readonly Fault[];
  /** A tracker that can veto has not reported yet. Keeps INIT and FAULT from ending; a running role is not stopped by it. */
  readonly waiting: boolean;
  /** The same of another member of the sync group. */
  readonly siblingsWaiting: boolean;
  /** Effective priority, 1 to 255. */
  readonly priority: number;
  /** Our own source address, null while the interface has none. */
  readonly source: IpAddress | null;
  /** Number of the gate asked last; answers to older ones are ignored. */
  readonly gateSerial: number;
  readonly cause: Cause;
  readonly since: Instant;
  /** Until when we may hold the addresses: what the quorum store has granted. Null: nothing outside limits it. */
  readonly permitUntil: Instant | null;
}

/** keepalived's names, as notify scripts, status and logs show them. */
export type VrrpStateName = "INIT" | "BACKUP" | "MASTER" | "FAULT" | "STOP";

/** What `status` shows: the states above and the two gates. */
export type VrrpPhaseName = VrrpStateName | "PREPARING" | "CLAIMING" | "RELEASING";
