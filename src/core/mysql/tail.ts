/**
 * What a dead writer's binary log holds behind a position, as it may be handed on: whole transactions, every event checked by its position and
 * its checksum. Half an event or half a transaction at the end is cut off: the server itself rolls it back when it starts again. Anything
 * else that is not as it should be refuses the whole: a copy with a hole is worse than none. Pure: the bytes come from the peer's daemon and may
 * be anything.
 */
import { err, ok, type Result } from "../lib/result.ts";
import {
  EVENT,
  type EventHeader,
  type EventRole,
  HEADER_LENGTH,
  isEncrypted,
  isLog,
  type LogState,
  type LogStep,
  logStart,
  MAGIC,
  needsContent,
  readEvent,
  readHeader,
} from "../mha/binlog.ts";
import type { Coordinates } from "./coordinates.ts";
import { parseMysqlSet } from "./gtid.ts";
import type { MemberGtids } from "./member.ts";

/** One binary log file of the dead server, from `from` to its end. */
export interface LogPart {
  readonly file: string;
  /** Its first bytes, LOG_HEAD_BYTES or the whole file. */
  readonly head: Uint8Array;
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** Enough for the events that describe a file: its format, and whether it is encrypted. */
export const LOG_HEAD_BYTES = 4_096;

/** CRC-32 as in zlib (ISO 3309). */
export type Crc32 = (bytes: Uint8Array) => number;

export interface TailPart {
  readonly file: string;
  readonly from: number;
  /** The event that describes the file, as it is there. */
  readonly format: Uint8Array;
  /** Whole events. */
  readonly bytes: Uint8Array;
}

/** A transaction's GTID as MariaDB (source: the domain) or MySQL (source: the server's UUID) counts it. */
export interface TailGtid {
  readonly source: string;
  readonly number: bigint;
}

export interface Tail {
  readonly from: Coordinates;
  /** Behind the last whole transaction; `from` when there is none. */
  readonly end: Coordinates;
  readonly parts: readonly TailPart[];
  readonly transactions: number;
  /** Half an event or half a transaction stood at the end, and is left out. */
  readonly isCut: boolean;
  /** The first of each source, in order; without those that carry none or a tagged one. */
  readonly first: readonly TailGtid[];
  /** As the server calls itself, "10.11.18-MariaDB-log". */
  readonly version: string;
  readonly serverId: number;
  /** Events end with a CRC-32. */
  readonly checksum: boolean;
}

const CHECKSUM_LENGTH = 4;
/** Written while the file is open, and not part of the checksum. */
const IN_USE_FLAG = 0x01;
const FLAGS_AT = 17;
const SERVER_AT = 5;

/** Neither part of a transaction nor harmful between two: all that a server writes by itself. */
const HOUSEKEEPING: ReadonlySet<number> = new Set([EVENT.stop, EVENT.rotate, EVENT.format, 35, 161, 163]);

interface Format {
  readonly bytes: Uint8Array;
  readonly state: LogState;
  readonly version: string;
  readonly serverId: number;
}

interface Progress {
  transactions: number;
  readonly first: Map<string, bigint>;
  half: boolean;
  end: { readonly part: number; readonly length: number } | null;
}

export interface CutOptions {
  readonly crc32: Crc32;
  /** Of whoever is to execute the tail: it skips its own transactions, so they do not count. */
  readonly ownServerId: number;
}

export function cutTail(parts: readonly LogPart[], options: CutOptions): Result<Tail, string> {
  const { crc32 } = options;
  const [start] = parts;
  if (start === undefined) return err("nothing was read");
  const progress: Progress = { transactions: 0, first: new Map(), half: false, end: null };
  const formats: Format[] = [];
  for (const [at, part] of parts.entries()) {
    const format = formatOf(part, crc32);
    if (!format.ok) return format;
    formats.push(format.value);
    const read = readPart({ part, at, isLast: at === parts.length - 1 }, { format: format.value, options }, progress);
    if (!read.ok) return read;
  }
  return joined(parts, formats, progress);
}

function joined(parts: readonly LogPart[], formats: readonly Format[], progress: Progress): Result<Tail, string> {
  const [first, start] = [formats[0], parts[0]];
  if (first === undefined || start === undefined) return err("nothing was read");
  const odd = formats.find((one) => one.state.checksum !== first.state.checksum || one.serverId !== first.serverId);
  if (odd !== undefined) return err("its files differ in checksum or server_id");
  const { end } = progress;
  const from = { file: start.file, offset: start.from };
  const kept = end === null ? [] : parts.slice(0, end.part + 1);
  const last = kept.at(-1);
  return ok({
    from,
    end: last === undefined ? from : { file: last.file, offset: last.from + (end?.length ?? 0) },
    parts: kept.map((part, at) => ({
      file: part.file,
      from: part.from,
      format: formats[at]?.bytes ?? first.bytes,
      bytes: at === end?.part ? part.bytes.subarray(0, end.length) : part.bytes,
    })),
    transactions: progress.transactions,
    isCut: progress.half,
    first: [...progress.first].map(([source, number]) => ({ source, number })),
    version: first.version,
    serverId: first.serverId,
    checksum: first.state.checksum,
  });
}

function formatOf({ file, head }: LogPart, crc32: Crc32): Result<Format, string> {
  if (isEncrypted(head)) return err(`${file} is encrypted`);
  if (!isLog(head)) return err(`${file} is no binary log`);
  const bytes = eventAt(head, MAGIC.length);
  const header = bytes === null ? null : readHeader(bytes);
  if (bytes === null || header?.type !== EVENT.format) return err(`${file} does not begin with its format`);
  const { state } = readEvent(logStart(file), header, bytes.subarray(HEADER_LENGTH));
  if (state.checksum && !isSound(bytes, crc32)) return err(`${file} has a wrong checksum at ${MAGIC.length}`);
  const next = readHeader(head.subarray(MAGIC.length + bytes.length));
  if (next?.type === EVENT.mariadbEncryption) return err(`${file} is encrypted`);
  const text = String.fromCharCode(...bytes.subarray(HEADER_LENGTH + 2, HEADER_LENGTH + 52));
  const [version = ""] = text.split("\0");
  if (!/^\d+\.\d+\.[\w.+~-]*$/.test(version)) return err(`${file} does not say which server wrote it`);
  return ok({ bytes, state, version, serverId: u32(bytes, SERVER_AT) });
}

interface Place {
  readonly part: LogPart;
  readonly at: number;
  readonly isLast: boolean;
}

interface Reading {
  readonly format: Format;
  readonly options: CutOptions;
}

function readPart({ part, at, isLast }: Place, { format, options }: Reading, progress: Progress): Result<null, string> {
  const { bytes, file } = part;
  let { state } = format;
  let isOwn = false;
  for (let offset = 0; offset < bytes.length; ) {
    const event = eventAt(bytes, offset);
    if (event === null) {
      progress.half = true;
      return endOf(place(part, offset), isLast && isPossible(part, offset));
    }
    const read = soundEvent(event, { part, offset, state }, options.crc32);
    if (!read.ok) return read;
    offset += event.length;
    state = read.value.state;
    if (read.value.role === "begin") isOwn = u32(event, SERVER_AT) === options.ownServerId;
    if (!isOwn) count(progress, { role: read.value.role, event, end: { part: at, length: offset } });
  }
  if (!state.inGroup) return ok(null);
  if (!isLast) return err(`half a transaction at the end of ${file}, and another file follows`);
  progress.half = true;
  return ok(null);
}

const place = ({ file, from }: LogPart, offset: number): string => `${file}:${from + offset}`;

const endOf = (where: string, torn: boolean): Result<null, string> =>
  torn ? ok(null) : err(`no whole event begins at ${where}`);

function count(
  progress: Progress,
  { role, event, end }: { readonly role: EventRole; readonly event: Uint8Array; readonly end: Progress["end"] },
): void {
  if (role === "begin") note(progress.first, event);
  if (role !== "end") return;
  progress.transactions++;
  progress.end = end;
}

/** A whole event that is where it says, as it was written, and in its place among others. */
function soundEvent(
  event: Uint8Array,
  { part, offset, state }: { readonly part: LogPart; readonly offset: number; readonly state: LogState },
  crc32: Crc32,
): Result<LogStep, string> {
  const position = part.from + offset;
  const where = place(part, offset);
  const header = readHeader(event);
  if (header === null || header.end !== (position + event.length) % WRITTEN_POSITIONS)
    return err(`no event begins at ${where}`);
  if (state.checksum && !isSound(event, crc32)) return err(`a wrong checksum at ${where}`);
  const content = needsContent(header) ? event.subarray(HEADER_LENGTH) : new Uint8Array();
  const step = readEvent(state, header, content);
  if (step.role === "encrypted") return err(`${part.file} is encrypted`);
  const isStray = step.role === "other" && !HOUSEKEEPING.has(header.type);
  return isStray || (state.inGroup && isCutOff(header)) ? err(`no transaction begins at ${where}`) : ok(step);
}

/** 32 bits are written, whatever the size of the file. */
const WRITTEN_POSITIONS = 2 ** 32;

/** Another transaction begins, or the file ends, in the middle of one. */
const isCutOff = ({ type }: EventHeader): boolean =>
  HOUSEKEEPING.has(type) ||
  type === EVENT.mariadbGtid ||
  type === EVENT.mysqlGtid ||
  type === EVENT.mysqlAnonymous ||
  type === EVENT.mysqlTaggedGtid;

/** The whole event that begins there; null when it is not whole. */
function eventAt(bytes: Uint8Array, at: number): Uint8Array | null {
  const header = readHeader(bytes.subarray(at));
  if (header === null || at + header.length > bytes.length) return null;
  return bytes.subarray(at, at + header.length);
}

/** Half an event may begin there: what is there of its header says where it lies. */
function isPossible({ bytes, from }: LogPart, at: number): boolean {
  if (bytes.length - at < HEADER_LENGTH) return true;
  const header = readHeader(bytes.subarray(at));
  return header !== null && header.end === (from + at + header.length) % WRITTEN_POSITIONS;
}

function isSound(event: Uint8Array, crc32: Crc32): boolean {
  const end = event.length - CHECKSUM_LENGTH;
  if (end < HEADER_LENGTH) return false;
  const written = u32(event, end);
  const covered = event.subarray(0, end);
  if (((event[FLAGS_AT] ?? 0) & IN_USE_FLAG) === 0 || event[4] !== EVENT.format) return crc32(covered) === written;
  const closed = covered.slice();
  closed[FLAGS_AT] = (closed[FLAGS_AT] ?? 0) & ~IN_USE_FLAG;
  return crc32(closed) === written;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u32 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint32(at, true);

function note(first: Map<string, bigint>, event: Uint8Array): void {
  const gtid = gtidOf(event[4] ?? 0, event);
  if (gtid !== null && !first.has(gtid.source)) first.set(gtid.source, gtid.number);
}

/** MariaDB: sequence (8), domain (4). MySQL: flags, UUID (16), number (8). */
function gtidOf(type: number, event: Uint8Array): TailGtid | null {
  if (event.length < HEADER_LENGTH + 12) return null;
  const view = viewOf(event);
  if (type === EVENT.mariadbGtid) {
    return { source: String(view.getUint32(HEADER_LENGTH + 8, true)), number: view.getBigUint64(HEADER_LENGTH, true) };
  }
  if (type !== EVENT.mysqlGtid || event.length < HEADER_LENGTH + 25) return null;
  const hex = [...event.subarray(HEADER_LENGTH + 1, HEADER_LENGTH + 17)].map((one) =>
    one.toString(16).padStart(2, "0"),
  );
  const uuid = [hex.slice(0, 4), hex.slice(4, 6), hex.slice(6, 8), hex.slice(8, 10), hex.slice(10)];
  return {
    source: uuid.map((part) => part.join("")).join("-"),
    number: view.getBigUint64(HEADER_LENGTH + 17, true),
  };
}

/**
 * Whether a tail continues what a server has by its GTIDs: the first transaction of each source is the one after its last there. Null: it does;
 * else why not. MySQL skips what it has, MariaDB stops or skips: neither notices a hole.
 */
export function whyNotNext({ first }: Pick<Tail, "first">, held: MemberGtids): string | null {
  for (const { source, number } of first) {
    const last = held.product === "mariadb" ? lastOfDomain(held, source) : lastOfServer(held.executed, source);
    if (last !== null && number === last + 1n) continue;
    return `it goes on with ${source}:${number}, here ${last === null ? "nobody knows what" : `${source}:${last}`} is the last one`;
  }
  return null;
}

function lastOfDomain({ binlogState, slavePos }: Extract<MemberGtids, { product: "mariadb" }>, domain: string): bigint {
  const numbers = `${binlogState},${slavePos}`.split(",").flatMap((text) => {
    const match = /^\s*(\d{1,10})-\d{1,10}-(\d{1,20})\s*$/.exec(text);
    return match?.[1] === domain ? [BigInt(match[2] ?? "0")] : [];
  });
  let most = 0n;
  for (const one of numbers) if (one > most) most = one;
  return most;
}

/** Null where its transactions have holes: which one comes next cannot be told. */
function lastOfServer(executed: string, uuid: string): bigint | null {
  const intervals = parseMysqlSet(executed)?.get(uuid) ?? [];
  const [first] = intervals;
  if (first === undefined) return 0n;
  return intervals.length === 1 && first[0] === 1n ? first[1] : null;
}
