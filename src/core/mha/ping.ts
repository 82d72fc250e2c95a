/**
 * When a master that is asked again and again counts as down. A host that answers "nobody listens there" after its server was up is proof
 * enough after three times in a row, whatever the interval; silence and other errors need four looks, an interval apart, as in MHA 0.58.
 * An error that only a live server can give keeps it alive. Pure: the caller asks, waits and calls again.
 */

export type PingAnswer =
  | { readonly kind: "answered" }
  /** The host answers and nobody listens at that port. */
  | { readonly kind: "refused" }
  /** A MySQL error that a live server gives: too many connections, access denied. */
  | { readonly kind: "alive"; readonly code: number }
  /** The kept connection has ended. */
  | { readonly kind: "lost" }
  /** No answer, or any other error. */
  | { readonly kind: "failed" };

export interface PingState {
  /** Consecutive, of any kind. */
  readonly failures: number;
  /** Consecutive refusals. */
  readonly refusals: number;
}

export const PING_START: PingState = { failures: 0, refusals: 0 };

export interface PingStep {
  readonly state: PingState;
  readonly verdict: "up" | "suspect" | "down";
  /** Milliseconds until the next look. */
  readonly wait: number;
}

const FAILURES = 4;
const REFUSALS = 3;
/** Between two looks at a port where nobody listens, milliseconds. */
const REFUSED_WAIT = 50;

/** Error numbers that prove a live server, as in MHA 0.58. */
const ALIVE_ERRORS: ReadonlySet<number> = new Set([1040, 1042, 1043, 1044, 1045, 1129, 1130, 1203, 1226, 1251, 1275]);
export const provesLife = (code: number): boolean => ALIVE_ERRORS.has(code);

export function ping(before: PingState, answer: PingAnswer, intervalMillis: number): PingStep {
  if (answer.kind === "answered" || answer.kind === "alive") {
    return { state: PING_START, verdict: "up", wait: intervalMillis };
  }
  // An ended connection is a reason to look again, not a look of its own.
  if (answer.kind === "lost") return { state: { ...before, refusals: 0 }, verdict: "suspect", wait: 0 };
  const refused = answer.kind === "refused";
  const state = { failures: before.failures + 1, refusals: refused ? before.refusals + 1 : 0 };
  const down = state.refusals >= REFUSALS || state.failures >= FAILURES;
  return { state, verdict: down ? "down" : "suspect", wait: refused ? REFUSED_WAIT : intervalMillis };
}
