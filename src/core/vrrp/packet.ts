/**
 * An advert as it goes to and comes from a raw socket: on IPv4 the whole packet (ipv4-header.ts), on IPv6 the payload alone, because
 * the kernel keeps that header to itself and tells of it beside the packet (RFC 3542). Bytes end here: nothing past this file sees
 * them. decode() says what a packet contains and throws on no input at all; whether it may be believed is validate.ts's question.
 */
import { type Family, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { IPV4_HEADER, ipv4MessageStart, readIpv4Header, writeIpv4Header } from "./ipv4-header.ts";
import {
  type Drop,
  type Endpoints,
  MESSAGE_HEADER,
  type Message,
  type MessagePlace,
  messageLength,
  readMessage,
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
}

/** TTL or hop limit of our adverts. RFC 9568 section 5.1.1.3 for multicast; unicast may cross routers. */
export function advertTtl({ transport }: VrrpInstanceConfig): number {
  return transport.kind === "unicast" ? transport.ttl : 255;
}

/** IPv4: the whole packet, in which the kernel fills identification and header checksum. IPv6: the payload. */
export function encodeAdvert(config: VrrpInstanceConfig, fields: AdvertFields): Uint8Array {
  const start = config.family === 4 ? IPV4_HEADER : 0;
  const packet = new Uint8Array(start + messageLength(config));
  const { source, destination } = fields;
  if (config.family === 4) writeIpv4Header(packet, { source, destination, ttl: advertTtl(config) });
  writeMessage(packet, start, config, fields.priority);
  const endpoints = { source: ipBytes(source), destination: ipBytes(destination) };
  writeChecksum(packet, { start, end: packet.length }, config, endpoints);
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
  const { family, source, destination, ttl } = place.value;
  return ok({
    ...message.value,
    family,
    source: ipFromBytes(family, source, 0),
    destination: ipFromBytes(family, destination, 0),
    ttl,
  });
}

function readIpv6Place(bytes: Uint8Array, header: Ipv6Header): Result<MessagePlace & { readonly ttl: number }, Drop> {
  if (bytes.length < MESSAGE_HEADER) {
    return err({ reason: "truncated", detail: `${bytes.length} bytes are too few for an advert` });
  }
  const { source, destination, hopLimit: ttl } = header;
  return ok({ family: 6, start: 0, end: bytes.length, source, destination, ttl });
}
