import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBuild, damage, FOUND, isBuilt, runCopy } from "../damaged-copy.ts";
import { REDIS_PAIR_MUTANTS } from "./pair-mutants.ts";

const runSeeds = (folder: string, seeds: readonly number[]) =>
  runCopy(folder, "sim/redis/pair-mutants.js", `runRedisPairSeeds(${JSON.stringify(seeds)})`);

describe("mutants of a managed Redis pair", () => {
  let root = "";

  beforeAll(() => {
    expect(isBuilt(), "build first: npx tsc -b").toBe(true);
    root = mkdtempSync(join(tmpdir(), "holdfast-redis-mutants-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("the undamaged copy passes", async () => {
    const folder = join(root, "sound");
    copyBuild(folder);
    const seeds = [...new Set(REDIS_PAIR_MUTANTS.map(({ seed }) => seed))];
    expect(await runSeeds(folder, seeds)).toEqual({ code: 0, words: "" });
  });

  describe.concurrent("each is found", { concurrent: true }, () => {
    for (const [at, mutant] of REDIS_PAIR_MUTANTS.entries()) {
      it(mutant.name, async () => {
        const folder = join(root, `mutant-${at}`);
        copyBuild(folder);
        damage(folder, mutant);
        const { code, words } = await runSeeds(folder, [mutant.seed]);
        rmSync(folder, { recursive: true, force: true });
        expect(code, `survived: ${mutant.name} (${words})`).toBe(FOUND);
      });
    }
  });
});
