/**
 * Binary logs and relay logs as far as recovery has to understand them: where an event lies in the master's coordinates, and where a
 * transaction begins and ends. Both products write the same frame: 19 bytes of header, the rest by type, a checksum of 4 bytes where the
 * format event says so. Pure: the caller reads bytes. MySQL's internals manual, "Binary Log Event Types"; MariaDB's "Replication Protocol".
 */
import type { Coordinates } from "../mysql/coordinates.ts";

export const HEADER_LENGTH = 19;
/** 0xfe "bin". */
export const MAGIC: readonly number[] = [0xfe, 0x62, 0x69, 0x6e];
/** 0xfd "bin": MySQL has encrypted the file. */
export const isEncrypted = (bytes: Uint8Array): boolean => bytes[0] === 0xfd && bytes[1] === 0x62;
export const isLog = (bytes: Uint8Array): boolean => MAGIC.every((byte, at) => bytes[at] === byte);

export const EVENT = {
  query: 2,
  stop: 3,
  rotate: 4,
  format: 15,
  xid: 16,
  mysqlGtid: 33,
  mysqlAnonymous: 34,
  mysqlXaPrepare: 38,
  mysqlPayload: 40,
  mysqlTaggedGtid: 42,
  mariadbGtid: 162,
  /** A statement as log_bin_compress writes it; what it says cannot be read here. */
  mariadbCompressedQuery: 165,
  mariadbEncryption: 164,
} as const;

/** Written by the replica itself, not by the master. */
const RELAY_FLAG = 0x40;
/** Made up when a connection began: it is in no log of the master. */
const ARTIFICIAL_FLAG = 0x20;
/** MariaDB: the transaction is this one statement. */
const STANDALONE = 0x01;

export interface EventHeader {
  readonly type: number;
  readonly length: number;
  /** Position behind it in the master's log; 0 for what is in no log of the master. */
  readonly end: number;
  readonly flags: number;
}

/** Null: no event begins there. */
export function readHeader(bytes: Uint8Array): EventHeader | null {
  if (bytes.length < HEADER_LENGTH) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH);
  const length = view.getUint32(9, true);
  if (length < HEADER_LENGTH) return null;
  return { type: view.getUint8(4), length, end: view.getUint32(13, true), flags: view.getUint16(17, true) };
}

/** Types whose content says something about transactions or files; of all others the header is enough. */
const TOLD_BY_CONTENT: ReadonlySet<number> = new Set([EVENT.query, EVENT.rotate, EVENT.format, EVENT.mariadbGtid]);
export const needsContent = ({ type }: EventHeader): boolean => TOLD_BY_CONTENT.has(type);

export interface LogState {
  /** Log of the master that events are from; "" before a rotate event has named it. */
  readonly file: string;
  readonly inGroup: boolean;
  /** A COMMIT ends the group; otherwise its first statement does. */
  readonly inTransaction: boolean;
  readonly checksum: boolean;
}

export const logStart = (file: string): LogState => ({ file, inGroup: false, inTransaction: false, checksum: false });

export type EventRole =
  /** The master's description of what follows. */
  | "format"
  | "begin"
  | "part"
  /** The transaction is complete with it. */
  | "end"
  /** Neither part of a transaction nor needed to read one. */
  | "other"
  | "encrypted";

export interface LogStep {
  readonly state: LogState;
  readonly role: EventRole;
  /** Where it begins in the master's log; null when it is in none. */
  readonly at: Coordinates | null;
}

/** `content` is what follows the header, for types that needsContent names. */
export function readEvent(state: LogState, header: EventHeader, content: Uint8Array): LogStep {
  const own = (header.flags & (RELAY_FLAG | ARTIFICIAL_FLAG)) === 0 && header.end > 0;
  const at = own ? { file: state.file, offset: header.end - header.length } : null;
  const step = (role: EventRole, changes: Partial<LogState> = {}): LogStep => ({
    state: { ...state, ...changes },
    role,
    at,
  });
  switch (header.type) {
    case EVENT.format:
      // In a relay log the replica's own description comes first; the master's follows and is the one that counts.
      return step("format", { checksum: hasChecksum(content), inGroup: false, inTransaction: false });
    case EVENT.rotate:
      return step("other", { file: rotatedTo(content, state.checksum), inGroup: false, inTransaction: false });
    case EVENT.mariadbEncryption:
      return step("encrypted");
    case EVENT.mysqlGtid:
    case EVENT.mysqlAnonymous:
    case EVENT.mysqlTaggedGtid:
      return step("begin", { inGroup: true, inTransaction: false });
    case EVENT.mariadbGtid:
      return step("begin", { inGroup: true, inTransaction: ((content[12] ?? 0) & STANDALONE) === 0 });
    case EVENT.xid:
    case EVENT.mysqlPayload:
    case EVENT.mysqlXaPrepare:
      return state.inGroup ? step("end", { inGroup: false, inTransaction: false }) : step("other");
    case EVENT.mariadbCompressedQuery:
      // BEGIN and COMMIT are shorter than log_bin_compress_min_len (10 at least), so it is one that stands alone, or part of a transaction.
      return state.inGroup ? afterQuery(state, step, "") : step("other");
    case EVENT.query:
      return state.inGroup ? afterQuery(state, step, queryOf(content, state.checksum)) : step("other");
    default:
      return step(state.inGroup ? "part" : "other");
  }
}

type Step = (role: EventRole, changes?: Partial<LogState>) => LogStep;

function afterQuery(state: LogState, step: Step, query: string): LogStep {
  if (/^(BEGIN|XA START\b.*)$/i.test(query)) return step("part", { inTransaction: true });
  const ends = state.inTransaction ? /^(COMMIT|ROLLBACK|XA (COMMIT|ROLLBACK|PREPARE)\b.*)$/i.test(query) : true;
  return ends ? step("end", { inGroup: false, inTransaction: false }) : step("part");
}

const CHECKSUM_LENGTH = 4;
const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
/** Longer statements are none of those that begin or end a transaction. */
const LONGEST = 200;

/** Thread, time, length of schema, error, length of status variables; then these, schema, 0, statement. */
function queryOf(content: Uint8Array, checksum: boolean): string {
  if (content.length < 13) return "";
  const schema = content[8] ?? 0;
  const status = (content[11] ?? 0) | ((content[12] ?? 0) << 8);
  const from = 13 + status + schema + 1;
  const to = content.length - (checksum ? CHECKSUM_LENGTH : 0);
  return ascii(content.subarray(from, Math.min(to, from + LONGEST))).trim();
}

/** As long as a name of a log may be; whatever comes is not to fill a stack. */
const NAME_MAX = 512;
const rotatedTo = (content: Uint8Array, checksum: boolean): string =>
  ascii(content.subarray(8, Math.min(content.length - (checksum ? CHECKSUM_LENGTH : 0), 8 + NAME_MAX)));

/** Version, server (50), time, header length, one byte per type; since checksums exist one byte for the method and 4 more. */
function hasChecksum(content: Uint8Array): boolean {
  return content.length > 62 && content[content.length - CHECKSUM_LENGTH - 1] === 1;
}
