/** One checker of a real server in words, for `lvs status` and `explain`. */
import { lengthInWords } from "../../core/events/outcome.ts";
import type { LvsCheckerView } from "./types.ts";

export interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly clockText: (time: number) => string;
}

/** "MYSQL_CHECK fails since 14:02:11 (12 s): it lags 40 s behind, and max_lag is 30; last run 1.2 s ago" */
export function checkerInWords(view: LvsCheckerView, { now, clockText }: Moment): string {
  const { checker, lastRunAt, since } = view;
  if (lastRunAt === null && checker !== "FILE_CHECK")
    return `${checker} has not run yet; until then it counts as ${view.up ? "passed" : "failed"}`;
  const when = since === null ? "" : ` since ${clockText(since)} (${lengthInWords(now - since)})`;
  const ran = lastRunAt === null ? "" : `; last run ${lengthInWords(now - lastRunAt)} ago`;
  return `${checker} ${verbOf(view)}${when}${foundText(view)}${ran}`;
}

function verbOf({ up }: LvsCheckerView): string {
  return up ? "passes" : "fails";
}

function foundText({ up, ok, finding, output, retries, retry }: LvsCheckerView): string {
  const said = output === null || output === "" ? "" : `, last line: '${output}'`;
  if (ok !== false) return said;
  if (!up) return `: ${finding}${said}`;
  return `, but its last run failed (${retries} of ${retry} retries): ${finding}${said}`;
}
