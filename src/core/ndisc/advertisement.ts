/**
 * Unsolicited neighbour advertisements (RFC 4861 sections 4.4 and 7.2.6), what gratuitous ARP is to IPv4. As keepalived sends them:
 * to all nodes of the link, from the virtual address itself, with the override flag and our hardware address.
 *
 *    0        6        12    14                   54       58       62       78       86
 *    +--------+--------+-----+--------------------+--------+--------+--------+--------+
 *    | to     | from   | 86dd| IPv6, hop limit 255| 136 0 c| flags  | target | 2 1 MAC|
 *    +--------+--------+-----+--------------------+--------+--------+--------+--------+
 */
import { addWords, finish } from "../bytes/checksum.ts";
import { type IpAddress, ipBytes, ipv6FromBytes } from "../lib/ip.ts";

export const NEIGHBOUR_FRAME_BYTES = 86;
export const ETHERTYPE_IPV6 = 0x86dd;
/** ff02::1 on Ethernet (RFC 2464 section 7). */
export const ALL_NODES_MAC: readonly number[] = [0x33, 0x33, 0, 0, 0, 1];
export const NEIGHBOUR_ADVERTISEMENT = 136;

const ALL_NODES = "ff02::1" as IpAddress;
const ICMPV6 = 58;
const IP = 14;
const ICMP = 54;
const TARGET = 62;
const OPTION = 78;
const ROUTER_FLAG = 0x80;
const OVERRIDE_FLAG = 0x20;
const TARGET_LINK_LAYER_ADDRESS = 2;

/** The announcement of an address as an Ethernet frame; the MAC has six bytes. `router`: this host forwards IPv6. */
export function neighbourAdvertisement(mac: Uint8Array, address: IpAddress, router: boolean): Uint8Array {
  const frame = new Uint8Array(NEIGHBOUR_FRAME_BYTES);
  const view = new DataView(frame.buffer);
  const own = ipBytes(address);
  frame.set(ALL_NODES_MAC, 0);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_IPV6);
  frame[IP] = 0x60;
  view.setUint16(IP + 4, NEIGHBOUR_FRAME_BYTES - ICMP);
  frame[IP + 6] = ICMPV6;
  frame[IP + 7] = 255;
  frame.set(own, IP + 8);
  frame.set(ipBytes(ALL_NODES), IP + 24);
  frame[ICMP] = NEIGHBOUR_ADVERTISEMENT;
  frame[ICMP + 4] = router ? ROUTER_FLAG | OVERRIDE_FLAG : OVERRIDE_FLAG;
  frame.set(own, TARGET);
  frame[OPTION] = TARGET_LINK_LAYER_ADDRESS;
  frame[OPTION + 1] = 1;
  frame.set(mac, OPTION + 2);
  // RFC 8200 section 8.1: over both addresses, the length and the protocol as well.
  const pseudo = addWords(NEIGHBOUR_FRAME_BYTES - ICMP + ICMPV6, frame, IP + 8, ICMP);
  view.setUint16(ICMP + 2, finish(addWords(pseudo, frame, ICMP, frame.length)));
  return frame;
}

export interface NeighbourAdvertisement {
  readonly target: IpAddress;
  /** The target link-layer address option; null without one. */
  readonly mac: Uint8Array | null;
}

/** Reads an ICMPv6 message without its IPv6 header; null when it is no neighbour advertisement. */
export function readNeighbourAdvertisement(message: Uint8Array): NeighbourAdvertisement | null {
  if (message.length < OPTION - ICMP || message[0] !== NEIGHBOUR_ADVERTISEMENT || message[1] !== 0) return null;
  let mac: Uint8Array | null = null;
  let at = OPTION - ICMP;
  while (at + 8 <= message.length) {
    const length = (message[at + 1] as number) * 8;
    // RFC 4861 section 4.6: an option without a length spoils the message.
    if (length === 0) return null;
    if (message[at] === TARGET_LINK_LAYER_ADDRESS && length === 8) mac = message.slice(at + 2, at + 8);
    at += length;
  }
  return { target: ipv6FromBytes(message, TARGET - ICMP), mac };
}
