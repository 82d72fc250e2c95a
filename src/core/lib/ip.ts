/**
 * IP addresses of both families as canonical text: equal addresses are equal strings, so text compares, prints and travels as JSON.
 * Bytes are made where a packet needs them, which is never once per advert. Zones, prefixes and names are none of its business.
 */
import { IPV6_BYTES, readIpv6, writeIpv6 } from "./ipv6-text.ts";

declare const ipBrand: unique symbol;

/** Canonical address: dotted-decimal IPv4, or IPv6 as RFC 5952 section 4 writes it. */
export type IpAddress = string & { readonly [ipBrand]: true };

/** Version of the Internet Protocol. */
export type Family = 4 | 6;

export const ADDRESS_BYTES = { 4: 4, 6: IPV6_BYTES } as const;
/** The prefix length of a single address. */
export const HOST_PREFIX = { 4: 32, 6: 128 } as const;

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

export function familyOf(address: IpAddress): Family {
  return address.includes(":") ? 6 : 4;
}

/** Reads an address of either family into its canonical form; null when the text is none. */
export function parseIp(text: string): IpAddress | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Reads a dotted-decimal IPv4 address; null when the text is not one (leading zeros are refused, as inet_pton(3) does). */
export function parseIpv4(text: string): IpAddress | null {
  return IPV4.test(text) ? (text as IpAddress) : null;
}

/** Reads any spelling of an IPv6 address that inet_pton(3) takes; null when the text is not one. */
export function parseIpv6(text: string): IpAddress | null {
  const bytes = readIpv6(text);
  return bytes === null ? null : (writeIpv6(bytes, 0) as IpAddress);
}

/** The four or sixteen bytes of an address in network order. */
export function ipBytes(address: IpAddress): Uint8Array {
  if (familyOf(address) === 6) return readIpv6(address) ?? new Uint8Array(IPV6_BYTES);
  const number = ipv4Number(address);
  const bytes = new Uint8Array(ADDRESS_BYTES[4]);
  for (let at = 0; at < bytes.length; at++) bytes[at] = number >>> (24 - 8 * at);
  return bytes;
}

/** An IPv4 address as an unsigned 32-bit number, for comparison and prefix arithmetic. */
export function ipv4Number(address: IpAddress): number {
  let value = 0;
  let octet = 0;
  for (let at = 0; at < address.length; at++) {
    const digit = address.charCodeAt(at) - 0x30;
    if (digit >= 0) octet = octet * 10 + digit;
    else {
      value = value * 256 + octet;
      octet = 0;
    }
  }
  return value * 256 + octet;
}

/** Reads four bytes at an offset. */
export function ipv4FromBytes(bytes: Uint8Array, offset: number): IpAddress {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}` as IpAddress;
}

/** Reads sixteen bytes at an offset. */
export function ipv6FromBytes(bytes: Uint8Array, offset: number): IpAddress {
  return writeIpv6(bytes, offset) as IpAddress;
}

/** Reads an address of that family at an offset. */
export function ipFromBytes(family: Family, bytes: Uint8Array, offset: number): IpAddress {
  return family === 4 ? ipv4FromBytes(bytes, offset) : ipv6FromBytes(bytes, offset);
}

/** Numeric order of two addresses: the tie-break of an election (RFC 9568 section 6.4.3). IPv4 comes before IPv6. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  const family = familyOf(a);
  if (family !== familyOf(b)) return family - familyOf(b);
  if (family === 4) return ipv4Number(a) - ipv4Number(b);
  const ours = ipBytes(a);
  const theirs = ipBytes(b);
  for (let at = 0; at < IPV6_BYTES; at++) {
    const difference = (ours[at] as number) - (theirs[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The address with the bits behind its prefix cleared. */
export function networkOf(address: IpAddress, prefixLength: number): IpAddress {
  const bytes = ipBytes(address);
  for (let at = prefixLength >> 3; at < bytes.length; at++) {
    const kept = at === prefixLength >> 3 ? prefixLength & 7 : 0;
    bytes[at] = (bytes[at] as number) & (0xff00 >> kept);
  }
  return ipFromBytes(familyOf(address), bytes, 0);
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  if (familyOf(address) === 6) return /^ff[0-9a-f]{2}:/.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first <= 239;
}

/** fe80::/10 (RFC 4291 section 2.5.6): means something on one link only. */
export function isLinkLocal(address: IpAddress): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}
