import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MUTANTS, type Mutant } from "./mutants.ts";

const DIST = join(import.meta.dirname, "../../dist");
const PARTS = ["core", "engine", "ports", "sim"];
const FOUND = 1;

/** Runs the suite on a copy of the compiled code; resolves to its exit code and last words. */
function runCopy(folder: string): Promise<{ code: number; words: string }> {
  const suite = pathToFileURL(join(folder, "sim/suite.js")).href;
  const program = `import(${JSON.stringify(suite)}).then(({ runSuite }) => {
    const wrong = runSuite();
    if (wrong !== null) { console.log(wrong); process.exitCode = ${FOUND}; }
  });`;
  return new Promise((resolve) => {
    // A mutant that makes time stand still must not hold up the test for ever.
    execFile(process.execPath, ["-e", program], { timeout: 120_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, words: `${stdout}${stderr}`.slice(0, 500) });
    });
  });
}

function copyDist(folder: string): void {
  for (const part of PARTS) {
    cpSync(join(DIST, part), join(folder, part), { recursive: true, filter: (path) => !/\.(d\.ts|map)$/.test(path) });
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
}

function apply(folder: string, { edits }: Mutant): void {
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    const count = text.split(find).length - 1;
    expect(count, `${file} must contain this exactly once: ${find}`).toBe(1);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
}

describe("mutants", () => {
  let root = "";

  beforeAll(() => {
    expect(existsSync(join(DIST, "sim/suite.js")), "build first: npx tsc -b").toBe(true);
    root = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("the undamaged copy passes", async () => {
    const folder = join(root, "sound");
    copyDist(folder);
    expect(await runCopy(folder)).toEqual({ code: 0, words: "" });
  });

  describe.concurrent("each is found", { concurrent: true }, () => {
    for (const [at, mutant] of MUTANTS.entries()) {
      it(mutant.name, async () => {
        const folder = join(root, `mutant-${at}`);
        copyDist(folder);
        apply(folder, mutant);
        const { code, words } = await runCopy(folder);
        rmSync(folder, { recursive: true, force: true });
        expect(code, `survived: ${mutant.name} (${words})`).toBe(FOUND);
      });
    }
  });
});
