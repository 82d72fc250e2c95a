/**
 * Opens the journal, and goes on trying while it cannot be opened: a directory that was read-only or missing at the start
 * must not cost the journal until the next restart. Owns when it is tried again; what to do with an open journal
 * is told by the caller. It never holds anything up.
 */
import type { Result } from "../core/lib/result.ts";
import type { Journal, JournalError } from "./journal.ts";

export interface OpeningOptions {
  readonly open: () => Promise<Result<Journal, JournalError>>;
  /** Called once, with the journal of a later attempt. */
  readonly onOpenedLate: (journal: Journal) => void;
  readonly retryMillis?: number;
}

export interface JournalOpening {
  /** Null while it cannot be opened. */
  readonly journal: Journal | null;
  /** Why the first attempt failed; null when it did not. */
  readonly firstError: JournalError | null;
  /** Tries at once instead of waiting for the next turn. */
  tryNow(): Promise<void>;
  close(): Promise<void>;
}

const RETRY_MILLIS = 10_000;

/** Resolves after the first attempt, whatever came of it. */
export async function openJournal(options: OpeningOptions): Promise<JournalOpening> {
  let journal: Journal | null = null;
  let attempt: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const again = (): void => {
    timer = setTimeout(() => void tryNow(), options.retryMillis ?? RETRY_MILLIS);
    timer.unref();
  };
  const run = async (): Promise<void> => {
    const opened = await options.open();
    if (!opened.ok) {
      if (!closed) again();
    } else if (closed) await opened.value.close();
    else {
      journal = opened.value;
      options.onOpenedLate(opened.value);
    }
  };
  const tryNow = (): Promise<void> => {
    if (journal !== null || closed) return Promise.resolve();
    if (timer !== null) clearTimeout(timer);
    attempt ??= run().finally(() => {
      attempt = null;
    });
    return attempt;
  };

  const first = await options.open();
  if (first.ok) journal = first.value;
  else again();
  return {
    get journal() {
      return journal;
    },
    firstError: first.ok ? null : first.error,
    tryNow,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await attempt;
      await journal?.close();
    },
  };
}
