/** One run of a managed Redis pair, and what came of it. */
import type { Policy } from "../../core/database/config.ts";
import type { Violation } from "../tracks.ts";
import { RedisPair, type RedisPairOptions } from "./pair.ts";

export interface RedisPairResult {
  readonly seed: number;
  readonly policy: Policy;
  readonly setup: string;
  readonly violation: Violation | null;
  /** Microseconds of simulated time that passed. */
  readonly passed: number;
  readonly events: number;
  readonly takeovers: number;
  readonly rounds: number;
  readonly faultKinds: readonly string[];
  /** Writes that clients were told of. */
  readonly acknowledged: number;
  /** Of those, what was on one server alone when it went, and how much of that is in a copy. */
  readonly lost: number;
  readonly saved: number;
  readonly hash: string;
  readonly replay: string;
  readonly lastEvents: readonly string[];
}

const LAST_EVENTS = 100;
/** Of the election only what it decides. */
const SAID = new Set(["event", "gate", "redis", "server", "fault"]);

export async function runRedisPair(options: RedisPairOptions): Promise<RedisPairResult> {
  const pair = new RedisPair(options);
  await pair.run();
  const { world, rules, setup } = pair;
  const { seed, hours, policy = "balanced", faults } = options;
  return {
    seed,
    policy,
    setup,
    violation: world.violation,
    passed: world.now,
    events: world.events,
    takeovers: world.invariants.takeovers,
    rounds: pair.rounds,
    faultKinds: faults === false ? [] : pair.faultKinds,
    acknowledged: rules.acknowledged,
    lost: rules.lost,
    saved: rules.saved,
    hash: world.trace.hash,
    replay: `holdfast sim --redis --policy ${policy} --seed ${seed} --hours ${hours}${faults === false ? " --no-faults" : ""}`,
    lastEvents: world.violation === null ? [] : world.trace.lines(LAST_EVENTS, (kind) => SAID.has(kind)),
  };
}

/** The result for people. */
export function describeRedisPair(result: RedisPairResult): string[] {
  const { seed, policy, setup, violation, rounds, takeovers, acknowledged, lost, saved, hash } = result;
  const what = `a pair of Redis servers, ${setup}, policy ${policy}`;
  if (violation === null) {
    const counts = `${rounds} rounds of faults, ${takeovers} takeovers, ${acknowledged} acknowledged writes, ${lost} lost, ${saved} of them in copies`;
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
