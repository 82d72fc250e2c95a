/**
 * An interface that an instance brings along, on top of another: use_vmac, use_ipvlan, use_vmac_addr. Its form as configured; making
 * and removing it is the keeper's, telling ours from others' is core/netlink/owner-tag.ts.
 */

export interface VirtualInterface {
  /** macvlan in private mode for a virtual MAC; ipvlan in mode l2 for addresses with the base's MAC. */
  readonly kind: "macvlan" | "ipvlan";
  /** At most 15 characters: "vrrp.51". */
  readonly name: string;
  /** The interface underneath. */
  readonly base: string;
  /** Six bytes; null for an ipvlan, which has its base's. */
  readonly mac: readonly number[] | null;
  readonly ipvlanMode: "bridge" | "private" | "vepa";
  /** Interface group (ip-link(8)); null leaves the kernel's 0. */
  readonly group: number | null;
  /** Whether it carries or advertises IPv6; without, IPv6 is switched off on it. */
  readonly ipv6: boolean;
}

/** RFC 9568 section 7.3: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6. */
export function virtualMac(family: 4 | 6, virtualRouterId: number): readonly number[] {
  return [0x00, 0x00, 0x5e, 0x00, family === 6 ? 0x02 : 0x01, virtualRouterId];
}

/** The kernel's limit on the name of an interface (IFNAMSIZ - 1). */
export const INTERFACE_NAME_MAX = 15;
