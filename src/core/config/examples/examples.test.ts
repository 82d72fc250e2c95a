import { describe, expect, test } from "vitest";
import { DIAGNOSTIC_CODES, severityOf } from "../codes.ts";
import { comparePair } from "../compare-pair.ts";
import { loadConfig } from "../load.ts";
import type { Diagnostic } from "../model.ts";
import { EXAMPLE_FILE, type Example, exampleSource, isExample, type Side, sideOf } from "./example.ts";
import { RULE_EXAMPLES } from "./examples.ts";

const PEER_FILE = "/etc/keepalived/peer.conf";
const cases = Object.entries(RULE_EXAMPLES);
const shown = cases.flatMap(([code, one]) => (isExample(one) ? [[code, one] as const] : []));

function findings(example: Example, side: Side): readonly Diagnostic[] {
  const host = side === "faulty" ? example.host : example.correctedHost;
  const files = { [EXAMPLE_FILE]: sideOf(example.text, side), [PEER_FILE]: example.peer ?? "" };
  const source = exampleSource(files, host);
  const own = loadConfig(source, EXAMPLE_FILE);
  if (example.peer === undefined) return own.diagnostics;
  return [...own.diagnostics, ...comparePair(own.config, loadConfig(source, PEER_FILE).config)];
}

const codes = (list: readonly Diagnostic[]): readonly string[] => list.map(({ code }) => code);

test("every code has an entry, and there is none of another", () => {
  expect(cases.map(([code]) => code).sort()).toEqual(Object.keys(DIAGNOSTIC_CODES).sort());
});

test("the codes that no configuration shows are these", () => {
  const without = cases.filter(([, one]) => !isExample(one)).map(([code]) => code);
  expect(without).toEqual(["file-unreadable", "line-too-long", "too-large", "too-many", "reload-interface"]);
});

describe.each(shown)("%s", (code, example) => {
  test("the faulty file reports it", () => {
    expect(codes(findings(example, "faulty"))).toContain(code);
  });

  test("the corrected file does not, and has no error", () => {
    const left = findings(example, "corrected");
    expect(codes(left)).not.toContain(code);
    expect(codes(left.filter((one) => severityOf(one.code as keyof typeof DIAGNOSTIC_CODES) === "error"))).toEqual([]);
  });

  test("the two files differ, or the host does", () => {
    const same = sideOf(example.text, "faulty") === sideOf(example.text, "corrected");
    expect(same).toBe(example.text.split("\n").every((line) => !/^[-+]/.test(line)));
    if (same) expect(example.onHost).toBeDefined();
    if (same) expect(example.host).not.toEqual(example.correctedHost);
  });
});
