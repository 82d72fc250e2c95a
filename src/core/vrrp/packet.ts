/**
 * The wire form of an advert, VRRP version 2 (RFC 3768 section 5, with the authentication bytes of RFC 2338) and version 3
 * (RFC 9568 section 5), with its IPv4 header. Bytes end here: nothing past this file sees them. decode() says what a packet contains
 * and throws on no input at all; whether it may be believed is validate.ts's question.
 *
 *   0               8               16              24
 *  +---------------+---------------+---------------+---------------+
 *  | version, type | virtual router|   priority    |  addresses n  |
 *  +---------------+---------------+---------------+---------------+
 *  | v2: auth type | interval (s)  |           checksum            |
 *  | v3: 0 + 12 bits interval (cs) |                               |
 *  +---------------+---------------+-------------------------------+
 *  | n IPv4 addresses, 4 bytes each;  v2: then 8 bytes of authentication, always             |
 */
import { addWords, finish } from "../bytes/checksum.ts";
import { type IpAddress, ipv4FromBytes } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Micros } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { DropReason } from "./status.ts";

export const VRRP_PROTOCOL = 112;
const IP_HEADER = 20;
const VRRP_HEADER = 8;
const AUTH_BYTES = 8;
const TYPE_ADVERTISEMENT = 1;
/** Internetwork control (RFC 791): keepalived's choice, and routers queue it first. */
const TOS = 0xc0;

export interface AdvertFields {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Effective priority; 0 resigns. */
  readonly priority: number;
}

/** Why a packet was dropped, for the counter and for people. */
export interface Drop {
  readonly reason: DropReason;
  readonly detail: string;
  /** The two numbers that differ, where that is the reason; intervals in seconds. */
  readonly numbers?: { readonly theirs: number; readonly ours: number };
}

/** Everything a packet says, in host order and units. */
export interface Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly version: 2 | 3;
  /** 1 is an advertisement, the only type there is. */
  readonly type: number;
  readonly virtualRouterId: number;
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly addresses: readonly IpAddress[];
  /** Version 2: 0 none, 1 simple text, 2 authentication header. Version 3: 0. */
  readonly authType: number;
  /** Version 2: a copy of the last eight bytes. Version 3: empty. */
  readonly authData: readonly number[];
  /** Checksum right over the message alone. */
  readonly checksumPlain: boolean;
  /** Checksum right with the pseudo-header of RFC 9568 section 5.2.8. */
  readonly checksumPseudo: boolean;
}

/** The whole IPv4 packet. The kernel fills in identification and header checksum (ip(7), IP_HDRINCL). */
export function encodeAdvert(config: VrrpInstanceConfig, fields: AdvertFields): Uint8Array {
  const count = config.advertised.length;
  const vrrpLength = VRRP_HEADER + 4 * count + (config.version === 2 ? AUTH_BYTES : 0);
  const packet = new Uint8Array(IP_HEADER + vrrpLength);
  writeIpHeader(packet, config.transport.kind === "unicast" ? config.transport.ttl : 255, fields);
  packet[IP_HEADER] = (config.version << 4) | TYPE_ADVERTISEMENT;
  packet[IP_HEADER + 1] = config.virtualRouterId;
  packet[IP_HEADER + 2] = fields.priority;
  packet[IP_HEADER + 3] = count;
  writeInterval(packet, config);
  let at = IP_HEADER + VRRP_HEADER;
  for (const virtual of config.advertised) {
    writeAddress(packet, at, virtual.address);
    at += 4;
  }
  if (config.version === 2 && config.authentication.kind === "pass") {
    packet.set(config.authentication.password.slice(0, AUTH_BYTES), at);
  }
  const start = config.version === 3 && !config.v3ChecksumAsV2 ? pseudoHeaderSum(packet, vrrpLength) : 0;
  const checksum = finish(addWords(start, packet, IP_HEADER, packet.length));
  packet[IP_HEADER + 6] = checksum >> 8;
  packet[IP_HEADER + 7] = checksum & 0xff;
  return packet;
}

function writeIpHeader(packet: Uint8Array, ttl: number, fields: AdvertFields): void {
  packet[0] = 0x45;
  packet[1] = TOS;
  packet[2] = packet.length >> 8;
  packet[3] = packet.length & 0xff;
  packet[8] = ttl;
  packet[9] = VRRP_PROTOCOL;
  writeAddress(packet, 12, fields.source);
  writeAddress(packet, 16, fields.destination);
}

function writeInterval(packet: Uint8Array, config: VrrpInstanceConfig): void {
  if (config.version === 2) {
    packet[IP_HEADER + 4] = config.authentication.kind === "pass" ? 1 : 0;
    packet[IP_HEADER + 5] = Math.round(config.advertInterval / 1_000_000);
    return;
  }
  const centiseconds = Math.round(config.advertInterval / 10_000);
  packet[IP_HEADER + 4] = (centiseconds >> 8) & 0x0f;
  packet[IP_HEADER + 5] = centiseconds & 0xff;
}

function writeAddress(packet: Uint8Array, at: number, address: IpAddress): void {
  let offset = at;
  for (const part of address.split(".")) packet[offset++] = Number(part);
}

/** Sum over source, destination, zero, protocol and length; the addresses are read from the IPv4 header. */
function pseudoHeaderSum(packet: Uint8Array, vrrpLength: number): number {
  return addWords(VRRP_PROTOCOL + vrrpLength, packet, 12, IP_HEADER);
}

/** Virtual router id of a packet that may still be anything; null when it is too short to have one. */
export function peekVirtualRouterId(bytes: Uint8Array): number | null {
  if (bytes.length < IP_HEADER) return null;
  const vrrp = ((bytes[0] as number) & 0x0f) * 4;
  return vrrp < IP_HEADER ? null : (bytes[vrrp + 1] ?? null);
}

/** Reads an IPv4 packet as a raw socket delivers it. Never throws, whatever the bytes are. */
export function decode(bytes: Uint8Array): Result<Packet, Drop> {
  const envelope = readEnvelope(bytes);
  if (!envelope.ok) return envelope;
  const { vrrp, end } = envelope.value;
  const version = (bytes[vrrp] as number) >> 4;
  if (version !== 2 && version !== 3) {
    return drop("version", `VRRP version ${version}, only 2 and 3 exist`);
  }
  const count = bytes[vrrp + 3] as number;
  const expected = VRRP_HEADER + 4 * count + (version === 2 ? AUTH_BYTES : 0);
  if (end - vrrp !== expected) {
    return drop("length", `${end - vrrp} bytes, but version ${version} with ${count} addresses has ${expected}`);
  }
  return ok(readMessage(bytes, vrrp, version));
}

/** Checks the IPv4 header; where the VRRP message begins and ends. */
function readEnvelope(bytes: Uint8Array): Result<{ readonly vrrp: number; readonly end: number }, Drop> {
  if (bytes.length < IP_HEADER + VRRP_HEADER) {
    return drop("truncated", `${bytes.length} bytes are too few for an advert`);
  }
  const first = bytes[0] as number;
  const vrrp = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || vrrp < IP_HEADER) {
    return drop("ip-header", `not an IPv4 header (first byte 0x${first.toString(16)})`);
  }
  if (bytes[9] !== VRRP_PROTOCOL) return drop("ip-header", `IP protocol ${bytes[9]}, expected ${VRRP_PROTOCOL}`);
  if ((((bytes[6] as number) << 8) | (bytes[7] as number)) & 0x3fff) return drop("ip-header", "a fragment of a packet");
  const end = ((bytes[2] as number) << 8) | (bytes[3] as number);
  if (end > bytes.length) return drop("truncated", `${bytes.length} of ${end} bytes arrived`);
  if (end < vrrp + VRRP_HEADER) return drop("ip-header", `total length ${end} leaves no room for an advert`);
  return ok({ vrrp, end });
}

/** The message at `vrrp`, whose length has been checked. */
function readMessage(bytes: Uint8Array, vrrp: number, version: 2 | 3): Packet {
  const count = bytes[vrrp + 3] as number;
  const tail = vrrp + VRRP_HEADER + 4 * count;
  const end = version === 2 ? tail + AUTH_BYTES : tail;
  const fourth = bytes[vrrp + 4] as number;
  const fifth = bytes[vrrp + 5] as number;
  const addresses: IpAddress[] = [];
  for (let at = vrrp + VRRP_HEADER; at < tail; at += 4) addresses.push(ipv4FromBytes(bytes, at));
  return {
    source: ipv4FromBytes(bytes, 12),
    destination: ipv4FromBytes(bytes, 16),
    ttl: bytes[8] as number,
    version,
    type: (bytes[vrrp] as number) & 0x0f,
    virtualRouterId: bytes[vrrp + 1] as number,
    priority: bytes[vrrp + 2] as number,
    advertInterval: (version === 2 ? fifth * 1_000_000 : (((fourth & 0x0f) << 8) | fifth) * 10_000) as Micros,
    addresses,
    authType: version === 2 ? fourth : 0,
    authData: version === 2 ? Array.from(bytes.subarray(tail, end)) : [],
    checksumPlain: finish(addWords(0, bytes, vrrp, end)) === 0,
    checksumPseudo: finish(addWords(pseudoHeaderSum(bytes, end - vrrp), bytes, vrrp, end)) === 0,
  };
}

function drop(reason: DropReason, detail: string): Result<never, Drop> {
  return err({ reason, detail });
}
