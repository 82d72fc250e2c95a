/** Deliberate defects of what manages a database server, each of which its seed must find; see ../mutants.ts. */
import { edit, type Mutant, mutant } from "../mutants.ts";
import { describePair, runPair } from "./run-pair.ts";

const TAKEOVER = "core/mysql/takeover.js";
const TENDING = "core/mysql/tending.js";

export interface PairMutant extends Mutant {
  /** A seed that meets what the defect needs; sound code passes it. */
  readonly seed: number;
}

const found = (seed: number, one: Mutant): PairMutant => ({ ...one, seed });

export const PAIR_MUTANTS: readonly PairMutant[] = [
  found(
    5,
    mutant(
      "a writer that stood still goes on where it was",
      edit("engine/mysql-stray.js", "if (managed.verifying ||", "if (true ||"),
    ),
  ),
  found(
    11,
    mutant(
      "a receiver that was stopped while its peer came back stays so",
      edit(
        TENDING,
        'sqlError === null && (sql === "stopped" || ioError === null || hasGivenUp(channel));',
        'sqlError === null && sql === "stopped";',
      ),
    ),
  ),
  found(
    3,
    mutant(
      "a returned writer is received from whatever it has",
      edit(TENDING, "if (isClean(facts, state.facts, memory.read.get(address)) !== true)", "if (false)"),
    ),
  ),
  found(
    29,
    mutant("an open peer is not closed", edit(TAKEOVER, "return open === undefined ? null :", "return true ? null :")),
  ),
  found(
    11,
    mutant(
      "a host that is cut off claims",
      edit(TAKEOVER, 'if (state.kind === "silent" && gateway === "unreachable") {', "if (false) {"),
    ),
  ),
  found(31, mutant("older data open alone", edit(TAKEOVER, "if (!known && facts.named !== true) {", "if (false) {"))),
];

const HOURS = 0.25;

/** What is wrong, in words; null when nothing is. */
export async function runPairSeeds(seeds: readonly number[]): Promise<string | null> {
  for (const seed of seeds) {
    const result = await runPair({ seed, hours: HOURS });
    if (result.violation !== null) return describePair(result).slice(0, 2).join(" ");
  }
  return null;
}
