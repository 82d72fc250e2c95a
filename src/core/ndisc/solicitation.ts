/**
 * Neighbour solicitations as duplicate address detection sends them (RFC 4862 section 5.4.2): from the unspecified address to the target's
 * solicited-node group, so that nobody learns anything from the question and whoever has the address answers to all nodes. What ARP probes are to IPv4.
 */
import { addWords, finish } from "../bytes/checksum.ts";
import { familyOf, type IpAddress, ipBytes, ipv6FromBytes } from "../lib/ip.ts";
import { ETHERTYPE_IPV6, NEIGHBOUR_ADVERTISEMENT, readNeighbourAdvertisement } from "./advertisement.ts";

const FRAME_BYTES = 78;
const NEIGHBOUR_SOLICITATION = 135;
const ICMPV6 = 58;
const IP = 14;
const ICMP = 54;
const TARGET = 62;

/** ff02::1:ffXX:XXXX with the last three bytes of the target (RFC 4291 section 2.7.1). */
export function solicitedNode(target: IpAddress): Uint8Array {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(ipBytes(target).subarray(13), 13);
  return group;
}

export function neighbourProbe(mac: Uint8Array, target: IpAddress): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  const group = solicitedNode(target);
  frame.set([0x33, 0x33], 0);
  frame.set(group.subarray(12), 2);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_IPV6);
  frame[IP] = 0x60;
  view.setUint16(IP + 4, FRAME_BYTES - ICMP);
  frame[IP + 6] = ICMPV6;
  frame[IP + 7] = 255;
  frame.set(group, IP + 24);
  frame[ICMP] = NEIGHBOUR_SOLICITATION;
  frame.set(ipBytes(target), TARGET);
  const pseudo = addWords(FRAME_BYTES - ICMP + ICMPV6, frame, IP + 8, ICMP);
  view.setUint16(ICMP + 2, finish(addWords(pseudo, frame, ICMP, frame.length)));
  return frame;
}

/** Whose address it is, if the Ethernet frame is an advertisement of it: the option's MAC, or else the sender's. */
export function readNeighbourAnswer(frame: Uint8Array, target: IpAddress): Uint8Array | null {
  if (familyOf(target) !== 6 || frame.length < TARGET + 16) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== ETHERTYPE_IPV6 || frame[IP + 6] !== ICMPV6) return null;
  // RFC 4861 section 7.1.2: from another link it would have lost some.
  if (frame[IP + 7] !== 255 || frame[ICMP] !== NEIGHBOUR_ADVERTISEMENT) return null;
  if (ipv6FromBytes(frame, TARGET) !== target) return null;
  return readNeighbourAdvertisement(frame.subarray(ICMP))?.mac ?? frame.slice(6, 12);
}
