/**
 * Everything the simulator knows to find, as one function: all directed scenarios, then a few seeds with faults. The mutant test
 * runs this against damaged copies of the daemon's code.
 */
import { describeResult, runSim } from "./run-sim.ts";
import { GROUPS } from "./scenarios/groups.ts";
import { INCIDENTS } from "./scenarios/incidents.ts";
import { NETWORK } from "./scenarios/network.ts";
import { PROCESSES } from "./scenarios/processes.ts";

export const SUITE_SEEDS = [1, 2, 3, 4, 5, 6];
const HOURS = 0.1;

/** The first thing that is wrong, or null. */
export function runSuite(): string | null {
  for (const [name, scenario] of Object.entries({ ...INCIDENTS, ...GROUPS, ...PROCESSES, ...NETWORK })) {
    const wrong = attempt(name, scenario);
    if (wrong !== null) return wrong;
  }
  for (const seed of SUITE_SEEDS) {
    const wrong = attempt(`seed ${seed}`, () => {
      const result = runSim({ seed, hours: HOURS });
      if (result.violation !== null) throw new Error(describeResult(result).join("\n"));
    });
    if (wrong !== null) return wrong;
  }
  return null;
}

/** An assertion of the daemon that fires counts as found. */
function attempt(name: string, run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `${name}: ${text.split("\n", 2).join(" ")}`;
  }
}
