/** ICMP echo (RFC 792, RFC 4443 section 4): the request, and the identifier and sequence of a reply. */
import { internetChecksum } from "../bytes/checksum.ts";
import type { Family } from "../lib/ip.ts";

export interface EchoReply {
  readonly identifier: number;
  readonly sequence: number;
}

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;
/** As ping(8) sends. */
const PAYLOAD_BYTES = 56;
const HEADER_BYTES = 8;

export function echoRequest(family: Family, { identifier, sequence }: EchoReply): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + PAYLOAD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = REQUEST[family];
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  for (let at = HEADER_BYTES; at < bytes.length; at++) bytes[at] = at;
  // Of ICMPv6 the kernel makes it, because it knows the addresses.
  if (family === 4) view.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/** Null when the packet is none. A raw IPv4 socket gives the IP header as well. */
export function echoReply(family: Family, packet: Uint8Array): EchoReply | null {
  const start = family === 4 ? ((packet[0] ?? 0) & 0x0f) * 4 : 0;
  if (packet.length < start + HEADER_BYTES || packet[start] !== REPLY[family]) return null;
  const view = new DataView(packet.buffer, packet.byteOffset + start, HEADER_BYTES);
  return { identifier: view.getUint16(4), sequence: view.getUint16(6) };
}
