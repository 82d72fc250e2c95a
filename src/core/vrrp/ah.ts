/**
 * The authentication header (RFC 2402, HMAC-MD5-96 of RFC 2403) as keepalived uses it for VRRP version 2 over IPv4: where its bytes are,
 * what the digest covers, and which sequence numbers are believed. The digest itself comes from outside.
 *
 *   0               8               16              24
 *  +---------------+---------------+---------------+---------------+
 *  | next = 112    | length = 4    |             zero              |
 *  +---------------+---------------+-------------------------------+
 *  |                  SPI: the sender's address                    |
 *  +---------------------------------------------------------------+
 *  |            sequence number, one more each advert              |
 *  +---------------------------------------------------------------+
 *  |      12 bytes of HMAC-MD5 over IP header, this, message       |
 *  +---------------------------------------------------------------+
 */

export const AH_PROTOCOL = 51;
export const AH_HEADER = 24;
const ICV_BYTES = 12;
const SPI = 4;
const SEQUENCE = 8;
const ICV = 12;
/** Length in words less two (RFC 2402 section 2.2). */
const PAYLOAD_LENGTH = AH_HEADER / 4 - 2;

const IP_TOS = 1;
const IP_FLAGS = 6;
const IP_TTL = 8;
const IP_CHECKSUM = 10;
const IP_SOURCE = 12;

/** HMAC-MD5 under the instance's key; at least twelve bytes are used. */
export type AhDigest = (message: Uint8Array) => Uint8Array;

/** What a received header says, in host order. */
export interface AhFields {
  readonly sequence: number;
  /** The SPI is the source address, as keepalived chooses it. */
  readonly spiIsSource: boolean;
  readonly nextHeader: number;
}

/** Writes the header's fixed fields at `at`, behind an IPv4 header that has its addresses. */
export function writeAhHeader(packet: Uint8Array, at: number, nextHeader: number): void {
  packet[at] = nextHeader;
  packet[at + 1] = PAYLOAD_LENGTH;
  packet.copyWithin(at + SPI, IP_SOURCE, IP_SOURCE + 4);
}

/** Reads the header at `at`; the caller has seen to it that all of it is there. */
export function readAhHeader(packet: Uint8Array, at: number): AhFields {
  let spiIsSource = packet[at + 1] === PAYLOAD_LENGTH;
  for (let byte = 0; byte < 4; byte++) spiIsSource &&= packet[at + SPI + byte] === packet[IP_SOURCE + byte];
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return { sequence: view.getUint32(at + SEQUENCE), spiIsSource, nextHeader: packet[at] as number };
}

/** In unicast the TTL may change on the way, so the digest leaves it out; in multicast it covers it (keepalived). */
export interface AhScope {
  readonly unicast: boolean;
}

/** Writes sequence number and digest into a whole packet whose authentication header follows an IPv4 header of 20 bytes. */
export function sealAh(packet: Uint8Array, sequence: number, { unicast }: AhScope, digest: AhDigest): void {
  const at = 20;
  packet[at + SEQUENCE] = sequence >>> 24;
  packet[at + SEQUENCE + 1] = sequence >>> 16;
  packet[at + SEQUENCE + 2] = sequence >>> 8;
  packet[at + SEQUENCE + 3] = sequence;
  packet.fill(0, at + ICV, at + AH_HEADER);
  // The fields that may change on the way are zero under the digest, and what they were on the wire.
  const tos = packet[IP_TOS] as number;
  const ttl = packet[IP_TTL] as number;
  packet[IP_TOS] = 0;
  if (unicast) packet[IP_TTL] = 0;
  packet.set(digest(packet).subarray(0, ICV_BYTES), at + ICV);
  packet[IP_TOS] = tos;
  packet[IP_TTL] = ttl;
}

/** Whether the digest of a received packet is right. `at` is where its authentication header begins; the packet is left alone. */
export function ahDigestRight(packet: Uint8Array, at: number, { unicast }: AhScope, digest: AhDigest): boolean {
  const covered = packet.slice();
  covered[IP_TOS] = 0;
  covered.fill(0, IP_FLAGS, IP_FLAGS + 2);
  if (unicast) covered[IP_TTL] = 0;
  covered.fill(0, IP_CHECKSUM, IP_CHECKSUM + 2);
  covered.fill(0, at + ICV, at + AH_HEADER);
  return sameBytes(digest(covered), packet.subarray(at + ICV, at + AH_HEADER), ICV_BYTES);
}

/** Looks at all bytes whatever they are: the time taken says nothing about the right ones. */
export function sameBytes(ours: ArrayLike<number>, theirs: ArrayLike<number>, length: number): boolean {
  let difference = 0;
  for (let at = 0; at < length; at++) difference |= (ours[at] ?? 0) ^ (theirs[at] ?? 0);
  return difference === 0;
}

/** One counter for both directions, as in keepalived: a new MASTER goes on where the old one stopped. */
export interface AhCounter {
  /** Last one sent or believed; 0 before the first. */
  readonly sequence: number;
  /** The numbers are used up; whatever comes next is believed, and the next MASTER begins anew. */
  readonly cycled: boolean;
}

export const FRESH_AH_COUNTER: AhCounter = { sequence: 0, cycled: false };
/** keepalived's limit: reached after 136 years of one advert a second. */
export const AH_SEQUENCE_MAX = 0xffff_fffd;

/** The counter after one more advert of ours; its sequence goes into that advert. */
export function nextAhCounter({ sequence, cycled }: AhCounter): AhCounter {
  return sequence > AH_SEQUENCE_MAX ? { sequence, cycled: true } : { sequence: sequence + 1, cycled };
}

/** On becoming MASTER: numbers that were used up begin again. */
export function ahCounterOfMaster(counter: AhCounter): AhCounter {
  return counter.cycled ? FRESH_AH_COUNTER : counter;
}

/** The counter after a packet of that number; null when the number was used before (a replay). */
export function heardAhSequence(counter: AhCounter, sequence: number): AhCounter | null {
  if (sequence <= counter.sequence && !counter.cycled) return null;
  return { sequence, cycled: false };
}

/** A MASTER that hears a lower priority goes on behind its number, or that router would take the answer for a replay. */
export function resyncAhCounter(_counter: AhCounter, sequence: number): AhCounter {
  return { sequence: Math.min(sequence + 1, 0xffff_ffff), cycled: false };
}
