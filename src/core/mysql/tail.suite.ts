/** Binary log files as the servers write them, in miniature: for tests of what reads them. */
import { EVENT, HEADER_LENGTH, MAGIC } from "../mha/binlog.ts";
import { concat, latin1, u32 } from "./source-packets.ts";
import { type Crc32, LOG_HEAD_BYTES, type LogPart } from "./tail.ts";

export interface LogOptions {
  readonly file?: string;
  readonly serverId?: number;
  readonly checksum?: boolean;
}

export const MODEL_VERSION = "10.11.18-MariaDB-log";
const XID = 16;
const ROWS = 19;

/** One file; each method appends an event, and gives where it begins. */
export class LogFileModel {
  readonly file: string;
  readonly #crc32: Crc32;
  readonly #serverId: number;
  readonly #checksum: boolean;
  bytes: Uint8Array = Uint8Array.from(MAGIC);

  constructor(crc32: Crc32, { file = "m1-bin.000001", serverId = 1, checksum = true }: LogOptions = {}) {
    this.file = file;
    this.#crc32 = crc32;
    this.#serverId = serverId;
    this.#checksum = checksum;
    const version = concat([latin1(MODEL_VERSION), new Uint8Array(50 - MODEL_VERSION.length)]);
    const types = new Uint8Array(45);
    const method = Uint8Array.of(checksum ? 1 : 0);
    const content = concat([Uint8Array.of(4, 0), version, types, method, new Uint8Array(checksum ? 0 : 4)]);
    this.append(EVENT.format, content);
    // As in a file that was not closed: the checksum leaves the flag out.
    this.bytes[MAGIC.length + 17] = 1;
  }

  append(type: number, content: Uint8Array = new Uint8Array(), serverId = this.#serverId): number {
    const at = this.bytes.length;
    const length = HEADER_LENGTH + content.length + (this.#checksum ? 4 : 0);
    const head = [u32(0), Uint8Array.of(type), u32(serverId), u32(length), u32(at + length), Uint8Array.of(0, 0)];
    const event = concat([...head, content]);
    this.bytes = concat([this.bytes, event, ...(this.#checksum ? [u32(this.#crc32(event))] : [])]);
    return at;
  }

  /** GTID of domain 0, rows, commit. */
  transaction(sequence: number, serverId = this.#serverId): number {
    const at = this.append(EVENT.mariadbGtid, concat([u32(sequence), new Uint8Array(15)]), serverId);
    this.append(ROWS, u32(sequence), serverId);
    this.append(XID, u32(sequence), serverId);
    return at;
  }

  rotate(to: string): number {
    return this.append(EVENT.rotate, concat([u32(4), u32(0), latin1(to)]));
  }

  part(from = 4, bytes = this.bytes): LogPart {
    return { file: this.file, head: bytes.subarray(0, LOG_HEAD_BYTES), from, bytes: bytes.subarray(from) };
  }
}
