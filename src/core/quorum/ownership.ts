/**
 * What one daemon knows of the record of a group, and whether it may claim or serve. Pure: the engine reads and writes the store and says what came
 * of it and when. The rules, with `wait` and `ttl` of timing.ts:
 *
 * | the record | a claim | the holder |
 * | --- | --- | --- |
 * | absent, or released | writes | |
 * | of this life | writes | goes on until `ttl` after its last write that is known to have succeeded was sent |
 * | of another, changes again and again | refused: that daemon lives | |
 * | of another, unchanged for `wait` | writes, epoch + 1 | has been silent for as long as `wait` covers |
 * | no record of this pair | refused | has lost it |
 *
 * Every write is a compare and swap with the revision that was read, so what was read may be old without harm: the write fails then.
 */
import { after, type Instant, type Micros } from "../lib/units.ts";
import { type Content, type GroupRecord, readContent } from "./record.ts";
import { SILENCE, waitFor } from "./timing.ts";

/** What the store says of a key. */
export interface Reading {
  /** Of the last change of the key, "0" when it is absent. */
  readonly revision: string;
  readonly value: string | null;
}

export interface Myself {
  readonly host: string;
  readonly life: string;
  readonly addresses: readonly string[];
  readonly ttl: Micros;
}

export interface Seen {
  readonly revision: string;
  readonly content: Content;
  /** When this revision was first known here, after the answer. */
  readonly since: Instant;
}

export interface Ownership {
  readonly seen: Seen | null;
  /** Until when this daemon may hold the addresses; null: it has no record. In the past: it may not. */
  readonly until: Instant | null;
  /** Writes of this life whose outcome is not known, and when each was about to be sent. */
  readonly open: readonly { readonly serial: number; readonly sentAt: Instant }[];
  readonly serial: number;
}

export const NOTHING_KNOWN: Ownership = { seen: null, until: null, open: [], serial: 0 };

/** Any answer that shows the key, the moment it is here. */
export function observe(own: Ownership, reading: Reading, me: Myself, now: Instant): Ownership {
  if (own.seen?.revision === reading.revision) return own;
  const content = readContent(reading.value, me.addresses);
  const seen: Seen = { revision: reading.revision, content, since: now };
  const mine = content.kind === "record" && content.record.life === me.life ? content.record : null;
  // A write that was given up as lost may have succeeded after all.
  return mine === null ? { ...own, seen, until: null } : confirm({ ...own, seen }, mine.serial, me);
}

const later = (one: Instant | null, other: Instant): Instant => (one === null || one < other ? other : one);

export interface Write {
  readonly expected: string;
  readonly record: GroupRecord;
}

/** The next write of this daemon, and the ownership in which it is under way: `now` is before it is sent. Only after a look. */
export function beginWrite(
  own: Ownership,
  me: Myself,
  now: Instant,
): { readonly own: Ownership; readonly write: Write } {
  const serial = own.serial + 1;
  const known = recordOf(own);
  const epoch = known === null ? 1 : known.epoch + (known.life === me.life ? 0 : 1);
  const { host, life, ttl, addresses } = me;
  const record: GroupRecord = { host, life, epoch, serial, ttl, silence: SILENCE, addresses };
  const open = [...own.open, { serial, sentAt: now }];
  return { own: { ...own, serial, open }, write: { expected: own.seen?.revision ?? "0", record } };
}

/** The record given back: whoever comes next need not wait. Null when it is not this life's. */
export function releasing(own: Ownership, me: Myself): Write | null {
  const record = recordOf(own);
  if (record === null || record.life !== me.life) return null;
  return { expected: own.seen?.revision ?? "0", record: { ...record, life: null } };
}

export interface Written {
  readonly write: Write;
  /** Which the write has made. */
  readonly revision: string;
}

/** The write succeeded. */
export function written(own: Ownership, { write, revision }: Written, me: Myself, now: Instant): Ownership {
  const { record } = write;
  const seen: Seen = { revision, content: { kind: "record", record }, since: now };
  return record.life === me.life
    ? confirm({ ...own, seen }, record.serial, me)
    : { ...own, seen, until: null, open: [] };
}

/** A write of this life stands in the store. It counts from when it was sent, not from now. */
function confirm(own: Ownership, serial: number, { ttl }: Myself): Ownership {
  const sent = own.open.find((one) => one.serial === serial);
  const open = own.open.filter((one) => one.serial > serial);
  return { ...own, open, until: sent === undefined ? own.until : later(own.until, after(sent.sentAt, ttl)) };
}

export function recordOf({ seen }: Ownership): GroupRecord | null {
  return seen?.content.kind === "record" ? seen.content.record : null;
}

export const isHeld = ({ until }: Ownership, now: Instant): boolean => until !== null && now < until;

export type ClaimStep =
  | { readonly kind: "write" }
  /** Look again, and decide then; at `until` at the latest it may be written. */
  | { readonly kind: "wait"; readonly until: Instant }
  | { readonly kind: "refuse"; readonly reason: string }
  /** The record is not this pair's. */
  | { readonly kind: "foreign"; readonly reason: string };

/** A holder that releases may renew once more while the claim is under way; one that lives goes on doing it. */
const SIGNS_OF_LIFE = 2;

/** `renewals`: how often the record of another was seen to change since the claim began. */
export function claimStep({ seen }: Ownership, me: Myself, renewals: number, now: Instant): ClaimStep {
  if (seen === null) return { kind: "wait", until: now };
  const { content, since } = seen;
  if (content.kind === "foreign")
    return { kind: "foreign", reason: `${content.why}: give this pair a prefix of its own` };
  if (content.kind === "absent" || content.record.life === null || content.record.life === me.life)
    return { kind: "write" };
  const { record } = content;
  if (renewals >= SIGNS_OF_LIFE) {
    const holder = `${record.host} holds the record in epoch ${record.epoch} and renews it`;
    return { kind: "refuse", reason: `${holder}: it is alive, whatever can be heard of it here` };
  }
  const until = after(since, waitFor({ ttl: longer(record.ttl, me.ttl), silence: longer(record.silence, SILENCE) }));
  return now >= until ? { kind: "write" } : { kind: "wait", until };
}

const longer = (one: Micros, other: Micros): Micros => (one > other ? one : other);
