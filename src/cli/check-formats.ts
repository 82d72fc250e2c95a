/** Findings as other programs want them: annotations of GitHub's workflows, and SARIF 2.1.0 for editors and code scanning. */
import { DIAGNOSTIC_CODES } from "../core/config/codes.ts";
import type { Diagnostic, Severity } from "../core/config/model.ts";
import { rulePage } from "./rule-pages.ts";

export const CHECK_FORMATS = ["github", "sarif"] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];

const GITHUB: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "notice" };
const SARIF: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "note" };

const whole = ({ message, remedy }: Diagnostic): string => (remedy === null ? message : `${message}; ${remedy}`);

/** `pages`: where the pages of the rules are, null when they are not installed. */
export function renderAs(format: CheckFormat, diagnostics: readonly Diagnostic[], pages: URL | null): string {
  if (format === "github") return diagnostics.map(githubLine).join("\n");
  return JSON.stringify(sarif(diagnostics, pages), null, 2);
}

/** GitHub's workflow commands: a percent sign and line ends would end the message, colons and commas a property. */
function githubLine(diagnostic: Diagnostic): string {
  const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const { span, code, severity } = diagnostic;
  const place = span === null ? "" : `file=${property(span.file)},line=${span.line},col=${span.column},`;
  return `::${GITHUB[severity]} ${place}title=${property(code)}::${data(whole(diagnostic))}`;
}

/** Only what `--fix` would make: programs that read SARIF may make them without asking. */
function fixesOf({ fix, remedy, message }: Diagnostic): { readonly fixes?: readonly object[] } {
  if (fix?.safe !== true) return {};
  const { file, line, column, length } = fix.span;
  // The byte order mark stands before the first column; SARIF counts it as a character.
  const endColumn = column + (length === 0 ? 1 : length);
  const deletedRegion = { startLine: line, startColumn: column, endLine: line, endColumn };
  const replacement = { deletedRegion, insertedContent: { text: fix.replacement } };
  const artifactChanges = [{ artifactLocation: { uri: file }, replacements: [replacement] }];
  return { fixes: [{ description: { text: remedy ?? message }, artifactChanges }] };
}

function sarif(diagnostics: readonly Diagnostic[], pages: URL | null): object {
  const codes = [...new Set(diagnostics.map(({ code }) => code))];
  const meanings: Readonly<Record<string, { readonly meaning: string }>> = DIAGNOSTIC_CODES;
  const rules = codes.map((id) => {
    const helpUri = rulePage(pages, id);
    const text = meanings[id]?.meaning ?? id;
    return { id, shortDescription: { text }, ...(helpUri === null ? {} : { helpUri }) };
  });
  const results = diagnostics.map((diagnostic) => {
    const { code, severity, span } = diagnostic;
    const region =
      span === null ? null : { startLine: span.line, startColumn: span.column, endColumn: span.column + span.length };
    return {
      ruleId: code,
      ruleIndex: codes.indexOf(code),
      level: SARIF[severity],
      message: { text: whole(diagnostic) },
      ...fixesOf(diagnostic),
      locations: span === null ? [] : [{ physicalLocation: { artifactLocation: { uri: span.file }, region } }],
    };
  });
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver: { name: "holdfast check", rules } }, columnKind: "utf16CodeUnits", results }],
  };
}
