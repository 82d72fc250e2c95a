/** One run: a world, its faults, and what came of it. No clock of this machine is read here. */

import { FaultScheduler } from "./faults.ts";
import { drawSetup, replayCommand, type Setup, type SimOptions } from "./options.ts";
import type { Violation } from "./tracks.ts";
import { World } from "./world.ts";

export interface SimResult {
  readonly setup: Setup;
  readonly violation: Violation | null;
  /** Microseconds of simulated time that passed. */
  readonly passed: number;
  readonly events: number;
  readonly takeovers: number;
  readonly rounds: number;
  readonly settledChecks: number;
  readonly faultKinds: readonly string[];
  readonly hash: string;
  readonly replay: string;
  /** The last events in words; empty when nothing was violated. */
  readonly lastEvents: readonly string[];
}

const HOUR = 3_600_000_000;
const LAST_EVENTS = 100;

export function runSim(options: SimOptions): SimResult {
  const setup = drawSetup(options);
  const world = new World(setup);
  const faults = new FaultScheduler(world, { settle: world.invariants.settleTime });
  world.startAll();
  if (setup.faults) faults.begin();
  world.run(setup.hours * HOUR);
  return {
    setup,
    violation: world.violation,
    passed: world.now,
    events: world.events,
    takeovers: world.invariants.takeovers,
    rounds: faults.rounds,
    settledChecks: world.invariants.settledChecks,
    faultKinds: setup.faults ? faults.kinds : [],
    hash: world.trace.hash,
    replay: replayCommand(options),
    lastEvents: world.violation === null ? [] : world.trace.lines(LAST_EVENTS),
  };
}

/** The result for people. */
export function describeResult(result: SimResult): string[] {
  const { setup, violation } = result;
  const flags = [
    setup.nopreempt ? "nopreempt" : "preempt",
    ...(setup.equalPriorities ? ["equal priorities"] : []),
    ...(setup.gates ? ["gates"] : []),
    ...(setup.unicast ? ["unicast"] : []),
    ...(setup.mixedIntervals ? ["mixed intervals"] : []),
    ...(setup.groups ? ["sync group"] : []),
    setup.lease === "off" ? "lease off" : "lease",
    ...(setup.fence ? ["fence"] : []),
  ];
  const what = `${setup.nodes} nodes, ${setup.instances} instances, VRRPv${setup.version}, ${setup.intervalMillis} ms, ${flags.join(", ")}`;
  if (violation === null) {
    const counts = `${result.rounds} rounds of faults, ${result.takeovers} takeovers, ${result.events} events`;
    return [`seed ${setup.seed}: ok (${what}; ${counts}; trace ${result.hash})`];
  }
  const time = (result.passed / 1_000_000).toFixed(6);
  return [
    `seed ${setup.seed}: VIOLATION of ${violation.rule} at ${time} s (${what})`,
    `  ${violation.text}`,
    "  last events:",
    ...result.lastEvents.map((line) => `  ${line}`),
    `replay: ${result.replay}`,
  ];
}
