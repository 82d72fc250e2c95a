import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import type { Policy } from "../../core/database/config.ts";
import { describePair, runPair } from "./run-pair.ts";

const HOURS = 0.15;

async function search(policy: Policy, seeds: readonly number[]) {
  const totals = { rounds: 0, takeovers: 0, acknowledged: 0, lost: 0, kinds: new Set<string>() };
  for (const seed of seeds) {
    const result = await runPair({ seed, hours: HOURS, policy });
    expect(result.violation, describePair(result).join("\n")).toBeNull();
    totals.rounds += result.rounds;
    totals.takeovers += result.takeovers;
    totals.acknowledged += result.acknowledged;
    totals.lost += result.lost;
    for (const kind of result.faultKinds) totals.kinds.add(kind);
  }
  return totals;
}

const seedsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => first + at);

describe("a managed pair with faults", () => {
  it(
    "loses no acknowledged write, has one writer at a time, and is whole again in every calm",
    async () => {
      const totals = await search("balanced", seedsFrom(1, runs(30, 1_000)));
      expect(totals.lost).toBe(0);
      expect(totals.rounds).toBeGreaterThan(60);
      expect(totals.takeovers).toBeGreaterThan(60);
      expect(totals.acknowledged).toBeGreaterThan(100_000);
      expect(totals.kinds.size).toBeGreaterThan(12);
    },
    SEARCH_TIMEOUT,
  );

  it(
    "under availability has one writer in every calm as well, whatever a partition cost",
    async () => {
      const totals = await search("availability", seedsFrom(2_001, runs(8, 300)));
      expect(totals.takeovers).toBeGreaterThan(10);
    },
    SEARCH_TIMEOUT,
  );

  it(
    "under consistency loses nothing",
    async () => {
      const totals = await search("consistency", seedsFrom(3_001, runs(8, 300)));
      expect(totals.lost).toBe(0);
      expect(totals.takeovers).toBeGreaterThan(8);
    },
    SEARCH_TIMEOUT,
  );
});

it("equal seeds give equal runs", async () => {
  const once = await runPair({ seed: 7, hours: 0.1 });
  const again = await runPair({ seed: 7, hours: 0.1 });
  expect(again).toEqual(once);
});

it("without faults nothing changes hands after the start", async () => {
  const result = await runPair({ seed: 1, hours: 0.1, faults: false });
  expect(result).toMatchObject({ violation: null, takeovers: 1, restored: 0 });
  expect(result.acknowledged).toBeGreaterThan(3_000);
});
