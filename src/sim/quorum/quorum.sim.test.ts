import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import type { Policy } from "../../core/database/config.ts";
import { describeQuorum, runQuorum } from "./run-cluster.ts";

const HOURS = 0.2;

async function search(policy: Policy, first: number, count: number) {
  const totals = { rounds: 0, takeovers: 0, holders: 0, losses: 0, overruled: 0, kinds: new Set<string>() };
  for (let seed = first; seed < first + count; seed++) {
    const result = await runQuorum({ seed, hours: HOURS, policy });
    expect(result.violation, describeQuorum(result).join("\n")).toBeNull();
    totals.rounds += result.rounds;
    totals.takeovers += result.takeovers;
    totals.holders += result.holders;
    totals.losses += result.losses;
    totals.overruled += result.overruled;
    for (const kind of result.faultKinds) totals.kinds.add(kind);
  }
  return totals;
}

describe("a group with a quorum store, with faults of hosts, network and store", () => {
  it(
    "consistency and balanced: nobody answers beside another or longer than check prints, and one has the record in every calm",
    async () => {
      for (const [policy, first] of [
        ["consistency", 1],
        ["balanced", 512],
      ] as const) {
        const totals = await search(policy, first, runs(9, 1_500));
        expect(totals.rounds).toBeGreaterThan(60);
        expect(totals.takeovers).toBeGreaterThan(50);
        expect(totals.holders).toBeGreaterThan(30);
        expect(totals.losses).toBeGreaterThan(5);
        expect(totals.kinds.size).toBeGreaterThan(20);
        // An operator is there with balanced.
        expect(totals.overruled > 0).toBe(policy === "balanced");
      }
    },
    SEARCH_TIMEOUT,
  );

  it(
    "availability: two answer only while one of them does not hear the store",
    async () => {
      const totals = await search("availability", 3_001, runs(8, 500));
      expect(totals.takeovers).toBeGreaterThan(40);
    },
    SEARCH_TIMEOUT,
  );
});

it("equal seeds give equal runs", async () => {
  expect(await runQuorum({ seed: 7, hours: 0.1 })).toEqual(await runQuorum({ seed: 7, hours: 0.1 }));
});

it("without faults the first to come has the record for ever", async () => {
  for (const seed of [1, 2, 3]) {
    const result = await runQuorum({ seed, hours: 0.05, faults: false });
    expect(result).toMatchObject({ violation: null, takeovers: 1, losses: 0 });
  }
});
