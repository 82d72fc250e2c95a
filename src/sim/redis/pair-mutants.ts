/** Deliberate defects of what manages a Redis server, each of which its seed must find; see ../mutants.ts. */
import { edit, type Mutant, mutant } from "../mutants.ts";
import { describeRedisPair, runRedisPair } from "./run-pair.ts";

const TAKEOVER = "core/redis/takeover.js";
const FOLLOW = "core/redis/follow.js";
const TENDING = "core/redis/tending.js";
const MEMBER = "core/redis/member.js";
const KEEPING = "engine/redis-keeping.js";
const MARK = "engine/redis-mark.js";

export interface RedisPairMutant extends Mutant {
  /** A seed that meets what the defect needs; sound code passes it. */
  readonly seed: number;
}

const found = (seed: number, one: Mutant): RedisPairMutant => ({ ...one, seed });

export const REDIS_PAIR_MUTANTS: readonly RedisPairMutant[] = [
  found(10, mutant("a restarted writer wins by name", edit(MEMBER, "insync: 2,", "insync: 0,"))),
  found(70, mutant("a restart of the server is not told", edit(MARK, "run !== written.run", "false"))),
  found(
    11,
    mutant(
      "what one server alone has is not copied",
      edit(FOLLOW, 'saved ? follow("what is here was saved")', 'true ? follow("")'),
    ),
  ),
  found(
    16,
    mutant(
      "of two dumps the shorter one wins",
      edit(TAKEOVER, "hasAllOf(theirs.history, own.history) !== true", "true"),
    ),
  ),
  found(5, mutant("older data open alone", edit(TAKEOVER, "if (!known) {", "if (false) {"))),
  found(
    51,
    mutant(
      "a writer beside a later one goes on",
      edit(TENDING, "return theirs.keys > 0 && hasAllOf", "return false && hasAllOf"),
    ),
  ),
  found(
    5,
    mutant("a restarted writer keeps its address", edit(KEEPING, "if (facts.own.runId !== knownRun)", "if (false)")),
  ),
  found(
    46,
    mutant(
      "a dead master is not let go",
      edit(FOLLOW, "if (source === null || isParked(source.address))", "if (true)"),
    ),
  ),
  found(
    7,
    mutant(
      "a writer that is alone goes on refusing writes",
      edit(TENDING, 'gateway !== "unreachable" ? change(0) : null;', 'gateway !== "unreachable" ? null : null;'),
    ),
  ),
  found(
    26,
    mutant(
      "a cut-off writer keeps its address",
      edit(KEEPING, "if (this.#isolated || length < ISOLATED_MILLIS)", "if (true)"),
    ),
  ),
  found(
    11,
    mutant(
      "an open peer is closed by neither claim nor writer",
      edit(
        TENDING,
        'return second === undefined ? null : { kind: "close-peer"',
        'return true ? null : { kind: "close-peer"',
      ),
      edit(
        TAKEOVER,
        "if (theirs === null || !isOpen(theirs))\n        return null;\n    const { own, known",
        "return null;\n    const { own, known",
      ),
    ),
  ),
  found(2, mutant("going alone is not written down", edit(KEEPING, "if (what.wanted === 0 && !(", "if (false && !("))),
];

const HOURS = 0.15;

/** What is wrong, in words; null when nothing is. */
export async function runRedisPairSeeds(seeds: readonly number[]): Promise<string | null> {
  for (const seed of seeds) {
    const result = await runRedisPair({ seed, hours: HOURS });
    if (result.violation !== null) return describeRedisPair(result).slice(0, 2).join(" ");
  }
  return null;
}
