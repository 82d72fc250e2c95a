/**
 * What a look at a database server came to: what makes its check fail for everybody, what only for an instance that is not MASTER, and what
 * is merely worth saying. How facts become findings is each product's own: mysql/verdict.ts, redis/verdict.ts.
 */
import type { Counts } from "./config.ts";
import type { Trouble } from "./trouble.ts";

export interface Finding {
  readonly trouble: Trouble;
  readonly counts: Counts;
}

export interface Verdict {
  /** Worst first; null when there is none. */
  readonly always: Trouble | null;
  /** For instances that are not MASTER; everything in `always` is in here. */
  readonly standby: Trouble | null;
  /** All of them, also those that do not count. */
  readonly findings: readonly Finding[];
  /** Proof, not suspicion: it counts at once, whatever `fall` says. */
  readonly certain: boolean;
}

/** From worst to least: the first that counts is named. */
export function verdictOf(findings: readonly Finding[], certain: boolean): Verdict {
  const first = (...counts: readonly Counts[]): Trouble | null =>
    findings.find((finding) => counts.includes(finding.counts))?.trouble ?? null;
  const always = first("fail");
  return { always, standby: always ?? first("standby"), findings, certain };
}

/** Nobody listens where a server was seen to go: it is gone still, and how it went is the better cause. */
export function stillGone(before: Verdict | null, now: Verdict): Verdict {
  const has = (verdict: Verdict | null, kind: Trouble["kind"]): boolean =>
    verdict?.findings.some(({ trouble }) => trouble.kind === kind) === true;
  return before !== null && has(before, "dead") && has(now, "refused") ? before : now;
}
