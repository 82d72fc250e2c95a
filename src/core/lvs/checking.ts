/**
 * One checker over time: when a failure counts, when the next check comes. keepalived has a different way to count in nearly each of its
 * checkers; here are those ways, none of the words and no network. A page of HTTP_GET is a check of its own: they take turns.
 */
import { type Micros, micros } from "../lib/units.ts";
import type { CheckerConfig, CheckerTiming } from "./checkers.ts";

export interface CheckingState {
  readonly up: boolean;
  /** It has a result; before that the first failure decides. */
  readonly ran: boolean;
  readonly retries: number;
  /** Of HTTP_GET: which page comes next, and which one has failed. */
  readonly page: number;
  readonly failedPage: number | null;
}

/** What a result has brought about. */
export interface Verdict {
  readonly up: boolean;
  /** Failed further checks before it counted; null: the first failure counted. */
  readonly afterRetries: number | null;
}

export interface CheckingStep {
  readonly state: CheckingState;
  /** Until the next check, from the end of this one; of MISC_CHECK from its start. */
  readonly delay: Micros;
  /** Null: nothing that the pool must hear. */
  readonly verdict: Verdict | null;
  /** A failure that does not count yet; log_all_failures tells it. */
  readonly failing: boolean;
}

export type TimedChecker = Exclude<CheckerConfig, { kind: "file" }>;

export function initialChecking({ timing }: TimedChecker): CheckingState {
  return { up: !timing.alpha, ran: false, retries: timing.retry, page: 0, failedPage: null };
}

/** TCP_CHECK and SMTP_CHECK go through their retries also while the server is down. */
const RETRIES_WHILE_DOWN: ReadonlySet<TimedChecker["kind"]> = new Set(["tcp", "smtp"]);

export function recordCheck(checker: TimedChecker, state: CheckingState, succeeded: boolean): CheckingStep {
  if (checker.kind === "http") {
    const pages = checker.urls.length;
    return succeeded
      ? pagePassed(checker.timing, state, { pages, fast: checker.fastRecovery })
      : pageFailed(checker.timing, state);
  }
  return succeeded ? passed(checker.timing, state) : failed(checker, state);
}

function passed({ delayLoop }: CheckerTiming, state: CheckingState): CheckingStep {
  const news = !state.up || !state.ran;
  return {
    // Of thousands of runs a second nearly all say what the one before said.
    state: news || state.retries > 0 ? { ...state, up: true, ran: true, retries: 0 } : state,
    delay: delayLoop,
    verdict: news ? { up: true, afterRetries: null } : null,
    failing: false,
  };
}

function failed({ kind, timing }: TimedChecker, state: CheckingState): CheckingStep {
  const counts = state.up || !state.ran;
  const tries = counts || RETRIES_WHILE_DOWN.has(kind);
  if (tries && state.retries < timing.retry) {
    const next = { ...state, ran: true, retries: state.retries + 1 };
    return { state: next, delay: timing.delayBeforeRetry, verdict: null, failing: counts };
  }
  const afterRetries = timing.retry > 0 && state.ran ? timing.retry : null;
  return {
    state: { ...state, up: false, ran: true, retries: 0 },
    delay: timing.delayLoop,
    verdict: counts ? { up: false, afterRetries } : null,
    failing: counts,
  };
}

/** All pages must pass; after a failed one has passed again, all are looked at anew. */
function pagePassed(
  { delayLoop, retry }: CheckerTiming,
  state: CheckingState,
  { pages, fast }: { readonly pages: number; readonly fast: boolean },
): CheckingStep {
  const hurried = (next: CheckingState): Micros =>
    fast && (!next.ran || (!next.up && next.failedPage === null)) ? micros(0) : delayLoop;
  if (state.failedPage !== null) {
    const next = { ...state, failedPage: null, page: 0, retries: state.ran ? 0 : retry };
    return { state: next, delay: hurried(next), verdict: null, failing: false };
  }
  if (state.page + 1 < pages) {
    const next = { ...state, page: state.page + 1, retries: state.ran ? 0 : retry };
    return { state: next, delay: hurried(next), verdict: null, failing: false };
  }
  const news = !state.up || !state.ran;
  const next = { up: true, ran: true, retries: 0, page: 0, failedPage: null };
  return { state: next, delay: hurried(next), verdict: news ? { up: true, afterRetries: null } : null, failing: false };
}

function pageFailed({ delayLoop, delayBeforeRetry, retry }: CheckerTiming, state: CheckingState): CheckingStep {
  const longer = micros(Math.max(delayBeforeRetry, delayLoop));
  // A server that is known as dead gets no retries.
  if (!state.up && state.ran) {
    return { state, delay: state.failedPage === null ? delayBeforeRetry : longer, verdict: null, failing: false };
  }
  if (state.retries < retry) {
    const next = { ...state, ran: true, retries: state.retries + 1 };
    return { state: next, delay: delayBeforeRetry, verdict: null, failing: true };
  }
  const next = { ...state, up: false, ran: true, retries: retry + 1, failedPage: state.page };
  return { state: next, delay: longer, verdict: { up: false, afterRetries: retry > 0 ? retry : null }, failing: true };
}

/** After a reload whose checker is the same but for its timing: retries that are used up are not given anew. */
export function adoptChecking(old: CheckingState, { timing }: TimedChecker): CheckingState {
  return { ...old, retries: Math.min(old.retries, Math.max(0, old.ran ? timing.retry - 1 : timing.retry)) };
}
