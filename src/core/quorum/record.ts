/**
 * The record of one managed group in the store: who may be its writer, in which epoch, and for how long a write of it counts. Read with
 * distrust: another pair may use the same prefix, an operator may have put anything there.
 */
import { type Micros, micros } from "../lib/units.ts";

export interface GroupRecord {
  /** The daemon's host in its own words, for people; never compared. */
  readonly host: string;
  /** One daemon from its start to its end; null: released, whoever comes first may have it. */
  readonly life: string | null;
  /** Grows with every change of the holder. */
  readonly epoch: number;
  /** Of the writes of one life: which of them this is. */
  readonly serial: number;
  readonly ttl: Micros;
  /** How long after the end of `ttl` the holder's addresses may still answer. */
  readonly silence: Micros;
  /** The addresses that move with it: by these a pair knows its own record. */
  readonly addresses: readonly string[];
}

export type Content =
  | { readonly kind: "absent" }
  | { readonly kind: "record"; readonly record: GroupRecord }
  /** Not ours to change. */
  | { readonly kind: "foreign"; readonly why: string };

const FORM = "holdfast-writer-1";
/** No pair waits longer than that for another's ttl: a record that says more is damaged. */
const LONGEST = 3_600_000;

export function encodeRecord(record: GroupRecord): string {
  const { host, life, epoch, serial, addresses } = record;
  const times = { ttlMillis: record.ttl / 1_000, silenceMillis: record.silence / 1_000 };
  return JSON.stringify({ form: FORM, host, life, epoch, serial, ...times, addresses });
}

/** For the group that looks: its addresses may just have been changed, and then a record of its own life is still its own. */
export function readContent(
  value: string | null,
  { addresses, life }: { readonly addresses: readonly string[]; readonly life: string },
): Content {
  if (value === null) return { kind: "absent" };
  const record = parse(value);
  if (record === null) return { kind: "foreign", why: "the key holds something that is no record of Holdfast" };
  if (record.life === life || record.addresses.some((one) => addresses.includes(one)))
    return { kind: "record", record };
  const whose = `the record there is another pair's, ${record.host} with ${record.addresses.join(", ") || "no address"}`;
  return { kind: "foreign", why: whose };
}

function parse(value: string): GroupRecord | null {
  const read = json(value);
  if (read === null) return null;
  const { form, host, life, epoch, serial, ttlMillis, silenceMillis, addresses } = read;
  if (form !== FORM) return null;
  if (typeof host !== "string" || (life !== null && typeof life !== "string")) return null;
  if (!isCount(epoch) || !isCount(serial)) return null;
  if (!isLength(ttlMillis) || !isLength(silenceMillis)) return null;
  if (!Array.isArray(addresses) || !addresses.every((one) => typeof one === "string")) return null;
  const times = { ttl: micros(ttlMillis * 1_000), silence: micros(silenceMillis * 1_000) };
  return { host, life, epoch, serial, ...times, addresses };
}

function json(value: string): Readonly<Record<string, unknown>> | null {
  try {
    const read: unknown = JSON.parse(value);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? { ...read } : null;
  } catch {
    return null;
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isLength = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= LONGEST;
