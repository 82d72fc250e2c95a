/**
 * When signs of a second master count. A hand-over shows some for a moment: the last advert of who lets go, or an answer that was under way. What two
 * looks see that are `SETTLE` apart is no moment; what no look sees for `CLEAN` is over.
 */
import { type Instant, type Micros, seconds } from "../lib/units.ts";
import type { Sign } from "./signs.ts";

export const SETTLE: Micros = seconds(1);
export const CLEAN: Micros = seconds(3);

export interface Judged {
  /** Of the first look in a row that saw something; null: the last one saw nothing, and nothing is told. */
  readonly suspectedAt: Instant | null;
  /** Since when it is told as a split brain. */
  readonly since: Instant | null;
  /** Of the last look that saw something. */
  readonly signs: readonly Sign[];
  readonly seenAt: Instant | null;
}

export const NOTHING_SEEN: Judged = { suspectedAt: null, since: null, signs: [], seenAt: null };

/** `begun`: it is told now. `over`: it was, and no more. */
export type Verdict = "begun" | "over" | null;

export function judge(
  before: Judged,
  signs: readonly Sign[],
  now: Instant,
): { readonly judged: Judged; readonly verdict: Verdict } {
  if (signs.length > 0) {
    const suspectedAt = before.suspectedAt ?? now;
    const begun = before.since === null && now - suspectedAt >= SETTLE;
    const since = begun ? suspectedAt : before.since;
    return { judged: { suspectedAt, since, signs, seenAt: now }, verdict: begun ? "begun" : null };
  }
  // One that is told stays until it was clean for long enough; one that is not was a moment.
  if (before.since === null) return { judged: NOTHING_SEEN, verdict: null };
  const over = now - (before.seenAt ?? now) >= CLEAN;
  return over ? { judged: NOTHING_SEEN, verdict: "over" } : { judged: before, verdict: null };
}
