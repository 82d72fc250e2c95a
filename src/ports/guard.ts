/**
 * What control does in the name of a keeper that is dead and reaped: take its addresses off and say that it resigns.
 * One synchronous call, because between the keeper's end and this nothing else matters.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { StaticObjects } from "../core/routing/host.ts";
import type { Route, Rule } from "../core/routing/model.ts";
import type { Transport, VirtualAddress } from "../core/vrrp/config.ts";
import type { KernelError } from "./network.ts";

/** One instance that was, or may have been, MASTER. */
export interface GuardOrder {
  readonly instance: string;
  readonly interface: string;
  /** Interface that adverts leave by: the same, or a virtual one. */
  readonly sendsVia: string;
  readonly addresses: readonly VirtualAddress[];
  /** Taken off before the addresses. */
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Null when the keeper never had a source address: then nothing was ever sent. */
  readonly resign: {
    readonly source: IpAddress;
    readonly transport: Transport;
    /** As in PreparedAdvert. */
    readonly hopLimit: number;
    /** Priority-0 adverts, one per destination: the whole IPv4 packet or the IPv6 payload of each. */
    readonly packets: readonly { readonly destination: IpAddress; readonly packet: Uint8Array }[];
    /** As in PreparedAdvert. */
    readonly seal: ((packets: readonly Uint8Array[]) => void) | null;
  } | null;
}

export interface GuardPort {
  /**
   * All routes, rules and addresses go first, those of `statics` behind the others, in one batch; then the priority-0 adverts. An address that is not there is no error. A
   * failure with one instance does not keep the others from being released.
   */
  release(
    orders: readonly GuardOrder[],
    statics: StaticObjects,
  ): {
    /** Addresses that really were on an interface. */
    readonly removed: readonly IpAddress[];
    readonly errors: readonly KernelError[];
  };
  /**
   * Virtual interfaces that dead keepers left. A release removes some, as many as a fraction of a second allows, and leaves the others to
   * the next keeper; this removes all, when none is to come.
   */
  tidy(): void;
}
