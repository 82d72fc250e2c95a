/**
 * Rise and fall of one check script, as keepalived counts: the first result decides at once; afterwards a counter of
 * 0 to rise + fall - 1 moves with every result and the standing turns where it crosses `rise`. Knows results only: not when
 * scripts run, nor what they print.
 */
export interface RiseFall {
  readonly rise: number;
  readonly fall: number;
  /** Start as failed instead of letting the first result decide. */
  readonly initFail: boolean;
}

export interface CheckState {
  /** Null before the first result. */
  readonly counter: number | null;
}

export function initialCheck({ initFail }: Pick<RiseFall, "initFail">): CheckState {
  return { counter: initFail ? 0 : null };
}

export function standingOf({ rise }: Pick<RiseFall, "rise">, { counter }: CheckState): "unknown" | "ok" | "failed" {
  if (counter === null) return "unknown";
  return counter >= rise ? "ok" : "failed";
}

export function recordResult(
  { rise, fall }: Omit<RiseFall, "initFail">,
  state: CheckState,
  succeeded: boolean,
): CheckState {
  const best = rise + fall - 1;
  const { counter } = state;
  if (counter === null) return { counter: succeeded ? best : 0 };
  if (succeeded) {
    // Below the turning point a success only counts up; at it and above, one restores full health.
    return { counter: counter < rise - 1 ? counter + 1 : best };
  }
  return { counter: counter > rise ? counter - 1 : 0 };
}
