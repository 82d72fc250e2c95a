/** docs/mha.md speaks of every parameter and every command, and each row of its table names a test that exists and speaks of the parameter. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PARAMETERS } from "../src/core/mha/parameters.ts";
import { COMMANDS } from "../src/mha/commands.ts";

const DOCS = join(import.meta.dirname, "../docs");
const page = readFileSync(join(DOCS, "mha.md"), "utf8");

test("every parameter has a row with its test", () => {
  const rows = new Map([...page.matchAll(/^\| `(\w+)` \|.*\]\(([^)]+)\) \|$/gm)].map((row) => [row[1], row[2] ?? ""]));
  for (const { name } of PARAMETERS) {
    const path = join(DOCS, rows.get(name) ?? `no row for ${name}`);
    expect(existsSync(path), `${name}: ${path}`).toBe(true);
    // What tests of the rules call otherwise is said beside it.
    expect(readFileSync(path, "utf8") + sceneText(path), `${path} does not speak of ${name}`).toContain(name);
  }
});

/** The scene of the lab's tests writes the accounts and places that all of them need. */
function sceneText(path: string): string {
  return path.includes(".lab.test.ts") ? readFileSync(join(DOCS, "../src/lab/mha-scene.ts"), "utf8") : "";
}

test("every command is in the page", () => {
  for (const { name } of COMMANDS) expect(page).toContain(`\`${name}\``);
});
