import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBuild, damage, FOUND, isBuilt, runCopy } from "./damaged-copy.ts";
import { MUTANTS } from "./mutants.ts";

const runSuite = (folder: string) => runCopy(folder, "sim/suite.js", "runSuite()");

describe("mutants", () => {
  let root = "";

  beforeAll(() => {
    expect(isBuilt(), "build first: npx tsc -b").toBe(true);
    root = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("the undamaged copy passes", async () => {
    const folder = join(root, "sound");
    copyBuild(folder);
    expect(await runSuite(folder)).toEqual({ code: 0, words: "" });
  });

  describe.concurrent("each is found", { concurrent: true }, () => {
    for (const [at, mutant] of MUTANTS.entries()) {
      it(mutant.name, async () => {
        const folder = join(root, `mutant-${at}`);
        copyBuild(folder);
        damage(folder, mutant);
        const { code, words } = await runSuite(folder);
        rmSync(folder, { recursive: true, force: true });
        expect(code, `survived: ${mutant.name} (${words})`).toBe(FOUND);
      });
    }
  });
});
