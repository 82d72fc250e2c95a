/** What the commands are given from outside, and the small waits they share. Files and processes they reach by themselves. */
import type { SqlPort } from "../ports/sql.ts";

export interface MhaEnvironment {
  readonly version: string;
  readonly sql: SqlPort;
  /** Standard output, without a line end of its own. */
  readonly out: (text: string) => void;
  /** Shows a question and returns the line that was typed; "" at the end of input. */
  readonly ask: (question: string) => Promise<string>;
  /** Ends with SIGTERM, SIGINT, SIGHUP or SIGQUIT. */
  readonly ended: AbortSignal;
  /** How `holdfast` itself is started, for the secondary check that needs no program of its own. */
  readonly self: readonly string[];
}

/** Thrown where a command cannot go on; the message is for its log. */
export class MhaError extends Error {
  readonly quiet: boolean;

  /** `quiet`: a person said no, which is no error. */
  constructor(message: string, { quiet = false }: { readonly quiet?: boolean } = {}) {
    super(message);
    this.name = "MhaError";
    this.quiet = quiet;
  }
}

/** Ends early, without an error, when the signal comes. */
export function pause(millis: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    signal?.addEventListener("abort", done);
  });
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
