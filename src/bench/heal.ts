/**
 * A partition that heals: the master's port in the switch drops its frames, the backup takes over, the port comes back, and for a moment
 * both are MASTER. Measured: the longest time the client gets no answer after the repair. The repair falls at a random
 * phase of both masters' intervals, because who hears whom first decides whether keepalived leaves a black hole.
 */
import { sleep } from "../lab/processes.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName, type InstancePlan } from "./daemons.ts";
import { TIMINGS, type Timing } from "./failover.ts";
import { Pair, wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";

export const HEAL_CASES: readonly BenchCase[] = (Object.keys(TIMINGS) as Timing[]).map((timing) => ({
  name: `heal-${timing}`,
  rows: [`heal-${timing}`],
  runs: 10,
  measure: (labs, options) => measureHeal(labs, timing, options),
}));

async function measureHeal(labs: Labs, timing: Timing, options: CaseOptions): Promise<readonly Measurements[]> {
  const plan: InstancePlan = { ...TIMINGS[timing], priority: 100, count: 1, state: "BACKUP" };
  const silences: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const pairs = {
    holdfast: await Pair.start(labs.holdfast, plan, "holdfast"),
    keepalived: await Pair.start(labs.keepalived, plan, "keepalived"),
  };
  try {
    for (let run = 0; run < options.runs; run++) {
      for (const name of CONTESTANTS) {
        const silence = await runHeal(pairs[name]);
        silences[name].push(silence);
        options.progress(`heal-${timing} run ${run + 1} ${name}: ${silence.toFixed(1)} ms`);
      }
    }
  } finally {
    await pairs.holdfast.dispose();
    await pairs.keepalived.dispose();
  }
  const note = "longest time without an answer after the repair";
  return [{ case: `heal-${timing}`, unit: "ms", holdfast: silences.holdfast, peer: silences.keepalived, note }];
}

async function runHeal(pair: Pair): Promise<number> {
  await pair.settled();
  pair.probe(true);
  await sleep(300);
  const cutAt = wallMillis();
  pair.cutLinkOfA("silent");
  await pair.firstAnswerOfB(cutAt);
  await sleep(500 + Math.random() * 1_000 * Math.max(pair.plan.advertInterval, 0.1));
  const healedAt = wallMillis();
  pair.restoreLinkOfA();
  const silence = await pair.silenceUntilSteady(healedAt);
  pair.probe(false);
  return silence;
}
