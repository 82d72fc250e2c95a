/**
 * Routes and routing rules as the configuration gives them, every name resolved but those of interfaces: an interface may come
 * later, or come back with another index. Values are the kernel's (rtnetlink(7), linux/fib_rules.h); they travel as JSON.
 * Says nothing of when an object is there: that is core/vrrp's and the engine's business.
 */
import type { Family, IpAddress } from "../lib/ip.ts";

/** RTPROT_KEEPALIVED: marks what is ours, so that a start finds what an earlier life left behind. */
export const PROTOCOL_KEEPALIVED = 18;

export const TABLE_MAIN = 254;

/** RTN_UNICAST: the ordinary kind of route, with a gateway or an interface. */
export const ROUTE_UNICAST = 1;

/** Length 0 is `default`. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** Headers put around a packet (linux/lwtunnel.h, linux/ila.h, linux/mpls_iptunnel.h). */
export type Encapsulation =
  | {
      readonly kind: "ip" | "ip6";
      /** Tunnel key, an unsigned 64-bit number in decimal. */
      readonly id: string | null;
      readonly destination: IpAddress | null;
      readonly source: IpAddress | null;
      /** tos or traffic class. */
      readonly tos: number | null;
      /** ttl or hop limit. */
      readonly ttl: number | null;
      readonly flags: number | null;
    }
  /** Labels of 20 bits, outermost first. */
  | { readonly kind: "mpls"; readonly labels: readonly number[] }
  /** Locator, 64 bits as 16 hexadecimal digits. */
  | { readonly kind: "ila"; readonly locator: string };

export interface NextHop {
  readonly gateway: IpAddress | null;
  readonly device: string | null;
  /** 1 to 256. */
  readonly weight: number;
  readonly onlink: boolean;
  /** Source realm in the upper, destination realm in the lower 16 bits. */
  readonly realms: number | null;
  readonly encapsulation: Encapsulation | null;
}

/** One RTAX_* number; congestion control is text and stands apart. */
export interface Metric {
  readonly attribute: number;
  readonly value: number;
}

export interface Route {
  readonly family: Family;
  /** RTN_*. */
  readonly type: number;
  readonly destination: Prefix;
  /** `from`: IPv6 only. */
  readonly source: Prefix | null;
  readonly table: number;
  /** RTPROT_*. */
  readonly protocol: number;
  /** Null means that the kernel's default 0 is sent, as keepalived does. */
  readonly scope: number | null;
  readonly tos: number | null;
  readonly priority: number | null;
  readonly preferredSource: IpAddress | null;
  readonly gateway: IpAddress | null;
  readonly device: string | null;
  readonly onlink: boolean;
  readonly realms: number | null;
  readonly metrics: readonly Metric[];
  readonly congestionControl: string | null;
  /** Bit n set: metric RTAX_n is locked. */
  readonly locked: number;
  /** Seconds; IPv6 only. */
  readonly expires: number | null;
  /** ICMPv6 router preference: 1 high, 0 medium, 3 low. */
  readonly preference: number | null;
  readonly ttlPropagate: boolean | null;
  readonly encapsulation: Encapsulation | null;
  readonly nextHops: readonly NextHop[];
  /** Where it goes among routes of the same key: in front, behind, or only if there is none. */
  readonly placement: "prepend" | "append" | "add";
  /** False: that somebody deletes it changes nothing (`no_track`, or no interface to watch). */
  readonly tracked: boolean;
  readonly trackGroup: string | null;
  /** The line, for messages. */
  readonly text: string;
}

export interface Range {
  readonly first: number;
  readonly last: number;
}

export interface Rule {
  readonly family: Family;
  readonly invert: boolean;
  readonly from: Prefix | null;
  readonly to: Prefix | null;
  readonly priority: number;
  /** FR_ACT_*. */
  readonly action: number;
  /** Null without `table`. */
  readonly table: number | null;
  readonly gotoTarget: number | null;
  readonly tos: number | null;
  readonly fwmark: number | null;
  readonly fwmask: number | null;
  readonly inputDevice: string | null;
  readonly outputDevice: string | null;
  readonly realms: number | null;
  /** An unsigned 64-bit number in decimal. */
  readonly tunnelId: string | null;
  readonly userIds: Range | null;
  readonly l3mdev: boolean;
  readonly suppressPrefixLength: number | null;
  readonly suppressGroup: number | null;
  readonly ipProtocol: number | null;
  readonly sourcePorts: Range | null;
  readonly destinationPorts: Range | null;
  readonly protocol: number;
  readonly tracked: boolean;
  readonly trackGroup: string | null;
  readonly text: string;
}
