/**
 * The journal: every event as one line, append-only, in the state directory. Owns repair at open, rotation and the
 * behaviour on a full disk. Plain instances never wait for it: lines are queued and written behind; `flush` is the
 * place where a takeover that must be on disk first waits. It never stops the daemon.
 */
import { type FileHandle, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { EventEntry } from "./contract/types.ts";
import { encodeLine, scanJournal } from "./journal-format.ts";
import { JOURNAL_FILE, readJournal, rotatedFile } from "./journal-reader.ts";

/** What the journal does to files; replaced in tests by a disk that is full. */
export interface JournalDisk {
  append(file: FileHandle, text: string): Promise<void>;
}

export interface JournalOptions {
  readonly directory: string;
  /** A file that would grow beyond this is rotated away. */
  readonly maxBytes?: number;
  /** Rotated files that are kept. */
  readonly keep?: number;
  /** Called once per outage. */
  readonly onUnwritable: (detail: string) => void;
  /** It can be written again after an outage. */
  readonly onWritable?: () => void;
  readonly disk?: JournalDisk;
  /** Pause after a failed write. */
  readonly retryMillis?: number;
}

export interface JournalError {
  readonly code: "journal-unusable";
  readonly message: string;
  readonly remedy: string;
}

const MAX_BYTES = 4 * 1_048_576;
const KEEP = 4;
const RETRY_MILLIS = 2_000;
const FRESH_FILE = "journal.new.jsonl";
/** Lines that wait for a disk that does not take them; the oldest are given up first, and counted. */
const MOST_QUEUED = 10_000;

const plainDisk: JournalDisk = { append: (file, text) => file.appendFile(text) };

export class Journal {
  readonly #options: JournalOptions;
  readonly #path: string;
  #file: FileHandle;
  /** Bytes known to be whole lines. */
  #size: number;
  #queue: EventEntry[] = [];
  #lost = 0;
  #writing: Promise<void> | null = null;
  #failed = false;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;
  readonly firstSequence: number;
  /** What repair found and where it put it, in words; null when the journal was whole. */
  readonly repaired: string | null;

  private constructor(options: JournalOptions, opened: Opened) {
    this.#options = options;
    this.#path = opened.path;
    this.#file = opened.file;
    this.#size = opened.size;
    this.firstSequence = opened.nextSequence;
    this.repaired = opened.repaired;
  }

  static async open(options: JournalOptions): Promise<Result<Journal, JournalError>> {
    try {
      return ok(new Journal(options, await openRepaired(options.directory)));
    } catch (error) {
      return err({
        code: "journal-unusable",
        message: `the journal in ${options.directory} cannot be opened: ${reasonOf(error)}`,
        remedy: "make it a directory this user may write to, or name another one with --state-dir",
      });
    }
  }

  get writable(): boolean {
    return !this.#failed;
  }

  /** Lines given up because the disk did not take them. */
  get lost(): number {
    return this.#lost;
  }

  /** Never throws, never waits. */
  append(entry: EventEntry): void {
    if (this.#closed) return;
    this.#queue.push(entry);
    this.#giveUpOldest();
    if (!this.#failed) this.#start();
  }

  /** Waits until everything appended so far is on the disk; false when it is not. */
  async flush(): Promise<boolean> {
    if (this.#failed) this.#start();
    await this.#drained();
    if (this.#failed || this.#queue.length > 0) return false;
    try {
      await this.#file.datasync();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#drained();
    await this.#file.close();
  }

  async #drained(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  #start(): void {
    if (this.#writing !== null || this.#queue.length === 0) return;
    this.#writing = this.#writeQueued().finally(() => {
      this.#writing = null;
      if (!this.#failed && this.#queue.length > 0) this.#start();
    });
  }

  async #writeQueued(): Promise<void> {
    const batch = this.#queue;
    this.#queue = [];
    const text = batch.map(encodeLine).join("");
    try {
      await this.#rotateFor(Buffer.byteLength(text));
      await (this.#options.disk ?? plainDisk).append(this.#file, text);
    } catch (error) {
      await this.#cutBack();
      this.#queue = [...batch, ...this.#queue];
      this.#giveUpOldest();
      this.#fail(error);
      return;
    }
    this.#size += Buffer.byteLength(text);
    if (this.#failed) this.#recovered();
  }

  #giveUpOldest(): void {
    const excess = this.#queue.length - MOST_QUEUED;
    if (excess <= 0) return;
    this.#queue.splice(0, excess);
    this.#lost += excess;
  }

  /** A write may have reached the disk in part: nothing but whole lines may stay. */
  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#size);
    } catch {
      // The repair at the next open finds the same torn line.
    }
  }

  #fail(error: unknown): void {
    const detail = `${this.#path}: ${reasonOf(error)}`;
    const first = !this.#failed;
    this.#failed = true;
    if (first) this.#options.onUnwritable(detail);
    if (this.#closed || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#start();
    }, this.#options.retryMillis ?? RETRY_MILLIS);
    this.#retry.unref();
  }

  #recovered(): void {
    this.#failed = false;
    this.#options.onWritable?.();
  }

  async #rotateFor(bytes: number): Promise<void> {
    const { directory, maxBytes = MAX_BYTES, keep = KEEP } = this.#options;
    if (this.#size === 0 || this.#size + bytes <= maxBytes) return;
    // The new file is there before the old ones move: a full directory must not shift them again at every attempt.
    const fresh = join(directory, FRESH_FILE);
    const file = await open(fresh, "a", 0o600);
    await rm(join(directory, rotatedFile(keep)), { force: true });
    for (let index = keep - 1; index >= 1; index -= 1) {
      await renameIfThere(join(directory, rotatedFile(index)), join(directory, rotatedFile(index + 1)));
    }
    await renameIfThere(this.#path, join(directory, rotatedFile(1)));
    await rename(fresh, this.#path);
    const full = this.#file;
    this.#file = file;
    this.#size = 0;
    await full.close();
  }
}

interface Opened {
  readonly path: string;
  readonly file: FileHandle;
  readonly size: number;
  readonly nextSequence: number;
  readonly repaired: string | null;
}

async function openRepaired(directory: string): Promise<Opened> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const path = join(directory, JOURNAL_FILE);
  const file = await open(path, "a+", 0o600);
  try {
    const bytes = await file.readFile();
    const scan = scanJournal(bytes);
    const repaired = await repair(file, { directory, bytes, soundBytes: scan.soundBytes });
    if (scan.unterminated) await file.appendFile("\n");
    const last = scan.entries.at(-1)?.sequence ?? (await lastRotated(directory));
    const size = scan.soundBytes + (scan.unterminated ? 1 : 0);
    return { path, file, size, nextSequence: last + 1, repaired };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Torn {
  readonly directory: string;
  readonly bytes: Buffer;
  readonly soundBytes: number;
}

/** Moves what follows the last whole line into a file of its own, then cuts it off. */
async function repair(file: FileHandle, { directory, bytes, soundBytes }: Torn): Promise<string | null> {
  const torn = bytes.subarray(soundBytes);
  if (torn.length === 0) return null;
  const aside = await writeAside(directory, torn);
  await file.truncate(soundBytes);
  return `${torn.length} bytes after the last whole line of the journal were moved to ${aside}`;
}

async function writeAside(directory: string, torn: Buffer): Promise<string> {
  for (let index = 1; ; index += 1) {
    const aside = join(directory, `journal.torn-${index}`);
    try {
      await writeFile(aside, torn, { flag: "wx", mode: 0o600 });
      return aside;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

async function lastRotated(directory: string): Promise<number> {
  const { events } = await readJournal(directory, {}, 1);
  return events.at(-1)?.sequence ?? 0;
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
