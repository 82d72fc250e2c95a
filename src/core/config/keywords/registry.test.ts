import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DIAGNOSTIC_CODES } from "../codes.ts";
import { loadConfig } from "../load.ts";
import { memorySource } from "../memory-source.ts";
import { REGISTRY, registryRows } from "./registry.ts";

test("a keyword stands once in its block, and says what it does", () => {
  for (const [block, entries] of Object.entries(REGISTRY)) {
    const names = entries.map((entry) => entry.name);
    expect(new Set(names).size, block).toBe(names.length);
    for (const entry of entries) expect(entry.doc, `${block}.${entry.name}`).toMatch(/\.$/);
  }
});

test("a block that a keyword opens exists, and so does the keyword behind an old name", () => {
  for (const row of registryRows()) {
    if (row.args.kind === "block") expect(REGISTRY[row.args.block], row.name).toBeDefined();
    if (row.aliasOf !== null) expect(REGISTRY[row.block]?.map((entry) => entry.name)).toContain(row.aliasOf);
  }
});

test("every keyword that is not done is answered by name, never ignored", () => {
  for (const row of registryRows().filter(
    (one) => one.status === "not-yet" && ["root", "global_defs", "vrrp_instance"].includes(one.block),
  )) {
    const line = row.args.kind === "block" || row.args.kind === "list" ? `${row.name} x {\n}` : `${row.name} x`;
    const text = row.block === "root" ? `${line}\n` : `${row.block} A {\n${line}\n}\n`;
    const { diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
    expect(diagnostics.map((one) => one.message)).toContainEqual(
      expect.stringMatching(new RegExp(`\`${row.name}\` is accepted, not done yet`)),
    );
  }
});

test("the list of diagnostics names every code with its severity", () => {
  const manual = readFileSync(new URL("../../../../docs/diagnostics.md", import.meta.url), "utf8");
  for (const [code, { severity, meaning }] of Object.entries(DIAGNOSTIC_CODES)) {
    expect(manual).toContain(`| [\`${code}\`](rules/${code}.md) | ${severity} |`);
    expect(manual).toContain(meaning);
  }
});
