/** Runs the simulator on a copy of the compiled code with a deliberate defect in it: for the tests that ask whether it finds anything. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Mutant } from "./mutants.ts";

const DIST = join(import.meta.dirname, "../../dist");
const PARTS = ["core", "engine", "ports", "sim"];

/** Exit code of a run that found something. */
export const FOUND = 1;

export const isBuilt = (): boolean => existsSync(join(DIST, "sim/suite.js"));

export function copyBuild(folder: string): void {
  for (const part of PARTS) {
    cpSync(join(DIST, part), join(folder, part), { recursive: true, filter: (path) => !/\.(d\.ts|map)$/.test(path) });
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
}

/** Throws when a text to replace is not there exactly once: a mutant that no longer fits proves nothing. */
export function damage(folder: string, { name, edits }: Mutant): void {
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`mutant "${name}": ${file} has this ${count} times, not once: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
}

/** `call` is an expression that gives, or promises, what is wrong in words, or null; it names a function of `module`. */
export function runCopy(folder: string, module: string, call: string): Promise<{ code: number; words: string }> {
  const url = pathToFileURL(join(folder, module)).href;
  const program = `import(${JSON.stringify(url)}).then(async (suite) => {
    const wrong = await suite.${call};
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
