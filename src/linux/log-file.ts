/**
 * A log file that never holds up the daemon: one write at a time in the background, the rest waits in memory, and what exceeds
 * the limit is dropped and counted. A file system that hangs costs lines, not the address.
 */
import { type FileHandle, open } from "node:fs/promises";

export interface LogFile {
  write(text: string): void;
  /** For log rotation: the name may be another file now. */
  reopen(): void;
  /** Resolves when everything is written, or cannot be. */
  close(): Promise<void>;
}

export interface LogFileOptions {
  readonly path: string;
  /** fsync(2) after each write. */
  readonly flush: boolean;
  /** Told once for each run of failures; a sentence. */
  readonly onProblem: (problem: string) => void;
}

/** Characters that may wait. */
const LIMIT = 1024 * 1024;

/** `/var/log/keepalived.log` with `_vrrp`: `/var/log/keepalived_vrrp.log`. */
export function withSuffix(path: string, suffix: string): string {
  const dot = path.lastIndexOf(".");
  return dot <= path.lastIndexOf("/") + 1 ? `${path}${suffix}` : `${path.slice(0, dot)}${suffix}${path.slice(dot)}`;
}

export function openLogFile(options: LogFileOptions): LogFile {
  return new BackgroundFile(options);
}

class BackgroundFile implements LogFile {
  readonly #options: LogFileOptions;
  #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  #handle: FileHandle | null = null;
  #stale = false;
  #failing = false;
  #running: Promise<void> | null = null;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  write(text: string): void {
    if (this.#length + text.length > LIMIT) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#length += text.length;
    this.#start();
  }

  reopen(): void {
    this.#stale = true;
    this.#start();
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#handle?.close().catch(() => undefined);
    this.#handle = null;
  }

  #start(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = null;
    });
  }

  async #drain(): Promise<void> {
    // Lines that come in the same turn are written together.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#stale) {
      const text = this.#take();
      try {
        const handle = await this.#open();
        await handle.write(text);
        if (this.#options.flush) await handle.sync();
        this.#failing = false;
      } catch (error) {
        this.#failed(error as NodeJS.ErrnoException);
        return;
      }
    }
  }

  #take(): string {
    const lost = this.#dropped === 0 ? "" : `... ${this.#dropped} lines were dropped: the file is too slow\n`;
    const text = lost + this.#waiting.join("");
    this.#waiting = [];
    this.#length = 0;
    this.#dropped = 0;
    return text;
  }

  async #open(): Promise<FileHandle> {
    if (this.#stale) {
      await this.#handle?.close().catch(() => undefined);
      this.#handle = null;
      this.#stale = false;
    }
    this.#handle ??= await open(this.#options.path, "a", 0o640);
    return this.#handle;
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#stale = this.#handle !== null;
    if (this.#failing) return;
    this.#failing = true;
    const why = error.code === "ENOSPC" ? "the disk is full" : (error.code ?? error.message);
    this.#options.onProblem(
      `the log file ${this.#options.path} cannot be written: ${why}; its lines are lost until it can`,
    );
  }
}
