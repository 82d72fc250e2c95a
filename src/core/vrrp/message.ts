/**
 * The VRRP message, version 2 (RFC 3768 section 5, with the authentication bytes of RFC 2338) and version 3 (RFC 9568 section 5), for
 * either family: what stands behind the IP header (and behind an authentication header). It knows neither header; addresses come in
 * as bytes, for the pseudo-header. What the fields mean together is validate.ts's question.
 *
 *   0               8               16              24
 *  +---------------+---------------+---------------+---------------+
 *  | version, type | virtual router|   priority    |  addresses n  |
 *  +---------------+---------------+---------------+---------------+
 *  | v2: auth type | interval (s)  |           checksum            |
 *  | v3: 0 + 12 bits interval (cs) |                               |
 *  +---------------+---------------+-------------------------------+
 *  | n addresses, 4 or 16 bytes each;  v2 on IPv4: then 8 bytes of authentication, always   |
 *  +----------------------------------------------------------------------------------------+
 *  | perhaps a trailer of 28 bytes (auth_hmac): no part of the message's own length         |
 */
import { addWords, finish } from "../bytes/checksum.ts";
import { ADDRESS_BYTES, type Family, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Micros } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { DropReason } from "./status.ts";

export const VRRP_PROTOCOL = 112;
export const MESSAGE_HEADER = 8;
/** draft-cassen-vrrp-auth-hmac: type, key, time, counter and HMAC behind the message, recognised by the length alone. */
export const TRAILER_BYTES = 28;
const AUTH_BYTES = 8;
const TYPE_ADVERTISEMENT = 1;
const CHECKSUM = 6;
/** vrrp_mcast_group4 as it is unless set (RFC 9568 section 5.1.1.2): the destination in old keepalived's unicast checksum. */
const VRRP_GROUP = Uint8Array.of(224, 0, 0, 18);
/** Bytes of the IPv4 packet that fill an Ethernet frame: some senders count the padding as part of a short advert. */
export const PADDED_LENGTH = 46;

/** Why a packet was dropped, for the counter and for people. */
export interface Drop {
  readonly reason: DropReason;
  readonly detail: string;
  /** The two numbers that differ, where that is the reason; intervals in seconds. */
  readonly numbers?: { readonly theirs: number; readonly ours: number };
}

/** Source and destination in network order, as the IP header has them. */
export interface Endpoints {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** The message's own fields, in host order and units. */
export interface Message {
  readonly version: 2 | 3;
  /** 1 is an advertisement, the only type there is. */
  readonly type: number;
  readonly virtualRouterId: number;
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly addresses: readonly IpAddress[];
  /** Version 2: 0 none, 1 simple text, 2 authentication header. Version 3: 0. */
  readonly authType: number;
  /** Version 2 on IPv4: a copy of the last eight bytes. Otherwise empty. */
  readonly authData: readonly number[];
  /** Checksum right over the message alone. */
  readonly checksumPlain: boolean;
  /** Checksum right with the pseudo-header of RFC 9568 section 5.2.8 (IPv6: RFC 8200 section 8.1). */
  readonly checksumPseudo: boolean;
  /** Wrong both ways, but right as keepalived before 1.3.6 made it in unicast: with the multicast group as destination. */
  readonly checksumOldUnicast: boolean;
  /** What follows the message; null when nothing does. */
  readonly trailer: Trailer | null;
}

/** Both parts as they were received. Valid as long as the packet's buffer. */
export interface Trailer {
  readonly message: Uint8Array;
  /** TRAILER_BYTES of them. */
  readonly bytes: Uint8Array;
}

/** Version 2 ends with authentication bytes on IPv4 only, as keepalived has it. */
const authBytes = (family: Family, version: 2 | 3): number => (family === 4 && version === 2 ? AUTH_BYTES : 0);

const expectedLength = (family: Family, version: 2 | 3, count: number): number =>
  MESSAGE_HEADER + ADDRESS_BYTES[family] * count + authBytes(family, version);

/** Bytes of this instance's message, without a trailer. */
export function messageLength(config: VrrpInstanceConfig): number {
  return expectedLength(config.family, config.version, config.advertised.length);
}

/** Auth Type of version 2 (RFC 2338 section 5.3.6). */
export const AUTH_TYPES = { none: 0, pass: 1, ah: 2 } as const;

/** Writes the message at `start` of a zeroed buffer, up to its end; its checksum stays zero. Priority 0 resigns. */
export function writeMessage(packet: Uint8Array, start: number, config: VrrpInstanceConfig, priority: number): void {
  packet[start] = (config.version << 4) | TYPE_ADVERTISEMENT;
  packet[start + 1] = config.virtualRouterId;
  packet[start + 2] = priority;
  packet[start + 3] = config.advertised.length;
  writeInterval(packet, start, config);
  let at = start + MESSAGE_HEADER;
  for (const { address } of config.advertised) {
    packet.set(ipBytes(address), at);
    at += ADDRESS_BYTES[config.family];
  }
  if (config.authentication.kind === "pass" && authBytes(config.family, config.version) > 0) {
    packet.set(config.authentication.password.slice(0, AUTH_BYTES), at);
  }
}

function writeInterval(packet: Uint8Array, start: number, config: VrrpInstanceConfig): void {
  if (config.version === 2) {
    packet[start + 4] = AUTH_TYPES[config.authentication.kind];
    packet[start + 5] = Math.round(config.advertInterval / 1_000_000);
    return;
  }
  const centiseconds = Math.round(config.advertInterval / 10_000);
  packet[start + 4] = (centiseconds >> 8) & 0x0f;
  packet[start + 5] = centiseconds & 0xff;
}

/**
 * Writes the checksum of `packet[start, end)`; the field holds zero before. On IPv6 `end` is the packet's, so that a trailer is
 * covered too; on IPv4 the message's.
 */
export function writeChecksum(
  packet: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  config: VrrpInstanceConfig,
  endpoints: Endpoints,
): void {
  // IPv6 knows no other checksum than that with the pseudo-header: the kernel makes it on the way out (IPV6_CHECKSUM).
  const plain = config.family === 4 && (config.version === 2 || config.v3ChecksumAsV2);
  const sum = plain ? 0 : pseudoHeaderSum(checksumEndpoints(config, endpoints), end - start);
  const checksum = finish(addWords(sum, packet, start, end));
  packet[start + CHECKSUM] = checksum >> 8;
  packet[start + CHECKSUM + 1] = checksum & 0xff;
}

/** keepalived before 1.3.6 took the multicast group for its unicast peers. */
function checksumEndpoints({ family, transport }: VrrpInstanceConfig, endpoints: Endpoints): Endpoints {
  const old = family === 4 && transport.kind === "unicast" && transport.checksum === "old";
  return old ? { source: endpoints.source, destination: VRRP_GROUP } : endpoints;
}

/** Sum over source, destination, zeros, protocol and length: the same words in both families' pseudo-headers. */
function pseudoHeaderSum({ source, destination }: Endpoints, length: number): number {
  const sum = addWords(VRRP_PROTOCOL + length, source, 0, source.length);
  return addWords(sum, destination, 0, destination.length);
}

/** Where a message lies in a packet, and between whom it travelled. */
export interface MessagePlace extends Endpoints {
  readonly family: Family;
  readonly start: number;
  /** Of the packet: what the IP header says. At least MESSAGE_HEADER behind `start`. */
  readonly end: number;
}

/** Reads the message at `start`. Never throws, whatever the bytes are. */
export function readMessage(bytes: Uint8Array, place: MessagePlace): Result<Message, Drop> {
  const { family, start, end } = place;
  const version = (bytes[start] as number) >> 4;
  if (version !== 2 && version !== 3) {
    return err({ reason: "version", detail: `VRRP version ${version}, only 2 and 3 exist` });
  }
  const count = bytes[start + 3] as number;
  const expected = expectedLength(family, version, count);
  const found = end - start;
  const padded = family === 4 && end === PADDED_LENGTH && found > expected;
  if (padded) return ok(fieldsOf(bytes, { ...place, end: start + expected }, version, start + expected));
  if (found !== expected && found !== expected + TRAILER_BYTES) {
    const detail = `${found} bytes, but version ${version} with ${count} addresses has ${expected}`;
    return err({ reason: "length", detail });
  }
  return ok(fieldsOf(bytes, place, version, start + expected));
}

function fieldsOf(bytes: Uint8Array, place: MessagePlace, version: 2 | 3, messageEnd: number): Message {
  const { family, start, end } = place;
  const fourth = bytes[start + 4] as number;
  const fifth = bytes[start + 5] as number;
  const tail = messageEnd - authBytes(family, version);
  const addresses: IpAddress[] = [];
  for (let at = start + MESSAGE_HEADER; at < tail; at += ADDRESS_BYTES[family]) {
    addresses.push(ipFromBytes(family, bytes, at));
  }
  const covered = family === 6 ? end : messageEnd;
  const rightFor = (endpoints: Endpoints): boolean =>
    finish(addWords(pseudoHeaderSum(endpoints, covered - start), bytes, start, covered)) === 0;
  const checksumPlain = finish(addWords(0, bytes, start, covered)) === 0;
  const checksumPseudo = rightFor(place);
  const old = family === 4 && version === 3 && !checksumPlain && !checksumPseudo;
  return {
    version,
    type: (bytes[start] as number) & 0x0f,
    virtualRouterId: bytes[start + 1] as number,
    priority: bytes[start + 2] as number,
    advertInterval: (version === 2 ? fifth * 1_000_000 : (((fourth & 0x0f) << 8) | fifth) * 10_000) as Micros,
    addresses,
    authType: version === 2 ? fourth : 0,
    authData: tail < messageEnd ? Array.from(bytes.subarray(tail, messageEnd)) : [],
    checksumPlain,
    checksumPseudo,
    checksumOldUnicast: old && rightFor({ source: place.source, destination: VRRP_GROUP }),
    trailer:
      messageEnd === end
        ? null
        : { message: bytes.subarray(start, messageEnd), bytes: bytes.subarray(messageEnd, end) },
  };
}
