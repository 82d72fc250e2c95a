import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBuild, damage, FOUND, isBuilt, runCopy } from "../damaged-copy.ts";
import { QUORUM_MUTANTS, type QuorumMutant } from "./mutants.ts";

const runSeeds = (folder: string, runs: readonly Pick<QuorumMutant, "seed" | "policy">[]) =>
  runCopy(
    folder,
    "sim/quorum/mutants.js",
    `runQuorumSeeds(${JSON.stringify(runs.map(({ seed, policy }) => ({ seed, policy })))})`,
  );

describe("mutants around the quorum store", () => {
  let root = "";

  beforeAll(() => {
    expect(isBuilt(), "build first: npx tsc -b").toBe(true);
    root = mkdtempSync(join(tmpdir(), "holdfast-quorum-mutants-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("the undamaged copy passes", async () => {
    const folder = join(root, "sound");
    copyBuild(folder);
    const runs = new Map(QUORUM_MUTANTS.map((one) => [`${one.policy} ${one.seed}`, one]));
    expect(await runSeeds(folder, [...runs.values()])).toEqual({ code: 0, words: "" });
  });

  describe.concurrent("each is found", { concurrent: true }, () => {
    for (const [at, mutant] of QUORUM_MUTANTS.entries()) {
      it(mutant.name, async () => {
        const folder = join(root, `mutant-${at}`);
        copyBuild(folder);
        damage(folder, mutant);
        const { code, words } = await runSeeds(folder, [mutant]);
        rmSync(folder, { recursive: true, force: true });
        expect(code, `survived: ${mutant.name} (${words})`).toBe(FOUND);
      });
    }
  });
});
