/** How a run of a program ended, and the words for it. Shared by the events and by those who put them into sentences. */
import { unreachable } from "../lib/assert.ts";

export type CheckOutcome =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "timeout"; readonly afterMillis: number }
  | { readonly kind: "spawn-failed"; readonly reason: string };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time for people: "20 ms", "1.3 s", "42 s", "4 min", "3 h 5 min", "2 d 4 h". */
export function lengthInWords(millis: number): string {
  const value = Math.max(0, millis);
  if (value > 0 && value < SECOND) return `${Math.max(1, Math.round(value))} ms`;
  if (value < 10 * SECOND) return `${Number((value / SECOND).toFixed(1))} s`;
  if (value < 2 * MINUTE) return `${Math.floor(value / SECOND)} s`;
  if (value < HOUR) return `${Math.floor(value / MINUTE)} min`;
  if (value < DAY) return joinParts(Math.floor(value / HOUR), "h", Math.floor((value % HOUR) / MINUTE), "min");
  return joinParts(Math.floor(value / DAY), "d", Math.floor((value % DAY) / HOUR), "h");
}

function joinParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

export function outcomeInWords(outcome: CheckOutcome): string {
  switch (outcome.kind) {
    case "exit":
      return `exit code ${outcome.code}`;
    case "signal":
      return `killed by ${outcome.signal}`;
    case "timeout":
      return `no answer within ${lengthInWords(outcome.afterMillis)}`;
    case "spawn-failed":
      return `could not be started: ${outcome.reason}`;
    default:
      return unreachable(outcome);
  }
}

/** What an outcome and the last line of standard error say together. */
export function failureInWords(outcome: CheckOutcome | null, lastError: string | null): string {
  const first = outcome === null ? "no result" : outcomeInWords(outcome);
  return lastError === null || lastError === "" ? first : `${first}, last line of standard error: '${lastError}'`;
}

export function hookSucceeded(outcome: CheckOutcome): boolean {
  return outcome.kind === "exit" && outcome.code === 0;
}
