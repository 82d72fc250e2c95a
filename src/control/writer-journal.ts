/**
 * writers.jsonl in the state directory: one checksummed line for each record, append-only, on the disk before it counts. The event journal is
 * rotated and may lose lines on a full disk; these few lines must not. A line that a crash has cut off never counted, because nothing was
 * opened before it was whole; it is cut away. A line damaged further up is told and makes the whole file doubtful.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { WriterRecord } from "../core/peer-link/questions.ts";
import type { WriterJournal } from "../ports/writer-journal.ts";

export const WRITERS_FILE = "writers.jsonl";
/** Beyond this only the last record of each group is kept. */
const COMPACT_BYTES = 256 * 1_024;
const LINE = /^\{"crc":"([0-9a-f]{8})","record":(\{.*\})\}$/s;
const ROLES: ReadonlySet<string> = new Set<WriterRecord["role"]>(["writer", "released", "standby", "initial"]);

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, "0");

export function encodeRecord(record: WriterRecord): string {
  const text = JSON.stringify(record);
  return `{"crc":"${checksum(text)}","record":${text}}\n`;
}

function decodeRecord(line: string): WriterRecord | null {
  const match = LINE.exec(line);
  if (match === null || match[1] !== checksum(match[2] ?? "")) return null;
  const record = JSON.parse(match[2] ?? "") as WriterRecord;
  const sound = typeof record.group === "string" && Number.isSafeInteger(record.epoch) && ROLES.has(record.role);
  return sound ? record : null;
}

interface Contents {
  readonly records: readonly WriterRecord[];
  readonly soundBytes: number;
  /** Lines before the last sound one that cannot be read. */
  readonly damaged: number;
}

export function readRecords(bytes: Buffer): Contents {
  const records: WriterRecord[] = [];
  let [soundBytes, damaged, pending, start] = [0, 0, 0, 0];
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    const record = decodeRecord(bytes.toString("utf8", start, end));
    start = end + 1;
    if (record === null) pending += 1;
    else {
      records.push(record);
      damaged += pending;
      pending = 0;
      soundBytes = start;
    }
  }
  // A write that was cut off has no newline: a whole line that cannot be read was damaged later.
  return { records, soundBytes, damaged: damaged + pending };
}

export function openWriterJournal(directory: string, wallMillis: () => number): WriterJournal {
  const path = join(directory, WRITERS_FILE);
  const last = new Map<string, WriterRecord>();
  const loaded = load(directory, path);
  for (const record of loaded.records) last.set(record.group, record);
  let { size, problem } = loaded;
  let queue: Promise<unknown> = Promise.resolve();

  const write = async (record: WriterRecord): Promise<boolean> => {
    try {
      if (size > COMPACT_BYTES) size = compact(directory, path, [...last.values()]);
      size = await appendTo(path, size, encodeRecord(record));
      last.set(record.group, record);
      return true;
    } catch (error) {
      problem = `${path} cannot be written: ${reasonOf(error)}`;
      return false;
    }
  };
  return {
    last: (group) => last.get(group) ?? null,
    all: () => [...last.values()],
    append(record) {
      const written = queue.then(() => write({ ...record, time: wallMillis() }));
      queue = written;
      return written;
    },
    get problem() {
      return problem;
    },
  };
}

/** What is behind the sound part is the rest of a write that never counted. */
async function appendTo(path: string, size: number, text: string): Promise<number> {
  const file = await open(path, "a", 0o600);
  try {
    await file.truncate(size);
    await file.appendFile(text);
    await file.datasync();
    return size + Buffer.byteLength(text);
  } finally {
    await file.close();
  }
}

function load(directory: string, path: string) {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    const bytes = readIfThere(path);
    const { records, soundBytes, damaged } = readRecords(bytes);
    if (bytes.length === 0) createEmpty(directory, path);
    else if (damaged === 0 && soundBytes < bytes.length) truncateSync(path, soundBytes);
    const problem =
      damaged === 0
        ? null
        : `${path}: ${damaged} records are damaged, the last of a group may be among them; move the file away and say \`holdfast init-writer\` on the host with the newer data`;
    return { records, size: damaged === 0 ? soundBytes : bytes.length, problem };
  } catch (error) {
    return { records: [], size: 0, problem: `${path} cannot be read: ${reasonOf(error)}` };
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** The name is on the disk before the first record relies on it. */
function createEmpty(directory: string, path: string): void {
  closeSync(openSync(path, "a", 0o600));
  syncDirectory(directory);
}

function compact(directory: string, path: string, records: readonly WriterRecord[]): number {
  const text = records.map(encodeRecord).join("");
  const fresh = `${path}.new`;
  const file = openSync(fresh, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  syncDirectory(directory);
  return Buffer.byteLength(text);
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
