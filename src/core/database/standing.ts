/**
 * Rise and fall of one server: verdicts in, standings out. The first verdict decides at once; a certain one too. Two counters, because
 * what fails a standby need not fail a MASTER. Knows no time: when the next look is due is the engine's business.
 */
import { type CheckState, initialCheck, recordResult, standingOf } from "../health/check.ts";
import type { Trouble } from "./trouble.ts";
import type { Verdict } from "./verdict.ts";

/** What the keeper is told. Both null: the server is fine. */
export interface DatabaseStanding {
  /** Fails whatever the instance does. */
  readonly always: Trouble | null;
  /** Fails an instance that is not MASTER. */
  readonly standby: Trouble | null;
}

export interface DatabaseHealth {
  readonly always: CheckState;
  readonly standby: CheckState;
  /** Null before the first verdict. */
  readonly standing: DatabaseStanding | null;
}

export interface RiseFall {
  readonly rise: number;
  readonly fall: number;
}

const NEW = initialCheck({ initFail: false });
export const NEVER_SEEN: DatabaseHealth = { always: NEW, standby: NEW, standing: null };

export function recordVerdict(limits: RiseFall, before: DatabaseHealth, verdict: Verdict): DatabaseHealth {
  const always = count(limits, before.always, verdict.always, verdict.certain);
  const standby = count(limits, before.standby, verdict.standby, verdict.certain);
  const standing = {
    always: shown(limits, always, verdict.always, before.standing?.always ?? null),
    standby: shown(limits, standby, verdict.standby, before.standing?.standby ?? null),
  };
  return { always, standby, standing };
}

function count(limits: RiseFall, state: CheckState, trouble: Trouble | null, certain: boolean): CheckState {
  return certain && trouble !== null ? { counter: 0 } : recordResult(limits, state, trouble === null);
}

/** While it fails: what is wrong now, or was last. */
function shown(limits: RiseFall, state: CheckState, now: Trouble | null, before: Trouble | null): Trouble | null {
  return standingOf(limits, state) === "failed" ? (now ?? before) : null;
}

/** The last verdict says otherwise than the standing: worth another look soon. */
export function isUndecided({ standing }: DatabaseHealth, verdict: Verdict): boolean {
  if (standing === null) return false;
  return (
    (standing.always === null) !== (verdict.always === null) ||
    (standing.standby === null) !== (verdict.standby === null)
  );
}

export type StandingName = "ok" | "unfit" | "failed";

/** "unfit": good enough for a MASTER, not for becoming one. */
export function standingName({ always, standby }: DatabaseStanding): StandingName {
  if (always !== null) return "failed";
  return standby === null ? "ok" : "unfit";
}

/** The trouble of a standing that an instance must heed; null when there is none. */
export function troubleFor(standing: DatabaseStanding, serving: boolean): Trouble | null {
  return serving ? standing.always : (standing.always ?? standing.standby);
}
