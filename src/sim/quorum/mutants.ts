/** Deliberate defects around the quorum store, each of which its seed must find; see ../mutants.ts. */
import { edit, type Mutant, mutant } from "../mutants.ts";
import { describeQuorum, type QuorumResult, runQuorum } from "./run-cluster.ts";

const OWNERSHIP = "core/quorum/ownership.js";
const RECORD = "engine/quorum/group-record.js";
const LEASE = "core/vrrp/lease.js";
/** Whose record may be written over without a wait. */
const FREE = "(record !== null && !seen.afterLoss)";

export interface QuorumMutant extends Mutant {
  /** A seed that meets what the defect needs; sound code passes it. */
  readonly seed: number;
  readonly policy: QuorumResult["policy"];
}

const found = (seed: number, one: Mutant, policy: QuorumMutant["policy"] = "consistency"): QuorumMutant => ({
  ...one,
  seed,
  policy,
});

export const QUORUM_MUTANTS: readonly QuorumMutant[] = [
  found(
    1,
    mutant("an absent record is granted at once", edit(OWNERSHIP, FREE, "(record === null || !seen.afterLoss)")),
  ),
  found(66, mutant("what a store that went back shows is believed", edit(OWNERSHIP, FREE, "record !== null"))),
  found(
    66,
    mutant(
      "a store that went back is not noticed",
      edit(OWNERSHIP, "const back = blind || (", "const back = false && ("),
    ),
  ),
  found(
    3,
    mutant(
      "another's record need not stand still",
      edit(OWNERSHIP, "const free = record === null ||", "const free = true ||"),
    ),
  ),
  found(
    2,
    mutant(
      "a grant counts from when the answer is here",
      edit(
        OWNERSHIP,
        "confirm(known, record) : letGo",
        "{ ...confirm(known, record), until: after(now, record.ttl) } : letGo",
      ),
    ),
  ),
  found(3, mutant("an epoch is used twice", edit(OWNERSHIP, "(known.life === me.life ? 0 : 1)", "0"))),
  found(
    3,
    mutant(
      "the wait leaves the kernel's lateness out",
      edit("core/quorum/timing.js", "rate * rate * (ttl + silence)", "rate * rate * ttl"),
    ),
  ),
  found(1, mutant("the keeper is not told how long", edit(RECORD, "this.#host.permit(until);", ";"))),
  found(
    1,
    mutant(
      "lifetimes reach beyond the grant",
      edit(LEASE, "Math.min(configured, (deadline - now) / 1_000_000)", "configured"),
    ),
  ),
  found(
    1,
    mutant(
      "the record is given back before the server is closed",
      edit(RECORD, "return closed.then(() => {", "return Promise.resolve().then(() => {"),
    ),
  ),
  found(
    1,
    mutant(
      "a claim goes on though the store is silent",
      edit(RECORD, 'const without = policy === "availability" || this.#ordered;', "const without = true;"),
    ),
  ),
  found(
    518,
    mutant("an order survives an answer", edit(RECORD, " && silentSince === this.#order.silentSince", "")),
    "balanced",
  ),
  found(
    3083,
    mutant(
      "another's record does not end the own service",
      edit(
        RECORD,
        "if (this.#serving)\n            this.#host.permit(this.#record.now);\n        else",
        "if (!this.#serving)",
      ),
    ),
    "availability",
  ),
  found(
    2,
    mutant(
      "the store swaps whatever stands there",
      edit("sim/quorum/store.js", "before.revision !== expected.revision || before.value !== expected.value", "false"),
    ),
  ),
];

const HOURS = 0.2;

/** What is wrong, in words; null when nothing is. */
export async function runQuorumSeeds(runs: readonly Pick<QuorumMutant, "seed" | "policy">[]): Promise<string | null> {
  for (const { seed, policy } of runs) {
    const result = await runQuorum({ seed, hours: HOURS, policy });
    if (result.violation !== null) return describeQuorum(result).slice(0, 2).join(" ");
  }
  return null;
}
