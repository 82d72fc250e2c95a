/** What control watches outside the network: files and processes. Nothing here waits; changes come by call-back. */
import type { ProcessFacts } from "../core/health/tracked-process.ts";
import type { Result } from "../core/lib/result.ts";

export interface Watch {
  close(): void;
}

export interface FileWatchPort {
  /**
   * Calls back when a writer has closed the file, or it was created, replaced or removed, and once, with `lost`, when its directory
   * was removed or moved away: from then on nothing is noticed. The error is a reason in words.
   */
  watch(path: string, changed: () => void, lost: () => void): Result<Watch, string>;
  /** The beginning of the file: null when it is missing; the error says why it cannot be read. */
  read(path: string): Result<string | null, string>;
  /** Writes the text where there is no file, with `overwrite` also where there is one. */
  create(path: string, text: string, overwrite: boolean): Result<void, string>;
}

export interface ProcessListener {
  /** It was started, became another program or has another name. */
  changed(pid: number): void;
  ended(pid: number): void;
  /** Some news were lost: look at everything again. */
  missed(): void;
}

export interface ProcessWatchPort {
  /** Pids of all processes. */
  list(): readonly number[];
  /** Null when it has ended. */
  facts(pid: number): ProcessFacts | null;
  /** The kernel's news of processes; the error is a reason in words. */
  watch(listener: ProcessListener): Result<Watch, string>;
}
