import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../tools/test-runs.ts";
import { describeResult, runSim } from "./run-sim.ts";

const HOURS = 0.2;
/** Not the suite's: every run of the tests sees these in addition. */
const SEEDS = Array.from({ length: runs(24, 240) }, (_, at) => 101 + at);

describe("seeds with faults", () => {
  it(
    "violate nothing, and really have faults, takeovers and calm in which everything is looked at",
    () => {
      const totals = { rounds: 0, takeovers: 0, checks: 0, kinds: new Set<string>() };
      for (const seed of SEEDS) {
        const result = runSim({ seed, hours: HOURS });
        expect(result.violation, describeResult(result).join("\n")).toBeNull();
        totals.rounds += result.rounds;
        totals.takeovers += result.takeovers;
        totals.checks += result.settledChecks;
        for (const kind of result.faultKinds) totals.kinds.add(kind);
      }
      expect(totals.rounds).toBeGreaterThan(SEEDS.length * 3);
      expect(totals.takeovers).toBeGreaterThan(SEEDS.length * 10);
      expect(totals.checks).toBeGreaterThan(SEEDS.length * 100);
      expect(totals.kinds.size).toBeGreaterThan(15);
    },
    SEARCH_TIMEOUT,
  );
});

describe("without faults", () => {
  it(
    "nothing changes hands after the start, whatever the configuration",
    () => {
      for (let seed = 1; seed <= runs(20, 200); seed++) {
        const result = runSim({ seed, hours: 0.05, faults: false });
        expect(result.violation, describeResult(result).join("\n")).toBeNull();
        expect(result.settledChecks).toBeGreaterThan(0);
      }
    },
    SEARCH_TIMEOUT,
  );
});
