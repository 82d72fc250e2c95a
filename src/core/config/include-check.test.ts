import { expect, test } from "vitest";
import { ALL_CHECKS } from "./include-check.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const codes = (text: string, options = {}): string[] =>
  loadConfig(memorySource({ "/k.conf": text, "/there.conf": "" }), "/k.conf", options)
    .diagnostics.map(({ code }) => code)
    .filter((code) => code.startsWith("include-no") || code === "bad-value");

// Answers of keepalived 2.2.7: an error wherever it complains with a code other than 0.
test.each([
  ["include no.conf", []],
  ["include no*.conf", []],
  ["includer no*.conf", []],
  ["includem no*.conf", []],
  ["includem no.conf", ["include-no-match"]],
  ["includew no*.conf", ["include-no-match"]],
  ["includea no*.conf", ["include-no-match"]],
  ["global_defs {\ninclude_check\n}\ninclude no.conf", ["include-no-match"]],
  ["global_defs {\ninclude_check match\n}\ninclude no*.conf", []],
  ["global_defs {\ninclude_check match\n}\ninclude no.conf", ["include-no-match"]],
  ["global_defs {\ninclude_check wildcard_match\n}\ninclude no*.conf", ["include-no-match"]],
  ["global_defs {\ninclude_check +match -match\n}\ninclude no.conf", []],
  ["global_defs {\ninclude_check\ninclude_check -match -brace_match\n}\ninclude no.conf", []],
  ["global_defs {\ninclude_check foo\n}\ninclude there.conf", ["bad-value"]],
])("%j", (text, expected) => {
  expect(codes(text)).toEqual(expected);
});

test("-e is all checks, from the first line on", () => {
  expect(codes("include no.conf", { includeCheck: ALL_CHECKS })).toEqual(["include-no-match"]);
  expect(codes("include no*.conf", { includeCheck: ALL_CHECKS })).toEqual(["include-no-match"]);
});

test("include_check of an included file ends with it", () => {
  const source = memorySource({ "/k.conf": "include inner.conf\ninclude no.conf", "/inner.conf": "include_check" });
  const found = loadConfig(source, "/k.conf").diagnostics.map(({ code }) => code);
  expect(found).not.toContain("include-no-match");
});
