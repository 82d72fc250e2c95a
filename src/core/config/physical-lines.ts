/**
 * A file's text as lines, and one line without its comment. Owns what no line may hold: NUL bytes, too many characters, a
 * quotation mark that is left open. It knows neither conditions nor definitions.
 */
import { decomment } from "./comments.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { BYTE_ORDER_MARK } from "./fix.ts";
import type { Mapped } from "./text.ts";

export const LONGEST_LINE = 65_536;

export interface Place {
  readonly file: string;
  readonly line: number;
}

export function physicalLines(diagnostics: DiagnosticSink, path: string, content: string): readonly string[] {
  return withoutMark(diagnostics, path, content)
    .split("\n")
    .map((line) => (line.endsWith("\r") ? line.replace(/\r+$/, "") : line));
}

function withoutMark(diagnostics: DiagnosticSink, path: string, content: string): string {
  if (!content.startsWith(BYTE_ORDER_MARK)) return content;
  diagnostics.report(
    "byte-order-mark",
    { file: path, line: 1, column: 1, length: 1 },
    "the file begins with a byte order mark; keepalived takes it for a part of the first word and drops that block",
    {
      text: "save it as UTF-8 without a byte order mark",
      fix: {
        span: { file: path, line: 1, column: 1, length: 0 },
        expected: BYTE_ORDER_MARK,
        replacement: "",
        safe: true,
      },
    },
  );
  return content.slice(BYTE_ORDER_MARK.length);
}

/** Removes the comment and outer white space; null when the line has to be skipped. */
export function clean(diagnostics: DiagnosticSink, place: Place, raw: string): Mapped | null {
  if (raw.length > LONGEST_LINE) {
    diagnostics.report(
      "line-too-long",
      { ...place, column: 1, length: 1 },
      `line of ${raw.length} characters is ignored`,
      `keep lines below ${LONGEST_LINE} characters`,
    );
    return null;
  }
  if (raw.includes("\0")) {
    diagnostics.report(
      "nul-byte",
      { ...place, column: raw.indexOf("\0") + 1, length: 1 },
      "line with a NUL byte is ignored",
      "is this a text file?",
    );
    return null;
  }
  const { text, openQuote } = decomment(raw);
  if (openQuote !== null) {
    const span = { ...place, column: openQuote + 1, length: Math.max(1, raw.length - openQuote) };
    diagnostics.report(
      "unterminated-quote",
      span,
      "the quotation mark is not closed on this line",
      'add the closing "',
    );
  }
  return text;
}
