/**
 * A host with a virtual MAC comes back and preempts. The MAC is the same on both, so every frame that a host sends by it tells the switch
 * where the clients are to be sent, rightly or not. Measured: the longest time the client gets no answer, from the start of the
 * returning daemon until its host answers steadily.
 */
import { sleep } from "../lab/processes.ts";
import type { BenchCase, CaseOptions, Labs } from "./cases.ts";
import { CONTESTANTS, type DaemonName, type InstancePlan } from "./daemons.ts";
import { TIMINGS, type Timing } from "./failover.ts";
import { Pair, wallMillis } from "./pair.ts";
import type { Measurements } from "./report.ts";

/** 10 ms is left out: the silence is not a matter of the interval there. */
const FAILBACK_TIMINGS: readonly Timing[] = ["1s", "100ms"];

export const FAILBACK_CASES: readonly BenchCase[] = FAILBACK_TIMINGS.map((timing) => ({
  name: `failback-vmac-${timing}`,
  rows: [`failback-vmac-${timing}`],
  runs: 7,
  measure: (labs, options) => measureFailback(labs, timing, options),
}));

async function measureFailback(labs: Labs, timing: Timing, options: CaseOptions): Promise<readonly Measurements[]> {
  const name = `failback-vmac-${timing}`;
  const plan: InstancePlan = { ...TIMINGS[timing], priority: 100, count: 1, state: "BACKUP", lines: ["use_vmac"] };
  const silences: Record<DaemonName, number[]> = { holdfast: [], keepalived: [] };
  const pairs = {
    holdfast: await Pair.start(labs.holdfast, plan, "holdfast"),
    keepalived: await Pair.start(labs.keepalived, plan, "keepalived"),
  };
  try {
    for (let run = 0; run < options.runs; run++) {
      for (const daemon of CONTESTANTS) {
        const silence = await runFailback(pairs[daemon]);
        silences[daemon].push(silence);
        options.progress(`${name} run ${run + 1} ${daemon}: ${silence.toFixed(1)} ms`);
      }
    }
  } finally {
    await pairs.holdfast.dispose();
    await pairs.keepalived.dispose();
  }
  const note = "longest time without an answer while the first host starts and takes the address back";
  return [{ case: name, unit: "ms", holdfast: silences.holdfast, peer: silences.keepalived, note }];
}

async function runFailback(pair: Pair): Promise<number> {
  await pair.settled();
  pair.probe(true);
  const stoppedAt = wallMillis();
  await pair.a.stop();
  await pair.firstAnswerOfB(stoppedAt);
  // What the second host announces after its takeover is over by then, and the phase of its adverts is any.
  await sleep(1_000 + Math.random() * 1_000 * pair.plan.advertInterval);
  const startedAt = wallMillis();
  pair.a.start();
  const silence = await pair.silenceUntilSteady(startedAt);
  pair.probe(false);
  return silence;
}
