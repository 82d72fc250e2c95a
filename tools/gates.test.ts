/**
 * The gates prove themselves: each rule must fire on a fixture made to break it, and the layer check must have seen
 * the real sources. A gate that went blind (a tool update, a renamed option) fails here instead of passing silently.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

interface Layer {
  readonly name: string;
  readonly from: readonly string[];
}

const ROOT = resolve(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");
const layerTable = createRequire(import.meta.url)("./layers.cjs") as {
  readonly LAYERS: readonly Layer[];
  readonly MINIMUM_MODULES: number;
};

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/**
 * A copy of the fixture with the project's own settings beside it. Outside the repository: biome's rules that need
 * types look at nothing that git ignores.
 */
function stage(fixture: string): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-gate-"));
  made.push(folder);
  cpSync(join(ROOT, "fixtures/gates", fixture), folder, { recursive: true });
  for (const name of ["biome.json", ".dependency-cruiser.cjs", "tsconfig.base.json", "package.json"]) {
    cpSync(join(ROOT, name), join(folder, name));
  }
  for (const name of ["layers.cjs", "biome"]) {
    cpSync(join(ROOT, "tools", name), join(folder, "tools", name), { recursive: true });
  }
  return folder;
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): { readonly code: number; readonly output: string } {
  const env = { ...process.env, NO_COLOR: "1" };
  // The list of all modules as JSON is longer than the default of 1 MiB.
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env, maxBuffer: 64 * 1024 * 1024 });
  return { code: done.status ?? -1, output: done.stdout + done.stderr };
}

function cruise(folder: string, type: string): { readonly code: number; readonly output: string } {
  if (folder !== ROOT) symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return run(join(BIN, "depcruise"), ["--config", ".dependency-cruiser.cjs", "--output-type", type, "src"], folder);
}

const lint = (folder: string) =>
  run(join(BIN, "biome"), ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none", "."], folder);

describe("layers", () => {
  it("accepts a tree that keeps the table", () => {
    const { code, output } = cruise(stage("clean"), "err");
    expect(output).toContain("no dependency violations found");
    expect(code).toBe(0);
  });

  it("finds every kind of violation in a tree that breaks it", () => {
    const { code, output } = cruise(stage("layers"), "err");
    expect(code).not.toBe(0);
    const expected = [
      "core-imports-other-layer: src/core/uses-engine.ts",
      "core-imports-builtin: src/core/uses-builtin.ts",
      "core-imports-package: src/core/uses-package.ts",
      "core-imports-package: src/core/uses-typed-package.ts",
      "ports-imports-other-layer: src/ports/uses-linux.ts",
      "koffi-outside-its-file: src/linux/socket.ts",
      "engine-imports-other-layer: src/engine/loop.ts",
      "control-imports-other-layer: src/control/server.ts",
      "cli-imports-other-layer: src/cli/uses-control.ts",
      "sim-imports-other-layer: src/sim/uses-linux.ts",
      "lab-imports-other-layer: src/lab/uses-engine.ts",
      "imports-main: src/engine/uses-main.ts",
      "unknown-layer: src/strange/thing.ts",
      "unresolvable: src/core/dangling.ts",
      "orphan: src/core/orphan.ts",
      "cycle: src/core/cycle-a.ts",
    ];
    for (const violation of expected) expect(output).toContain(violation);
    expect(output).not.toContain("src/control/contract/schema.ts →");
    expect(output).not.toContain("uses-control.ts → src/control/contract");
  });

  it("sees the real sources: no fewer modules than there are files, and never next to none", () => {
    const { output } = cruise(ROOT, "json");
    const seen = (JSON.parse(output.slice(output.indexOf("{"))) as { summary: { totalCruised: number } }).summary;
    expect(seen.totalCruised).toBeGreaterThanOrEqual(layerTable.MINIMUM_MODULES);
    expect(seen.totalCruised).toBeGreaterThanOrEqual(countSources(join(ROOT, "src")));
  });

  it("knows every folder of src", () => {
    const known = layerTable.LAYERS.map((layer) => layer.name);
    const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const folder of folders) expect(known).toContain(folder.name);
  });

  it("is the table that docs/architecture.md shows", () => {
    const text = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
    for (const layer of layerTable.LAYERS.filter((entry) => entry.name !== "main")) {
      const row = text.split("\n").find((line) => line.startsWith(`| ${layer.name} |`));
      expect(row, `row of ${layer.name}`).toContain(`| ${layer.from.join(", ") || "nothing"} |`);
    }
  });
});

describe("biome", () => {
  const RULE_OF_FILE: Readonly<Record<string, string>> = {
    "src/core/clock-date.ts": "lint/style/noRestrictedGlobals",
    "src/core/clock-performance.ts": "lint/style/noRestrictedGlobals",
    "src/core/timer.ts": "lint/style/noRestrictedGlobals",
    "src/core/process-global.ts": "lint/style/noRestrictedGlobals",
    "src/core/console-log.ts": "lint/style/noRestrictedGlobals",
    "src/core/random.ts": "plugin",
    "src/engine/floating-promise.ts": "lint/nursery/noFloatingPromises",
    "src/engine/misused-promise.ts": "lint/nursery/noMisusedPromises",
    "src/engine/switch-hole.ts": "lint/nursery/useExhaustiveSwitchCases",
    "src/engine/default-export.ts": "lint/style/noDefaultExport",
    "src/engine/CamelName.ts": "lint/style/useFilenamingConvention",
    "src/engine/any-type.ts": "lint/suspicious/noExplicitAny",
    "src/engine/many-params.ts": "lint/complexity/useMaxParams",
    "src/engine/cycle-a.ts": "lint/suspicious/noImportCycles",
    "src/engine/enumeration.ts": "lint/style/noEnum",
    "src/engine/complex.ts": "lint/complexity/noExcessiveCognitiveComplexity",
    "src/engine/long-function.ts": "lint/complexity/noExcessiveLinesPerFunction",
  };

  it("finds each broken rule in its fixture", () => {
    const folder = stage("biome");
    const { code, output } = lint(folder);
    expect(code).not.toBe(0);
    for (const [file, rule] of Object.entries(RULE_OF_FILE)) {
      const found = output.split("\n").some((line) => line.includes(`title=${rule},`) && line.includes(file));
      expect(found, `${rule} on ${file}`).toBe(true);
    }
  });

  it("accepts a clean tree", () => {
    expect(lint(stage("clean")).code).toBe(0);
  });
});

describe("tidy", () => {
  it("finds each kind of untidiness", () => {
    const { code, output } = run(
      process.execPath,
      [join(ROOT, "tools/tidy.mjs"), join(ROOT, "fixtures/gates/tidy")],
      ROOT,
    );
    expect(code).toBe(1);
    const expected = [
      "file-length src/core/long.ts:400",
      "header src/core/bare.ts:1",
      "todo src/core/promise.ts:2",
      "home-path docs/home.md:1",
      "lockfile package-lock.json:1",
      "shell script/careless:1",
      "stale-exception tools/tidy-exceptions.json:1",
    ];
    for (const finding of expected) expect(output).toContain(finding);
  });
});

describe("compiler", () => {
  it("refuses Node in the core", () => {
    const { code, output } = run(join(BIN, "tsc"), ["-p", "fixtures/gates/types"], ROOT);
    expect(code).not.toBe(0);
    for (const file of ["uses-builtin.ts", "uses-process.ts", "uses-timer.ts"]) {
      expect(output).toMatch(new RegExp(`${file}.*error TS`));
    }
  });

  it("gives Node's types to no layer that must be pure", () => {
    for (const layer of ["core", "ports"]) {
      const file = join(ROOT, "src", layer, "tsconfig.json");
      expect(existsSync(file)).toBe(true);
      const settings = JSON.parse(readFileSync(file, "utf8")) as { compilerOptions: { types: string[] } };
      expect(settings.compilerOptions.types).toEqual([]);
    }
  });
});

function countSources(folder: string): number {
  let count = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) count += countSources(join(folder, entry.name));
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts")) count += 1;
  }
  return count;
}
