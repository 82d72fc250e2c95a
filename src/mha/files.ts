/** The manager's files in its working directory: status and guards. Other programs read them, so they are written whole. */
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import {
  applicationName,
  formatStatus,
  type GuardFiles,
  guardFiles,
  parseStatus,
  type StatusRecord,
  type StatusWord,
} from "../core/mha/status-file.ts";
import { MhaError, wordsOf } from "./environment.ts";

/**
 * Opens a file that is new, and empty. manager_workdir is /var/tmp where nothing else is said: what somebody has put there by that name, a link
 * to another file above all, is taken away and not written through.
 */
export function openFresh(path: string): number {
  rmSync(path, { force: true });
  return openSync(path, "wx", 0o600);
}

/** Others read status and guards: not private. */
function writeFresh(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { flag: "wx" });
}

export class ManagerFiles {
  readonly application: string;
  readonly workdir: string;
  readonly paths: GuardFiles;
  #master: string | null = null;

  constructor(conf: string, workdir: string) {
    this.workdir = workdir;
    this.application = applicationName(conf);
    this.paths = guardFiles(workdir, this.application);
    try {
      mkdirSync(workdir, { recursive: true });
    } catch (error) {
      throw new MhaError(`manager_workdir ${workdir} cannot be made: ${wordsOf(error)}`);
    }
  }

  set master(hostname: string) {
    this.#master = hostname;
  }

  get statusExists(): boolean {
    return existsSync(this.paths.status);
  }

  setStatus(word: StatusWord): void {
    const text = formatStatus({ pid: process.pid, word, master: this.#master });
    const scratch = `${this.paths.status}.${process.pid}`;
    try {
      writeFresh(scratch, text);
      renameSync(scratch, this.paths.status);
    } catch (error) {
      rmSync(scratch, { force: true });
      throw new MhaError(`status file ${this.paths.status} cannot be written: ${wordsOf(error)}`);
    }
  }

  /** The master has just answered. */
  touchStatus(): void {
    const now = new Date();
    try {
      utimesSync(this.paths.status, now, now);
    } catch {
      // Somebody has removed it: written anew.
      this.setStatus("PING_OK");
    }
  }

  dropStatus(): void {
    rmSync(this.paths.status, { force: true });
  }

  readStatus(): { readonly record: StatusRecord | null; readonly ageSeconds: number } | null {
    if (!this.statusExists) return null;
    const record = parseStatus(readFileSync(this.paths.status, "utf8"));
    return { record, ageSeconds: (Date.now() - statSync(this.paths.status).mtimeMs) / 1000 };
  }

  mark(file: "complete" | "error"): void {
    writeFresh(this.paths[file], "");
  }

  unmark(file: "complete" | "error"): void {
    rmSync(this.paths[file], { force: true });
  }

  has(file: "complete" | "error"): boolean {
    return existsSync(this.paths[file]);
  }

  /** When the last failover ended; null when there was none. */
  get lastFailover(): Date | null {
    return this.has("complete") ? statSync(this.paths.complete).mtime : null;
  }
}
