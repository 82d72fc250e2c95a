/** docs/rules/CODE.md: one page per rule of `holdfast check`, made from the catalogue and the examples that its tests load. */
import {
  EXAMPLE_FILE,
  type Example,
  isExample,
  type RuleExample,
  type Side,
  sideOf,
} from "../src/core/config/examples/example.ts";
import type { DiagnosticRow } from "./docs-pages.ts";

const NOTICE = "<!-- Written by `npm run docs`: change the sources, not this file. -->";

/** What cannot be seen is written as the escape of its code point. */
const visible = (text: string): string =>
  text.replace(/[\0\uFEFF]/g, (char) => `<U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);

function file(example: Example, side: Side): string[] {
  const text = visible(sideOf(example.text, side)).replace(/\n+$/, "");
  return text === "" ? ["(An empty file.)"] : ["```", ...text.split("\n"), "```"];
}

function shown(example: Example): string[] {
  const lines = ["## Example", ""];
  if (example.onHost !== undefined) lines.push(example.onHost, "");
  const names = Object.keys(example.host?.files ?? {}).filter((path) => path !== EXAMPLE_FILE);
  if (names.length > 0) lines.push(`Other files of the host: ${names.map((name) => `\`${name}\``).join(", ")}.`, "");
  if (sideOf(example.text, "faulty") === sideOf(example.text, "corrected"))
    return [...lines, ...file(example, "faulty")];
  lines.push(...file(example, "faulty"));
  if (example.peer !== undefined)
    lines.push(
      "",
      "The other host's file, with `holdfast check THIS OTHER`:",
      "",
      "```",
      ...example.peer.trimEnd().split("\n"),
      "```",
    );
  return [...lines, "", "## Corrected", "", ...file(example, "corrected")];
}

export function rulePage(
  code: string,
  { severity, meaning, failsConfigTest }: DiagnosticRow,
  rule: RuleExample,
): string {
  const test = failsConfigTest ? "`holdfast -t` fails for it." : "`holdfast -t` does not fail for it.";
  const body = isExample(rule) ? shown(rule) : ["## How it comes about", "", rule.comesAbout];
  const lines = [
    `# ${code}`,
    "",
    NOTICE,
    "",
    meaning,
    "",
    `Severity: **${severity}**. ${test} All rules: [diagnostics](../diagnostics.md).`,
    "",
    "## Why it matters",
    "",
    rule.why,
    "",
    ...body,
  ];
  return `${lines.join("\n")}\n`;
}
