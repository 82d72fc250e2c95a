/**
 * The trailer of auth_hmac (keepalived 2.4.2, draft-cassen-vrrp-auth-hmac): 28 bytes behind the message, recognised by the length.
 * It says what the digest covers, how sequence numbers grow and which are believed. Digest and clock come from outside.
 *
 *   0               8               16              24
 *  +---------------+---------------+---------------+---------------+
 *  | type = 1      |    key id     |             zero              |
 *  +---------------+---------------+---------------+---------------+
 *  |              seconds since 1970 (UTC)                         |
 *  +-------------------------------+-------------------------------+
 *  |   second / 65536              |    counter within that        |
 *  +-------------------------------+-------------------------------+
 *  |   first 16 bytes of HMAC-SHA256                               |
 *  +---------------------------------------------------------------+
 *
 * Covered are a pseudo-header {family, version, virtual router id, 0, 16 bytes of source}, the message with its checksum read as
 * zero, the first 12 bytes of the trailer, and 16 zeros: neither destination nor TTL, so one digest serves all peers.
 */
import { sameBytes } from "./ah.ts";
import { TRAILER_BYTES } from "./message.ts";

const TRAILER = TRAILER_BYTES;
const TYPE_HMAC_SHA256 = 1;
const HMAC_BYTES = 16;
const HMAC = 12;
const PSEUDO_HEADER = 20;
const CHECKSUM = 6;

/** A 64-bit sequence number in two halves: `high` counts seconds, `low` 1/65536 s and a counter. */
export interface Sequence {
  readonly high: number;
  readonly low: number;
}

/** RFC 1982 over 64 bits: whether a was sent after b. */
export function isAfter(a: Sequence, b: Sequence): boolean {
  const high = (a.high - b.high) | 0;
  return high === 0 ? a.low > b.low : high > 0;
}

/** The wall clock (microseconds since 1970) as a sequence number with a counter of 0. */
export function sequenceOfClock(micros: number): Sequence {
  const seconds = Math.floor(micros / 1e6);
  const fraction = Math.floor(((micros - seconds * 1e6) * 65_536) / 1e6);
  return { high: seconds >>> 0, low: (fraction << 16) >>> 0 };
}

export interface AntiReplay {
  /** Null: sequence numbers must only grow (`anti_replay monotonic`). Otherwise seconds that clocks may differ. */
  readonly window: number | null;
}

/** The larger of the clock and the last number plus one; a clock that was set back further than the window is followed. */
export function nextSequence(last: Sequence, micros: number, { window }: AntiReplay): Sequence {
  const clock = sequenceOfClock(micros);
  if (isAfter(clock, last)) return clock;
  const ahead = (last.high - clock.high) | 0;
  if (window !== null && ahead > window) return clock;
  const low = (last.low + 1) >>> 0;
  return { high: low === 0 ? (last.high + 1) >>> 0 : last.high, low };
}

/** Who signs, and what: bound into the digest so that a trailer fits no other router and no other sender. */
export interface Signed {
  readonly family: 4 | 6;
  /** Source address in network order. */
  readonly source: Uint8Array;
  /** The message without its trailer. */
  readonly message: Uint8Array;
  /** The trailer; its first twelve bytes are covered. */
  readonly trailer: Uint8Array;
}

/** What the digest covers. */
function coveredBytes({ family, source, message, trailer }: Signed): Uint8Array {
  const covered = new Uint8Array(PSEUDO_HEADER + message.length + TRAILER);
  covered[0] = family;
  covered[1] = (message[0] as number) >> 4;
  covered[2] = message[1] as number;
  covered.set(source, 4);
  covered.set(message, PSEUDO_HEADER);
  covered.fill(0, PSEUDO_HEADER + CHECKSUM, PSEUDO_HEADER + CHECKSUM + 2);
  covered.set(trailer.subarray(0, HMAC), PSEUDO_HEADER + message.length);
  return covered;
}

/** HMAC-SHA256 under one of the instance's keys; null when there is no key of that number. */
export type TrailerDigest = (keyId: number, message: Uint8Array) => Uint8Array | null;

/** Fills a trailer in place. */
export function sign(signed: Signed, keyId: number, { high, low }: Sequence, digest: TrailerDigest): void {
  const { trailer } = signed;
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER);
  view.setUint8(0, TYPE_HMAC_SHA256);
  view.setUint8(1, keyId);
  view.setUint16(2, 0);
  view.setUint32(4, high);
  view.setUint32(8, low);
  trailer.fill(0, HMAC);
  // Without its key it stays zero, which every receiver refuses.
  const hmac = digest(keyId, coveredBytes(signed));
  if (hmac !== null) trailer.set(hmac.subarray(0, HMAC_BYTES), HMAC);
}

export type TrailerProblem = "malformed" | "stale" | "unknown-key" | "bad-hmac";

export type TrailerVerdict =
  /** `skew`: our clock less theirs, seconds; null when the clock does not matter. */
  | { readonly ok: true; readonly sequence: Sequence; readonly skew: number | null }
  | { readonly ok: false; readonly problem: TrailerProblem; readonly skew: number | null; readonly keyId: number };

/**
 * Judges a received trailer but for its place in the sender's sequence. A stale one is refused before anything is computed, so that a
 * flood of old captures costs no digest.
 */
export function verify(signed: Signed, micros: number, { window }: AntiReplay, digest: TrailerDigest): TrailerVerdict {
  const { trailer } = signed;
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER);
  const keyId = view.getUint8(1);
  const sequence = { high: view.getUint32(4), low: view.getUint32(8) };
  const skew = window === null ? null : ((Math.floor(micros / 1e6) >>> 0) - sequence.high) | 0;
  const refuse = (problem: TrailerProblem): TrailerVerdict => ({ ok: false, problem, skew, keyId });
  if (view.getUint8(0) !== TYPE_HMAC_SHA256 || view.getUint16(2) !== 0) return refuse("malformed");
  if (skew !== null && window !== null && Math.abs(skew) > window) return refuse("stale");
  const hmac = digest(keyId, coveredBytes(signed));
  if (hmac === null) return refuse("unknown-key");
  if (!sameBytes(hmac, trailer.subarray(HMAC), HMAC_BYTES)) return refuse("bad-hmac");
  return { ok: true, sequence, skew };
}

/** Senders of one multicast group that are remembered (keepalived: 4); more than two at a time are rare. */
export const SENDERS_MAX = 4;

/** The highest sequence number believed of each sender, least recently heard first. */
export type SenderMarks = Map<string, Sequence>;

/**
 * Whether this number of a sender is new, and if so remembers it. Only for packets whose digest was right: forged ones must not
 * push known senders out. `limit` is null where the senders are known (unicast peers).
 */
export function acceptSequence(
  marks: SenderMarks,
  sender: string,
  sequence: Sequence,
  options: AntiReplay & { readonly micros: number; readonly limit: number | null },
): boolean {
  const mark = marks.get(sender);
  if (mark !== undefined && !isExpired(mark, options) && !isAfter(sequence, mark)) return false;
  marks.delete(sender);
  if (options.limit !== null && marks.size >= options.limit) {
    const [oldest] = marks.keys();
    if (oldest !== undefined) marks.delete(oldest);
  }
  marks.set(sender, sequence);
  return true;
}

/** A mark outside the window orders only what the window refuses anyway; forgetting it lets a corrected clock in again. */
function isExpired(mark: Sequence, { window, micros }: AntiReplay & { readonly micros: number }): boolean {
  return window !== null && Math.abs(((Math.floor(micros / 1e6) >>> 0) - mark.high) | 0) > window;
}
