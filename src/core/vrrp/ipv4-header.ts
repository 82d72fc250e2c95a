/**
 * The IPv4 header of an advert (RFC 791), which we write and read ourselves (ip(7), IP_HDRINCL): it says where the message is and
 * between whom it travelled. What stands between the header and the message (an authentication header, protocol 51) has its place
 * here as well; the message itself is message.ts's.
 */
import type { IpAddress } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { AH_HEADER, AH_PROTOCOL, type AhFields, readAhHeader, writeAhHeader } from "./ah.ts";
import { type Drop, MESSAGE_HEADER, type MessagePlace, VRRP_PROTOCOL } from "./message.ts";
import type { DropReason } from "./status.ts";

export const IPV4_HEADER = 20;
const SOURCE = 12;
const DESTINATION = 16;
/** Internetwork control (RFC 791): keepalived's choice, and routers queue it first. */
const TOS = 0xc0;

export interface Ipv4HeaderFields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  /** The message is behind an authentication header. */
  readonly ah: boolean;
}

/** Writes the IPv4 header and, if there is one, the authentication header. The kernel fills in identification and header checksum. */
export function writeIpv4Header(packet: Uint8Array, { source, destination, ttl, ah }: Ipv4HeaderFields): void {
  packet[0] = 0x45;
  packet[1] = TOS;
  packet[2] = packet.length >> 8;
  packet[3] = packet.length & 0xff;
  packet[8] = ttl;
  packet[9] = ah ? AH_PROTOCOL : VRRP_PROTOCOL;
  writeAddress(packet, SOURCE, source);
  writeAddress(packet, DESTINATION, destination);
  if (ah) writeAhHeader(packet, IPV4_HEADER, VRRP_PROTOCOL);
}

function writeAddress(packet: Uint8Array, at: number, address: IpAddress): void {
  let offset = at;
  for (const part of address.split(".")) packet[offset++] = Number(part);
}

/** Where the message of an IPv4 packet begins, if the header can be believed so far; null when it is too short. */
export function ipv4MessageStart(bytes: Uint8Array): number | null {
  if (bytes.length < IPV4_HEADER) return null;
  const header = ((bytes[0] as number) & 0x0f) * 4;
  if (header < IPV4_HEADER) return null;
  return bytes[9] === AH_PROTOCOL ? header + AH_HEADER : header;
}

/** An authentication header as it was received, and what it covers. Valid as long as the packet's buffer. */
export interface ReceivedAh extends AhFields {
  /** The whole IPv4 packet. */
  readonly packet: Uint8Array;
  /** Where the authentication header begins. */
  readonly at: number;
}

export interface Ipv4Place extends MessagePlace {
  readonly ttl: number;
  /** Null when the message follows the IPv4 header. */
  readonly ah: ReceivedAh | null;
}

/** Checks the header of a packet as a raw socket delivers it. */
export function readIpv4Header(bytes: Uint8Array): Result<Ipv4Place, Drop> {
  if (bytes.length < IPV4_HEADER + MESSAGE_HEADER) {
    return drop("truncated", `${bytes.length} bytes are too few for an advert`);
  }
  const first = bytes[0] as number;
  const header = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || header < IPV4_HEADER) {
    return drop("ip-header", `not an IPv4 header (first byte 0x${first.toString(16)})`);
  }
  const ah = bytes[9] === AH_PROTOCOL;
  if (!ah && bytes[9] !== VRRP_PROTOCOL) {
    return drop("ip-header", `IP protocol ${bytes[9]}, expected ${VRRP_PROTOCOL}`);
  }
  const start = ah ? header + AH_HEADER : header;
  if ((((bytes[6] as number) << 8) | (bytes[7] as number)) & 0x3fff) return drop("ip-header", "a fragment of a packet");
  const end = ((bytes[2] as number) << 8) | (bytes[3] as number);
  if (end > bytes.length) return drop("truncated", `${bytes.length} of ${end} bytes arrived`);
  if (end < start + MESSAGE_HEADER) return drop("ip-header", `total length ${end} leaves no room for an advert`);
  return ok({
    family: 4,
    start,
    end,
    source: bytes.subarray(SOURCE, DESTINATION),
    destination: bytes.subarray(DESTINATION, IPV4_HEADER),
    ttl: bytes[8] as number,
    ah: ah ? { ...readAhHeader(bytes, header), packet: bytes.subarray(0, end), at: header } : null,
  });
}

function drop(reason: DropReason, detail: string): Result<never, Drop> {
  return err({ reason, detail });
}
