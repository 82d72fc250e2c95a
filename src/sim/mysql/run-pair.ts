/** One run of a managed pair, and what came of it. */
import type { Policy } from "../../core/database/config.ts";
import type { Violation } from "../tracks.ts";
import { Pair, type PairOptions } from "./pair.ts";

export interface PairResult {
  readonly seed: number;
  readonly policy: Policy;
  readonly violation: Violation | null;
  /** Microseconds of simulated time that passed. */
  readonly passed: number;
  readonly events: number;
  readonly takeovers: number;
  readonly rounds: number;
  readonly faultKinds: readonly string[];
  /** Writes that clients were told of. */
  readonly acknowledged: number;
  /** Acknowledged writes that are on no writer any more: 0 but under `availability`. */
  readonly lost: number;
  /** Servers with transactions of their own that were copied anew. */
  readonly restored: number;
  readonly hash: string;
  readonly replay: string;
  readonly lastEvents: readonly string[];
}

const LAST_EVENTS = 100;
/** Of the election only what it decides. */
const SAID = new Set(["event", "gate", "mysql", "mysqld", "fault"]);

export async function runPair(options: PairOptions): Promise<PairResult> {
  const pair = new Pair(options);
  await pair.run();
  const { world, rules } = pair;
  const { seed, hours, policy = "balanced", faults } = options;
  return {
    seed,
    policy,
    violation: world.violation,
    passed: world.now,
    events: world.events,
    takeovers: world.invariants.takeovers,
    rounds: pair.rounds,
    faultKinds: faults === false ? [] : pair.faultKinds,
    acknowledged: rules.acknowledged,
    lost: rules.lost,
    restored: rules.restored,
    hash: world.trace.hash,
    replay: `holdfast sim --mysql --policy ${policy} --seed ${seed} --hours ${hours}${faults === false ? " --no-faults" : ""}`,
    lastEvents: world.violation === null ? [] : world.trace.lines(LAST_EVENTS, (kind) => SAID.has(kind)),
  };
}

/** The result for people. */
export function describePair(result: PairResult): string[] {
  const { seed, policy, violation, rounds, takeovers, acknowledged, lost, restored, hash } = result;
  const what = `a pair of MariaDB servers, policy ${policy}`;
  if (violation === null) {
    const counts = `${rounds} rounds of faults, ${takeovers} takeovers, ${acknowledged} acknowledged writes, ${lost} lost, ${restored} servers copied anew`;
    return [`seed ${seed}: ok (${what}; ${counts}; trace ${hash})`];
  }
  return [
    `seed ${seed}: VIOLATION of ${violation.rule} at ${(result.passed / 1_000_000).toFixed(6)} s (${what})`,
    `  ${violation.text}`,
    "  last events:",
    ...result.lastEvents.map((line) => `  ${line}`),
    `replay: ${result.replay}`,
  ];
}
