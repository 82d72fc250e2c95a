/** One run of a group with a quorum store, and what came of it. */
import type { Policy } from "../../core/database/config.ts";
import type { Violation } from "../tracks.ts";
import { QuorumCluster, type QuorumOptions } from "./cluster.ts";

export interface QuorumResult {
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
  /** How often the record changed hands, and was forgotten by the store while somebody answered. */
  readonly holders: number;
  readonly losses: number;
  /** Claims that went on without the store by an operator's order. */
  readonly overruled: number;
  readonly hash: string;
  readonly replay: string;
  readonly lastEvents: readonly string[];
}

const LAST_EVENTS = 100;
const SAID = new Set(["event", "gate", "quorum", "fault", "kernel"]);

export async function runQuorum(options: QuorumOptions): Promise<QuorumResult> {
  const cluster = new QuorumCluster(options);
  await cluster.run();
  const { world, rules, setup, quorum } = cluster;
  const { seed, hours, policy = "consistency", nodes, faults } = options;
  const words = ["holdfast sim --quorum", `--policy ${policy}`, `--seed ${seed}`, `--hours ${hours}`];
  if (nodes !== undefined) words.push(`--nodes ${nodes}`);
  if (faults === false) words.push("--no-faults");
  return {
    seed,
    policy,
    setup: `${setup.nodes} nodes, adverts of ${setup.intervalMillis / 1_000} s, ttl ${quorum.ttl / 1e6} s${setup.fence ? ", fence" : ""}`,
    violation: world.violation,
    passed: world.now,
    events: world.events,
    takeovers: world.invariants.takeovers,
    rounds: cluster.rounds,
    faultKinds: faults === false ? [] : cluster.faultKinds,
    holders: rules.holders,
    losses: rules.losses,
    overruled: rules.overruled,
    hash: world.trace.hash,
    replay: words.join(" "),
    lastEvents: world.violation === null ? [] : world.trace.lines(LAST_EVENTS, (kind) => SAID.has(kind)),
  };
}

/** The result for people. */
export function describeQuorum(result: QuorumResult): string[] {
  const { seed, policy, setup, violation, rounds, takeovers, holders, losses, hash } = result;
  const what = `a group with a quorum store, ${setup}, policy ${policy}`;
  if (violation === null) {
    const counts = `${rounds} rounds of faults, ${takeovers} takeovers, ${holders} changes of the record, ${losses} losses of it`;
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
