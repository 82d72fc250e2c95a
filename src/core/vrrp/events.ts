/** Everything that can happen to one virtual router. */
import type { IpAddress } from "../lib/ip.ts";
import type { Instant, Micros } from "../lib/units.ts";
import type { Cause, Fault } from "./causes.ts";

/** An advert that passed receive validation (validate.ts). */
export interface Advert {
  readonly source: IpAddress;
  /** 0 means that the master resigns. */
  readonly priority: number;
  readonly advertInterval: Micros;
}

export type SiblingFault = Extract<Fault, { readonly kind: "sibling" }>;

export type VrrpEvent =
  | { readonly kind: "start" }
  /** The state's earliest deadline has passed. */
  | { readonly kind: "deadline" }
  | { readonly kind: "advert"; readonly advert: Advert }
  /** Trackers were evaluated. waiting: one that can veto has not reported yet. */
  | {
      readonly kind: "fitness";
      readonly faults: readonly Fault[];
      readonly waiting: boolean;
      readonly priority: number;
      readonly source: IpAddress | null;
    }
  /** A check succeeded (also one that already did): a refused claim may be tried again. */
  | { readonly kind: "check-succeeded" }
  /** The sync group: what keeps other members from serving, and whether one of them still waits for a tracker. */
  | { readonly kind: "siblings"; readonly fault: SiblingFault | null; readonly waiting: boolean }
  /** Every member of the sync group wants MASTER: claim. */
  | { readonly kind: "group-claim" }
  /** Every claim gate of the sync group is open: take the addresses. */
  | { readonly kind: "group-take" }
  /** Every release gate of the sync group is done. */
  | { readonly kind: "group-release" }
  /** Another member has fallen back: give up as well; `wait` is how long until we may want MASTER again. */
  | { readonly kind: "group-back"; readonly cause: Cause; readonly wait: "master-down" | "skew" }
  | { readonly kind: "gate-opened"; readonly gate: number }
  | { readonly kind: "gate-refused"; readonly gate: number; readonly reason: string }
  /** The kernel lifetime of our addresses ran out before it could be renewed. */
  | { readonly kind: "lease-lost" }
  /** The fence of our addresses closed before it was renewed. */
  | { readonly kind: "fence-closed" }
  /** Until when we may hold the addresses; null: nothing outside limits it. */
  | { readonly kind: "permit"; readonly until: Instant | null }
  /** An address of ours has vanished from the kernel and we did not remove it. */
  | { readonly kind: "address-removed"; readonly address: IpAddress }
  /** A tracked route or rule of ours was deleted by somebody else. */
  | { readonly kind: "object-removed"; readonly what: "route" | "rule"; readonly text: string }
  /** The kernel refused an address; detail names the error. */
  | { readonly kind: "address-refused"; readonly address: IpAddress; readonly reason: string }
  /** A MASTER that serves is to let go and be BACKUP, so that another takes over. */
  | { readonly kind: "hand-over" }
  /** skipGates: the gates cannot run because control is gone. */
  | { readonly kind: "stop"; readonly skipGates: boolean };
