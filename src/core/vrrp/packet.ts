/**
 * An advert as it goes to and comes from a raw socket: on IPv4 the whole packet (ipv4-header.ts), on IPv6 the payload alone, because
 * the kernel keeps that header to itself and tells of it beside the packet (RFC 3542). Bytes end here: nothing past this file sees
 * them. decode() says what a packet contains and throws on no input at all; whether it may be believed is validate.ts's question.
 */
import { type Family, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { AH_HEADER } from "./ah.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { IPV4_HEADER, ipv4MessageStart, type ReceivedAh, readIpv4Header, writeIpv4Header } from "./ipv4-header.ts";
import {
  type Drop,
  type Endpoints,
  MESSAGE_HEADER,
  type Message,
  type MessagePlace,
  messageLength,
  readMessage,
  TRAILER_BYTES,
  writeChecksum,
  writeMessage,
} from "./message.ts";

export type { Drop } from "./message.ts";
export { VRRP_PROTOCOL } from "./message.ts";

/** What the kernel says of a received IPv6 packet (IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT). Valid as long as the packet. */
export interface Ipv6Header extends Endpoints {
  readonly hopLimit: number;
}

export interface AdvertFields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Effective priority; 0 resigns. */
  readonly priority: number;
}

/** Everything a packet says, in host order and units. */
export interface Packet extends Message {
  readonly family: Family;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** Length of the IPv4 packet, or of the IPv6 payload. */
  readonly bytes: number;
  /** The authentication header before the message; null when there is none. */
  readonly ah: ReceivedAh | null;
  /** Source address in network order. Valid as long as the packet's buffer. */
  readonly sourceBytes: Uint8Array;
}

/** TTL or hop limit of our adverts. RFC 9568 section 5.1.1.3 for multicast; unicast may cross routers. */
export function advertTtl({ transport }: VrrpInstanceConfig): number {
  return transport.kind === "unicast" ? transport.ttl : 255;
}

/** Where this instance's messages lie in its packets, and whether a trailer follows. */
export function advertLayout(config: VrrpInstanceConfig): {
  readonly start: number;
  readonly end: number;
  readonly trailer: number;
} {
  const ah = config.authentication.kind === "ah" ? AH_HEADER : 0;
  const start = config.family === 4 ? IPV4_HEADER + ah : 0;
  const signs = config.authHmac !== null && config.authHmac.mode !== "receive-only";
  return { start, end: start + messageLength(config), trailer: signs ? TRAILER_BYTES : 0 };
}

/**
 * IPv4: the whole packet, in which the kernel fills identification and header checksum. IPv6: the payload. What is sealed anew for
 * each sending (authentication header, trailer) has its room here, and its fixed fields.
 */
export function encodeAdvert(config: VrrpInstanceConfig, fields: AdvertFields): Uint8Array {
  const { start, end, trailer } = advertLayout(config);
  const packet = new Uint8Array(end + trailer);
  const { source, destination } = fields;
  const ah = config.authentication.kind === "ah";
  if (config.family === 4) writeIpv4Header(packet, { source, destination, ttl: advertTtl(config), ah });
  writeMessage(packet, start, config, fields.priority);
  const endpoints = { source: ipBytes(source), destination: ipBytes(destination) };
  writeChecksum(packet, { start, end: config.family === 6 ? packet.length : end }, config, endpoints);
  return packet;
}

/** Virtual router id of a packet that may still be anything; null when it is too short to have one. */
export function peekVirtualRouterId(bytes: Uint8Array, family: Family): number | null {
  const start = family === 6 ? 0 : ipv4MessageStart(bytes);
  return start === null ? null : (bytes[start + 1] ?? null);
}

/** Who sent a packet that may still be anything; null when it is too short to say. */
export function peekSource(bytes: Uint8Array, header: Ipv6Header | null): IpAddress | null {
  if (header !== null) return ipFromBytes(6, header.source, 0);
  return bytes.length < IPV4_HEADER ? null : ipFromBytes(4, bytes, 12);
}

/** Reads what a raw socket delivered; `header` is null for IPv4. Never throws, whatever the bytes are. */
export function decode(bytes: Uint8Array, header: Ipv6Header | null): Result<Packet, Drop> {
  const place = header === null ? readIpv4Header(bytes) : readIpv6Place(bytes, header);
  if (!place.ok) return place;
  const message = readMessage(bytes, place.value);
  if (!message.ok) return message;
  const { family, source, destination, ttl, ah } = place.value;
  return ok({
    ...message.value,
    family,
    source: ipFromBytes(family, source, 0),
    destination: ipFromBytes(family, destination, 0),
    ttl,
    bytes: place.value.end,
    ah,
    sourceBytes: source,
  });
}

type Ipv6Place = MessagePlace & { readonly ttl: number; readonly ah: null };

function readIpv6Place(bytes: Uint8Array, header: Ipv6Header): Result<Ipv6Place, Drop> {
  if (bytes.length < MESSAGE_HEADER) {
    return err({ reason: "truncated", detail: `${bytes.length} bytes are too few for an advert` });
  }
  const { source, destination, hopLimit: ttl } = header;
  return ok({ family: 6, start: 0, end: bytes.length, source, destination, ttl, ah: null });
}
