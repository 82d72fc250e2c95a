/**
 * One line of the journal: `{"seq":7,"crc":"0f3a…","event":{…}}`. The checksum covers number and event as written, so a
 * line that was written in part, or over garbage, is known for what it is. Valid JSON, so other tools read it too.
 */
import { crc32 } from "node:zlib";
import type { EventEntry } from "./contract/types.ts";

/** `s`: JSON leaves U+2028 and U+2029 as they are, and a program may write them to standard error. */
const LINE = /^\{"seq":(\d{1,15}),"crc":"([0-9a-f]{8})","event":(\{.*\})\}$/s;

const checksum = (sequence: number, event: string): string =>
  crc32(`${sequence}:${event}`).toString(16).padStart(8, "0");

/** The line, newline included. */
export function encodeLine(entry: EventEntry): string {
  const { sequence, ...event } = entry;
  const text = JSON.stringify(event);
  return `{"seq":${sequence},"crc":"${checksum(sequence, text)}","event":${text}}\n`;
}

/** Reads a line without its newline; null when it is not one that was written whole. */
export function decodeLine(line: string): EventEntry | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const sequence = Number(match[1]);
  const text = match[3] ?? "";
  if (match[2] !== checksum(sequence, text)) return null;
  return { sequence, ...(JSON.parse(text) as Omit<EventEntry, "sequence">) };
}

export interface Scan {
  readonly entries: readonly EventEntry[];
  /** Lines before the last valid one that are damaged: left where they are, counted. */
  readonly damaged: number;
  /** Bytes up to and including the last valid line (with its newline, if it has one). */
  readonly soundBytes: number;
  /** The last valid line has no newline. */
  readonly unterminated: boolean;
}

const NEWLINE = 0x0a;

export function scanJournal(bytes: Buffer): Scan {
  const entries: EventEntry[] = [];
  let damaged = 0;
  let pending = 0;
  let soundBytes = 0;
  let unterminated = false;
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    const entry = decodeLine(bytes.toString("utf8", start, end));
    if (entry === null) pending += 1;
    else {
      entries.push(entry);
      damaged += pending;
      pending = 0;
      soundBytes = Math.min(end + 1, bytes.length);
      unterminated = found === -1;
    }
    start = end + 1;
  }
  return { entries, damaged, soundBytes, unterminated };
}
