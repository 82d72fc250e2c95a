import { expect, test } from "vitest";
import { allKinds, CALM_MS, KINDS, type PlannedFault, planFaults, wordsOf } from "./plan.ts";

const MINUTE = 60_000;
const seeds = Array.from({ length: 40 }, (_, seed) => seed);

test("a seed is one plan, another seed another one", () => {
  expect(planFaults(7, 10 * MINUTE)).toEqual(planFaults(7, 10 * MINUTE));
  expect(planFaults(7, 10 * MINUTE)).not.toEqual(planFaults(8, 10 * MINUTE));
});

test("a longer run begins as the shorter one, so that a finding can be come back to", () => {
  const short = planFaults(3, 5 * MINUTE);
  expect(short.length).toBeGreaterThan(10);
  expect(planFaults(3, 20 * MINUTE).filter(({ at, lasts }) => at + lasts <= 5 * MINUTE)).toEqual(short);
});

test("every fault is healed before the end, and they come in the order of time", () => {
  for (const seed of seeds) {
    const plan = planFaults(seed, 5 * MINUTE);
    expect(plan.every(({ at, lasts }) => at > 0 && lasts > 0 && at + lasts <= 5 * MINUTE)).toBe(true);
    expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).sort((a, b) => a - b));
  }
});

test("at most two last together, and never two of the same thing", () => {
  let together = 0;
  for (const seed of seeds) {
    const plan = planFaults(seed, 20 * MINUTE);
    for (const fault of plan) {
      const others = plan.filter((other) => other !== fault && lastsAt(other, fault.at));
      expect(others.length).toBeLessThanOrEqual(1);
      for (const { kind } of others) {
        together++;
        expect(KINDS[kind].touches.some((it) => KINDS[fault.kind].touches.includes(it))).toBe(false);
      }
    }
  }
  expect(together).toBeGreaterThan(100);
});

const lastsAt = ({ at, lasts }: PlannedFault, moment: number): boolean => at <= moment && moment < at + lasts;

test("faults of a quorum store are drawn where there is one, beside all others; a seed without one is what it was", () => {
  const plan = seeds.flatMap((seed) => planFaults(seed, 30 * MINUTE, allKinds(true)));
  const kinds = new Set(plan.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(allKinds(true).slice().sort());
  expect([...kinds].filter((kind) => !allKinds().includes(kind)).sort()).toEqual([
    "cut-store",
    "freeze-store",
    "gateway-silent",
    "kill-store",
    "stop-store",
  ]);
});

test("all kinds hit both hosts", () => {
  const plan = seeds.flatMap((seed) => planFaults(seed, 30 * MINUTE));
  const hit = new Set(plan.map(({ kind, target }) => `${kind} ${target}`));
  expect([...hit].sort()).toEqual(
    allKinds()
      .flatMap((kind) => [`${kind} db1`, `${kind} db2`])
      .sort(),
  );
});

test("now and then nothing is done for long enough to see the pair come together", () => {
  const plan = planFaults(1, 30 * MINUTE);
  const over = (upTo: number) => Math.max(...plan.slice(0, upTo).map(({ at, lasts }) => at + lasts));
  const pauses = plan.slice(1).map(({ at }, index) => at - over(index + 1));
  expect(pauses.filter((pause) => pause >= CALM_MS - 10).length).toBeGreaterThan(10);
});

test("only the chosen kinds are drawn", () => {
  const plan = planFaults(5, 10 * MINUTE, ["partition"]);
  expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(["partition"]));
  expect(plan.length).toBeGreaterThan(20);
});

test("a fault is told with the host that it hits", () => {
  expect(wordsOf({ kind: "deaf", target: "db2" })).toBe(
    "db2 gets nothing from db1 any more; the other direction works",
  );
});
