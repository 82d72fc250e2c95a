/**
 * IP addresses as canonical text. Text compares, prints and travels as JSON; bytes are made where a packet needs
 * them, which is never once per advert.
 */
declare const ipBrand: unique symbol;

/** Canonical dotted-decimal IPv4 address. */
export type IpAddress = string & { readonly [ipBrand]: true };

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** Reads a dotted-decimal IPv4 address; null when the text is not one (leading zeros are refused, as inet_pton(3) does). */
export function parseIpv4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  for (const part of parts) {
    if (!OCTET.test(part) || Number(part) > 255) return null;
  }
  return text as IpAddress;
}

/** The four bytes of an address in network order. */
export function ipv4Bytes(address: IpAddress): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

/** The address as an unsigned 32-bit number, for comparison. */
export function ipv4Number(address: IpAddress): number {
  let value = 0;
  for (const part of address.split(".")) value = value * 256 + Number(part);
  return value;
}

/** Reads four bytes at an offset. */
export function ipv4FromBytes(bytes: Uint8Array, offset: number): IpAddress {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}` as IpAddress;
}

/** Numeric order of two addresses: the tie-break of an election (RFC 9568 section 6.4.3). */
export function compareIp(a: IpAddress, b: IpAddress): number {
  return ipv4Number(a) - ipv4Number(b);
}
