/**
 * What one daemon knows of the record of a group, and whether it may claim or serve. Pure: the engine reads and writes the store and says what came
 * of it and when. The rules, with `wait` and `ttl` of timing.ts:
 *
 * | the record | a claim | the holder |
 * | --- | --- | --- |
 * | released | writes | |
 * | of this life | writes | goes on until `ttl` after its last write that is known to have succeeded was sent |
 * | of another, changes again and again | refused: that daemon lives | |
 * | of another, unchanged for `wait` | writes, epoch + 1 | has been silent for as long as `wait` covers |
 * | absent, for `wait` | writes | has been silent, if there was one |
 * | absent, for less | waits | writes it again while it still holds |
 * | no record of this pair | refused | has lost it |
 *
 * Every write is a compare and swap with the revision that was read, so what was read may be old without harm: the write fails then.
 *
 * A store may lose what it knew: emptied, made anew, set back to a copy. What stands there then says nothing of who holds, so nothing but time counts: an
 * absent record is waited for as another's is, and so is every record of a store that has gone back, be it released or this life's own.
 * The same is true of what is seen after a time in which the store did not answer: much may have come and gone.
 * Only who still holds may write at once: nobody can have been granted since its last write, as that takes `wait` from after it.
 */
import { after, type Instant, type Micros, micros } from "../lib/units.ts";
import { type Content, encodeRecord, type GroupRecord, readContent } from "./record.ts";
import { SILENCE, waitFor } from "./timing.ts";

/** What the store says of a key. A store that was made anew counts through the same revisions again, so the value belongs to it. */
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
  /** How long it may have been without an answer and still know what has been there meanwhile. */
  readonly gap: Micros;
}

export interface Seen extends Reading {
  readonly content: Content;
  /** When this revision was first known here, after the answer. */
  readonly since: Instant;
  /** The store had gone back when it said so, or was out of sight before: somebody else may have been granted what it no longer knows. */
  readonly afterLoss: boolean;
}

export interface Ownership {
  readonly seen: Seen | null;
  /** Until when this daemon may hold the addresses; null: it has no record. In the past: it may not. */
  readonly until: Instant | null;
  /** Writes of this life whose outcome is not known, and when each was about to be sent. */
  readonly open: readonly { readonly serial: number; readonly sentAt: Instant }[];
  readonly serial: number;
  /** The last record of this pair that stood there, whatever has become of the store since. */
  readonly last: GroupRecord | null;
  /** When the store last answered. */
  readonly heardAt: Instant | null;
  /** The latest revision in which the key was there: it only grows while the store forgets nothing. */
  readonly latest: string;
}

export const NOTHING_KNOWN: Ownership = {
  seen: null,
  until: null,
  open: [],
  serial: 0,
  last: null,
  heardAt: null,
  latest: "0",
};

/** Any answer that shows the key, the moment it is here. */
export function observe(own: Ownership, reading: Reading, me: Myself, now: Instant): Ownership {
  const { revision, value } = reading;
  const blind = own.heardAt !== null && now - own.heardAt > me.gap;
  if (!blind && own.seen?.revision === revision && own.seen.value === value) return { ...own, heardAt: now };
  const back = blind || (value !== null && isBefore(own, reading));
  const content = readContent(value, me);
  const seen: Seen = { revision, value, content, since: now, afterLoss: back };
  const known = { ...own, heardAt: now, latest: value === null ? own.latest : revision };
  if (content.kind === "absent") return { ...known, seen };
  if (content.kind === "foreign") return { ...known, seen, until: null };
  const { record } = content;
  // Epochs of before the loss are not given again.
  const last = back && own.last !== null && own.last.epoch > record.epoch ? own.last : record;
  // One that still holds outlives a store that remembers only how it was before: its own older record, or none.
  if (record.life !== me.life) return { ...known, seen, last, until: record.life === null && back ? own.until : null };
  // A write that was given up as lost may have succeeded after all.
  return confirm({ ...known, seen, last }, record);
}

/** Revisions only grow: one that is there again with something else is as much of the past as a smaller one. */
const isBefore = ({ latest, seen }: Ownership, { revision, value }: Reading): boolean =>
  BigInt(revision) < BigInt(latest) || (revision === latest && seen?.value !== value);

const later = (one: Instant | null, other: Instant): Instant => (one === null || one < other ? other : one);

export interface Write {
  readonly expected: Reading;
  readonly record: GroupRecord;
}

/** The next write of this daemon, and the ownership in which it is under way: `now` is before it is sent. Only after a look. */
export function beginWrite(
  own: Ownership,
  me: Myself,
  now: Instant,
): { readonly own: Ownership; readonly write: Write } {
  const serial = own.serial + 1;
  const known = own.last;
  const epoch = known === null ? 1 : known.epoch + (known.life === me.life ? 0 : 1);
  const { host, life, ttl, addresses } = me;
  const record: GroupRecord = { host, life, epoch, serial, ttl, silence: SILENCE, addresses };
  // Of what was sent longer ago nothing can count any more.
  const open = [...own.open.filter(({ sentAt }) => after(sentAt, ttl) > now), { serial, sentAt: now }];
  return { own: { ...own, serial, open }, write: { expected: standing(own), record } };
}

const standing = ({ seen }: Ownership): Reading =>
  seen === null ? { revision: "0", value: null } : { revision: seen.revision, value: seen.value };

/** The record given back: whoever comes next need not wait. Null when it is not this life's. */
export function releasing(own: Ownership, me: Myself): Write | null {
  const record = recordOf(own);
  if (record === null || record.life !== me.life) return null;
  return { expected: standing(own), record: { ...record, life: null } };
}

export interface Written {
  readonly write: Write;
  /** Which the write has made. */
  readonly revision: string;
}

/** The write succeeded. */
export function written(own: Ownership, { write, revision }: Written, me: Myself, now: Instant): Ownership {
  const { record } = write;
  const content: Content = { kind: "record", record };
  const seen: Seen = { revision, value: encodeRecord(record), content, since: now, afterLoss: false };
  const known: Ownership = { ...own, seen, last: record, heardAt: now, latest: revision };
  return record.life === me.life ? confirm(known, record) : letGo(known);
}

/** A write of this life stands in the store. It counts from when it was sent, not from now. */
function confirm(own: Ownership, { serial, ttl }: GroupRecord): Ownership {
  const sent = own.open.find((one) => one.serial === serial);
  const open = own.open.filter((one) => one.serial > serial);
  return { ...own, open, until: sent === undefined ? own.until : later(own.until, after(sent.sentAt, ttl)) };
}

/** Nothing counts any more of what was granted: before the record is given back, whether or not the store hears of it. */
export const letGo = (own: Ownership): Ownership => ({ ...own, until: null, open: [] });

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
export function claimStep(own: Ownership, me: Myself, renewals: number, now: Instant): ClaimStep {
  const { seen } = own;
  if (seen === null) return { kind: "wait", until: now };
  const { content } = seen;
  if (content.kind === "foreign")
    return {
      kind: "foreign",
      reason: `${content.why}: give this pair a prefix of its own, or remove the key, if it is this pair's of before`,
    };
  const record = content.kind === "record" ? content.record : null;
  const free = record === null || record.life === null || record.life === me.life;
  if (free && (isHeld(own, now) || (record !== null && !seen.afterLoss))) return { kind: "write" };
  if (!free && renewals >= SIGNS_OF_LIFE) {
    const holder = `${record.host} holds the record in epoch ${record.epoch} and renews it`;
    return { kind: "refuse", reason: `${holder}: it is alive, whatever can be heard of it here` };
  }
  const until = after(seen.since, longestWait(own, me));
  return now >= until ? { kind: "write" } : { kind: "wait", until };
}

/** For whoever may hold: with the times of the records that are known, and no less than with this host's own. */
export function longestWait(own: Ownership, { ttl }: Myself): Micros {
  const records = [recordOf(own), own.last].filter((one) => one !== null);
  const longest = (lengths: readonly Micros[]): Micros => micros(Math.max(...lengths));
  return waitFor({
    ttl: longest([ttl, ...records.map((one) => one.ttl)]),
    silence: longest([SILENCE, ...records.map(({ silence }) => silence)]),
  });
}
