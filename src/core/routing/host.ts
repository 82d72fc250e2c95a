/**
 * What the configuration asks of the host beside its virtual routers: objects that stay while the daemon runs (static_ipaddress,
 * static_routes, static_rules), how long a link must keep a new state, and the netlink buffers. The keeper carries it out.
 */
import type { Micros } from "../lib/units.ts";
import type { VirtualAddress } from "../vrrp/config.ts";
import type { Route, Rule } from "./model.ts";

/** An address that does not move; its device is always named. */
export interface StaticAddress {
  readonly address: VirtualAddress & { readonly device: string };
  /** False: that somebody deletes it changes nothing (`no_track`). */
  readonly tracked: boolean;
  readonly trackGroup: string | null;
}

export interface TrackGroup {
  readonly name: string;
  /** Instances that go to FAULT when a static object of the group cannot be restored. */
  readonly instances: readonly string[];
}

export interface StaticObjects {
  readonly addresses: readonly StaticAddress[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly groups: readonly TrackGroup[];
}

/** interface_up_down_delays: how long an interface must keep a state before it counts. */
export interface LinkDelay {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}

/** Bytes of a netlink receive buffer; null means our default. `force` goes beyond net.core.rmem_max. */
export interface ReceiveBuffer {
  readonly bytes: number | null;
  readonly force: boolean;
}

/** Pauses between two frames that announce addresses, gratuitous ARP and neighbour advertisements; 0 means none. */
export interface Spacing {
  readonly arp: Micros;
  readonly na: Micros;
}

/** The pauses on each interface by itself, and those that several interfaces share (garp_group). */
export interface AnnouncementSpacing extends Spacing {
  readonly groups: readonly (Spacing & { readonly interfaces: readonly string[] })[];
}

export const NO_SPACING: AnnouncementSpacing = { arp: 0 as Micros, na: 0 as Micros, groups: [] };

export interface HostConfig {
  readonly spacing: AnnouncementSpacing;
  readonly statics: StaticObjects;
  readonly linkDelays: readonly LinkDelay[];
  readonly commandBuffer: ReceiveBuffer;
  readonly monitorBuffer: ReceiveBuffer;
}

const DEFAULT_BUFFER: ReceiveBuffer = { bytes: null, force: false };

/** A host of which nothing is asked. */
export const PLAIN_HOST: HostConfig = {
  spacing: NO_SPACING,
  statics: { addresses: [], routes: [], rules: [], groups: [] },
  linkDelays: [],
  commandBuffer: DEFAULT_BUFFER,
  monitorBuffer: DEFAULT_BUFFER,
};
