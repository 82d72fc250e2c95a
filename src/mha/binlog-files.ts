/**
 * Cuts out of log files what a replica lacks: whole transactions from a position of the master on, byte for byte, behind the format event
 * that describes them. What is written can be read by mysqlbinlog. Files are read in pieces, so that their size does not matter.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import {
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
} from "../core/mha/binlog.ts";
import { comparePositions } from "../core/mha/election.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { MhaError } from "./environment.ts";
import { openFresh } from "./files.ts";

export interface LogFile {
  readonly path: string;
  /** The master's name of it; "" for a relay log, whose events name it. */
  readonly name: string;
}

export interface Cut {
  /** The position was found: nothing between it and the first transaction is missing. */
  readonly covered: boolean;
  readonly transactions: number;
  readonly bytes: number;
  /** Behind the last transaction that is complete; null when there is none. */
  readonly end: Coordinates | null;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Of one file. */
interface Progress {
  format: Range | null;
  /** The format event is in the output already. */
  described: boolean;
  group: { readonly from: number; readonly at: Coordinates | null } | null;
}

const PIECE = 1 << 20;

/** Reads forward through one file. */
class Reader {
  readonly #file: number;
  #piece = Buffer.alloc(0);
  #at = 0;
  /** Bytes of the file. */
  readonly size: number;

  constructor(path: string) {
    this.#file = openSync(path, "r");
    this.size = fstatSync(this.#file).size;
  }

  /** Fewer bytes at the end of the file. */
  read(at: number, length: number): Buffer {
    if (at < this.#at || at + length > this.#at + this.#piece.length) {
      const piece = Buffer.alloc(Math.max(PIECE, length));
      const read = readSync(this.#file, piece, 0, piece.length, at);
      this.#piece = piece.subarray(0, read);
      this.#at = at;
    }
    return this.#piece.subarray(at - this.#at, at - this.#at + length);
  }

  close(): void {
    closeSync(this.#file);
  }
}

export interface CutOrder {
  readonly from: Coordinates;
  readonly output: string;
  /** A file of the manager's own: what is there by its name is replaced, not written into. */
  readonly fresh?: boolean;
  /** The files begin exactly there, so that it need not be found. */
  readonly beginsThere?: boolean;
}

/** Writes the transactions behind `from`, of all files in order, into `output`. */
export function cutLogs(
  files: readonly LogFile[],
  { from, output, fresh = false, beginsThere = false }: CutOrder,
): Cut {
  const out = fresh ? openFresh(output) : openSync(output, "w", 0o600);
  const cutter = new Cutter(from, out, beginsThere);
  try {
    writeSync(out, Uint8Array.from(MAGIC));
    for (const file of files) cutter.take(file);
  } finally {
    closeSync(out);
  }
  return cutter.result;
}

class Cutter {
  readonly #from: Coordinates;
  readonly #out: number;
  #covered: boolean;
  #transactions = 0;
  #bytes = 0;
  #end: Coordinates | null = null;
  #name = "";

  constructor(from: Coordinates, out: number, covered: boolean) {
    this.#from = from;
    this.#out = out;
    this.#covered = covered;
  }

  get result(): Cut {
    return { covered: this.#covered, transactions: this.#transactions, bytes: this.#bytes, end: this.#end };
  }

  take({ path, name }: LogFile): void {
    const reader = new Reader(path);
    try {
      const magic = reader.read(0, MAGIC.length);
      if (isEncrypted(magic))
        throw new MhaError(`${path} is encrypted; its transactions cannot be taken from the file`);
      if (!isLog(magic)) throw new MhaError(`${path} is no binary log`);
      this.#scan(reader, logStart(name === "" ? this.#name : name), path);
    } finally {
      reader.close();
    }
  }

  #scan(reader: Reader, start: LogState, path: string): void {
    const progress: Progress = { format: null, described: false, group: null };
    let state = start;
    for (let at = MAGIC.length; ; ) {
      const header = readHeader(reader.read(at, HEADER_LENGTH));
      // Half an event at the end was being written when the server died; what it says of its length may be anything.
      if (header === null || at + header.length > reader.size) return;
      const content = needsContent(header) ? reader.read(at, header.length).subarray(HEADER_LENGTH) : new Uint8Array();
      const step = readEvent(state, header, content);
      if (step.role === "encrypted") {
        throw new MhaError(`${path} is encrypted; its transactions cannot be taken from the file`);
      }
      state = step.state;
      this.#name = state.file;
      this.#notice(step, header.length);
      this.#follow(reader, progress, { step, range: { from: at, to: at + header.length } });
      at += header.length;
    }
  }

  #follow(
    reader: Reader,
    progress: Progress,
    { step, range }: { readonly step: LogStep; readonly range: Range },
  ): void {
    if (step.role === "format") {
      progress.format = range;
      progress.described = false;
    }
    if (step.role === "begin") progress.group = { from: range.from, at: step.at };
    else if (step.role === "end") {
      if (progress.group !== null && this.#isWanted(progress.group.at)) this.#keep(reader, progress, { step, range });
      progress.group = null;
    } else if (!step.state.inGroup) progress.group = null;
  }

  #keep(reader: Reader, progress: Progress, { step, range }: { readonly step: LogStep; readonly range: Range }): void {
    if (!progress.described && progress.format !== null) this.#copy(reader, progress.format);
    progress.described = true;
    this.#copy(reader, { from: progress.group?.from ?? range.from, to: range.to });
    this.#transactions += 1;
    const length = range.to - range.from;
    this.#end = step.at === null ? null : { file: step.at.file, offset: step.at.offset + length };
  }

  /** An event that begins or ends exactly at the wanted position. */
  #notice({ at }: LogStep, length: number): void {
    if (at === null || at.file !== this.#from.file) return;
    const { offset } = this.#from;
    // Every log begins with its magic bytes.
    if (at.offset === offset || at.offset + length === offset || (at.offset === MAGIC.length && offset <= MAGIC.length))
      this.#covered = true;
  }

  #isWanted(at: Coordinates | null): boolean {
    return this.#covered && at !== null && comparePositions(at, this.#from) >= 0;
  }

  #copy(reader: Reader, { from, to }: Range): void {
    for (let at = from; at < to; ) {
      const piece = reader.read(at, Math.min(PIECE, to - at));
      writeSync(this.#out, piece);
      at += piece.length;
    }
    this.#bytes += to - from;
  }
}
