/**
 * Collects what is wrong with a configuration and renders it for people. It never stops the reader: everything found
 * is reported, up to a limit that hostile text cannot push further.
 */

import { printable } from "../lib/printable.ts";
import { maskSecrets } from "../lib/secrets.ts";
import type { DiagnosticCode } from "./codes.ts";
import { severityOf } from "./codes.ts";
import type { Advice } from "./fix.ts";
import type { Diagnostic, Severity, SourceSpan } from "./model.ts";

/** Of each severity, so that a flood of warnings hides no error. */
const MOST_DIAGNOSTICS = 500;

const TOO_MANY = "too many problems of this kind; the rest is not shown";

export interface DiagnosticSink {
  readonly list: readonly Diagnostic[];
  /** `advice`: what to write instead, and perhaps the correction. */
  report(code: DiagnosticCode, span: SourceSpan | null, message: string, advice?: string | Advice | null): void;
}

export function createDiagnostics(): DiagnosticSink {
  const list: Diagnostic[] = [];
  const counts: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  return {
    list,
    report(code, span, message, advice = null) {
      const severity = severityOf(code);
      const number = ++counts[severity];
      const { text: remedy, fix } =
        typeof advice === "object" && advice !== null ? advice : { text: advice, fix: null };
      if (number <= MOST_DIAGNOSTICS)
        list.push({ code, severity, span, message, remedy, ...(fix === null ? {} : { fix }) });
      else if (number === MOST_DIAGNOSTICS + 1)
        list.push({ code: "too-many", severity, span, message: TOO_MANY, remedy: null });
    },
  };
}

export function worst(diagnostics: readonly Diagnostic[]): Severity | null {
  if (diagnostics.some((one) => one.severity === "error")) return "error";
  if (diagnostics.some((one) => one.severity === "warning")) return "warning";
  return diagnostics.length > 0 ? "info" : null;
}

/** Source lines by file, for the excerpt under a message. */
export type SourceLines = ReadonlyMap<string, readonly string[]>;

/** One diagnostic as `file:line:column: severity: message [code]`, the line, a caret and the remedy. */
export function renderDiagnostic(diagnostic: Diagnostic, sources: SourceLines): string {
  const { span, severity, message, code, remedy } = diagnostic;
  const place = span === null ? "" : `${span.file}:${span.line}:${span.column}: `;
  const lines = [`${printable(place)}${severity}: ${shorten(message)} [${code}]`];
  const source = span === null ? undefined : sources.get(span.file)?.[span.line - 1];
  if (span !== null && source !== undefined) lines.push(...excerpt(source, span));
  if (remedy !== null) lines.push(`  = ${shorten(remedy)}`);
  return lines.join("\n");
}

const LONGEST_MESSAGE = 600;

/** Messages quote the file, so they are made fit for a terminal and kept short. */
function shorten(text: string): string {
  return printable(text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)} ...` : text);
}

const WIDEST_EXCERPT = 160;

function excerpt(raw: string, span: SourceSpan): readonly string[] {
  const source = maskSecrets(raw);
  const from = span.column > WIDEST_EXCERPT ? span.column - WIDEST_EXCERPT / 2 : 1;
  const shown = source.slice(from - 1, from - 1 + WIDEST_EXCERPT);
  // Tabs keep their width under the caret; anything that could drive a terminal is shown as a dot.
  const visible = printable(shown);
  const indent = printable(source.slice(from - 1, span.column - 1)).replace(/[^\t]/g, " ");
  const room = Math.max(1, shown.length - (span.column - from));
  const number = String(span.line);
  return [
    `${number} | ${visible}`,
    `${" ".repeat(number.length)} | ${indent}${"^".repeat(Math.max(1, Math.min(span.length, room)))}`,
  ];
}
