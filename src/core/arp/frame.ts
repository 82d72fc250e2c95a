/**
 * Ethernet ARP frames (RFC 826). Gratuitous ones as keepalived sends them: a broadcast request in which sender and target protocol
 * address are both the virtual address and the target hardware address is the broadcast address.
 *
 *    0        6        12   14   16   18 19 20   22       28      32       38      42
 *    +--------+--------+----+----+----+--+--+----+--------+-------+--------+-------+
 *    | to     | from   |0806| 1  |0800| 6| 4| op | sender | spa   | target | tpa   |
 *    +--------+--------+----+----+----+--+--+----+--------+-------+--------+-------+
 */
import { type IpAddress, ipBytes, ipv4FromBytes } from "../lib/ip.ts";

export const ARP_FRAME_BYTES = 42;
export const ETHERTYPE_ARP = 0x0806;
export const MAC_BYTES = 6;

const ARP_REQUEST = 1;
const ETHERNET = 1;
const ETHERTYPE_IPV4 = 0x0800;

export interface ArpFrame {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly senderAddress: IpAddress;
  readonly targetMac: Uint8Array;
  readonly targetAddress: IpAddress;
}

/** The announcement of an address; the MAC has six bytes. */
export function gratuitousArp(mac: Uint8Array, address: IpAddress): Uint8Array {
  const frame = request(mac, address);
  frame.set(ipBytes(address), 28);
  frame.fill(0xff, 32, 38);
  return frame;
}

/** Asks who has an address without saying who asks (RFC 5227 section 2.1.1: sender 0.0.0.0), so that nobody learns anything from it. */
export const arpProbe = (mac: Uint8Array, address: IpAddress): Uint8Array => request(mac, address);

/** Broadcast, with the sender's address and the target's MAC left zero. */
function request(mac: Uint8Array, target: IpAddress): Uint8Array {
  const frame = new Uint8Array(ARP_FRAME_BYTES);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, ETHERNET);
  view.setUint16(16, ETHERTYPE_IPV4);
  frame[18] = MAC_BYTES;
  frame[19] = 4;
  view.setUint16(20, ARP_REQUEST);
  frame.set(mac, 22);
  frame.set(ipBytes(target), 38);
  return frame;
}

/** Reads an Ethernet frame with an IPv4 ARP message; null when it is anything else. Padding behind it is allowed. */
export function readArp(frame: Uint8Array): ArpFrame | null {
  if (frame.length < ARP_FRAME_BYTES) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== ETHERTYPE_ARP || view.getUint16(14) !== ETHERNET) return null;
  if (view.getUint16(16) !== ETHERTYPE_IPV4 || frame[18] !== MAC_BYTES || frame[19] !== 4) return null;
  return {
    operation: view.getUint16(20),
    senderMac: frame.slice(22, 28),
    senderAddress: ipv4FromBytes(frame, 28),
    targetMac: frame.slice(32, 38),
    targetAddress: ipv4FromBytes(frame, 38),
  };
}

/** "02:42:ac:11:00:02", as `ip link` and `ip neigh` show it. */
export function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
