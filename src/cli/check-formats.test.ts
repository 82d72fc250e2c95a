import { expect, test } from "vitest";
import type { Diagnostic } from "../core/config/model.ts";
import { renderAs } from "./check-formats.ts";

const FINDINGS: readonly Diagnostic[] = [
  {
    code: "bad-value",
    severity: "error",
    span: { file: "/etc/a,b:c.conf", line: 3, column: 5, length: 4 },
    message: "100% wrong\nhere",
    remedy: "write 1",
  },
  { code: "unused-script", severity: "info", span: null, message: "never run", remedy: null },
];

test("GitHub's annotations cannot be broken out of", () => {
  expect(renderAs("github", FINDINGS, null).split("\n")).toEqual([
    "::error file=/etc/a%2Cb%3Ac.conf,line=3,col=5,title=bad-value::100%25 wrong%0Ahere; write 1",
    "::notice title=unused-script::never run",
  ]);
});

test("SARIF names each rule once, with its meaning and the place of each result", () => {
  const { version, runs } = JSON.parse(
    renderAs("sarif", [...FINDINGS, ...FINDINGS], new URL("file:///doc/rules/")),
  ) as {
    version: string;
    runs: [
      {
        tool: { driver: { rules: { id: string; helpUri: string }[] } };
        results: { ruleIndex: number; level: string; locations: object[] }[];
      },
    ];
  };
  expect(version).toBe("2.1.0");
  expect(runs[0].tool.driver.rules.map(({ id }) => id)).toEqual(["bad-value", "unused-script"]);
  expect(runs[0].tool.driver.rules[0]?.helpUri).toBe("file:///doc/rules/bad-value.md");
  expect(runs[0].results.map(({ ruleIndex, level }) => [ruleIndex, level])).toEqual([
    [0, "error"],
    [1, "note"],
    [0, "error"],
    [1, "note"],
  ]);
  expect(runs[0].results[0]?.locations).toEqual([
    {
      physicalLocation: {
        artifactLocation: { uri: "/etc/a,b:c.conf" },
        region: { startLine: 3, startColumn: 5, endColumn: 9 },
      },
    },
  ]);
});
