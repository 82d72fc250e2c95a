/** docs/doctor.md: what `holdfast doctor` may find on a host, made from the catalogue that the findings themselves come from. */
import type { CatalogueEntry } from "../src/core/doctor/catalogue-entry.ts";

const NOTICE = "<!-- Written by `npm run docs`: change the sources, not this file. -->";

export function doctorPage(findings: Readonly<Record<string, CatalogueEntry>>): string {
  const rows = Object.entries(findings).map(
    ([id, { severity, meaning }]) => `| [\`${id}\`](#${id}) | ${severity} | ${meaning} |`,
  );
  const sections = Object.entries(findings).flatMap(([id, { severity, meaning, why, fix }]) => [
    "",
    `## ${id}`,
    "",
    `${meaning} (${severity})`,
    "",
    `Why it matters: ${why}`,
    "",
    `What mends it: ${fix}`,
  ]);
  const lines = [
    "# Findings of `holdfast doctor`",
    "",
    NOTICE,
    "",
    "What the doctor of a host may say; how it is used is in the [operator's guide](operators-guide.md#doctor-what-is-wrong-on-this-host). Each finding on a terminal has its own",
    "words, with the rule, address or setting that was found, and the command for that very host. Exit code 1 when there is an error or a warning.",
    "",
    "| Finding | Severity | Meaning |",
    "| --- | --- | --- |",
    ...rows,
    ...sections,
  ];
  return `${lines.join("\n")}\n`;
}
