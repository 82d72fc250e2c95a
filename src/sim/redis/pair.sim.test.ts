import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import type { Policy } from "../../core/database/config.ts";
import { describeRedisPair, runRedisPair } from "./run-pair.ts";

const HOURS = 0.15;

async function search(policy: Policy, seeds: readonly number[]) {
  const totals = { rounds: 0, takeovers: 0, acknowledged: 0, lost: 0, saved: 0, kinds: new Set<string>() };
  for (const seed of seeds) {
    const result = await runRedisPair({ seed, hours: HOURS, policy });
    expect(result.violation, describeRedisPair(result).join("\n")).toBeNull();
    totals.rounds += result.rounds;
    totals.takeovers += result.takeovers;
    totals.acknowledged += result.acknowledged;
    totals.lost += result.lost;
    totals.saved += result.saved;
    for (const kind of result.faultKinds) totals.kinds.add(kind);
  }
  return totals;
}

const seedsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => first + at);

describe("a managed Redis pair with faults", () => {
  it(
    "keeps what both have had, copies what one alone has, and is whole again in every calm",
    async () => {
      const totals = await search("balanced", seedsFrom(1, runs(40, 3_000)));
      expect(totals.rounds).toBeGreaterThan(180);
      expect(totals.takeovers).toBeGreaterThan(100);
      expect(totals.acknowledged).toBeGreaterThan(300_000);
      expect(totals.kinds.size).toBeGreaterThan(14);
      // Asynchronous, and on disks that forget: what one server alone has, and another does not take over, is in a copy.
      expect(totals.saved).toBeGreaterThan(0);
    },
    SEARCH_TIMEOUT,
  );

  it(
    "under availability as well, whatever a partition cost",
    async () => {
      const totals = await search("availability", seedsFrom(2_001, runs(10, 500)));
      expect(totals.takeovers).toBeGreaterThan(20);
    },
    SEARCH_TIMEOUT,
  );

  it(
    "under consistency as well",
    async () => {
      const totals = await search("consistency", seedsFrom(3_001, runs(10, 500)));
      expect(totals.takeovers).toBeGreaterThan(20);
    },
    SEARCH_TIMEOUT,
  );
});

it("equal seeds give equal runs", async () => {
  const once = await runRedisPair({ seed: 7, hours: 0.1 });
  const again = await runRedisPair({ seed: 7, hours: 0.1 });
  expect(again).toEqual(once);
});

it("without faults nothing changes hands after the start, and nothing is lost", async () => {
  for (const seed of [1, 2, 3]) {
    const result = await runRedisPair({ seed, hours: 0.05, faults: false });
    expect(result).toMatchObject({ violation: null, takeovers: 1, lost: 0 });
    expect(result.acknowledged).toBeGreaterThan(2_000);
  }
});
