/**
 * Corrections that a finding brings along: a piece of one line and what to write instead. Owns which of them may be made without asking,
 * and how they are worked into a text. It reads and writes nothing.
 */
import { err, ok, type Result } from "../lib/result.ts";
import { sameValue } from "../lib/same-value.ts";
import { maskSecrets, secretTokens } from "../lib/secrets.ts";
import type { SourceSpan } from "./written.ts";

/** Proposed by the reader of a line, whose text may have come out of a definition; kept only where the file says the same. */
export interface Fix {
  /** Length 0: the byte order mark, which stands before the first column. */
  readonly span: SourceSpan;
  /** What stands there, white space aside. */
  readonly expected: string;
  readonly replacement: string;
  /** False: only a person can say whether it is meant. */
  readonly safe: boolean;
}

/** Remedy and correction of one finding. */
export interface Advice {
  readonly text: string | null;
  readonly fix: Fix | null;
}

export const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Keywords that a misspelt word may become without asking. Only what tells, names and repeats: whatever decides about priority, health,
 * adverts, addresses, proofs or scripts is for a person.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  "router_id",
  "notification_email",
  "notification_email_from",
  "smtp_server",
  "smtp_connect_timeout",
  "smtp_helo_name",
  "smtp_alert",
  "smtp_alert_vrrp",
  "smtp_alert_checker",
  "no_email_faults",
  "no_checker_emails",
  "notify_priority_changes",
  "state_dump_file",
  "stats_dump_file",
  "json_dump_file",
  "data_use_instance",
  "process_name",
  "vrrp_process_name",
  ...["garp", "vrrp_garp"].flatMap((prefix) =>
    [
      "master_delay",
      "master_repeat",
      "master_refresh",
      "master_refresh_repeat",
      "lower_prio_delay",
      "lower_prio_repeat",
    ].map((rest) => `${prefix}_${rest}`),
  ),
]);

export const isHarmless = (keyword: string): boolean => HARMLESS.has(keyword);

/** Null where the file says something else at that place, or the line holds a secret. */
export function settleFix(fix: Fix, lines: readonly string[] | undefined): Fix | null {
  const { span, expected, replacement } = fix;
  if (isMark(fix)) return fix;
  const line = lines?.[span.line - 1];
  if (line === undefined || secretTokens([line]).size > 0) return null;
  const from = span.column - 1;
  if (line.slice(from, from + span.length).replace(/\s+/g, " ") !== expected) return null;
  // What is taken away takes the space before it along.
  const blanks = replacement === "" ? (/\s*$/.exec(line.slice(0, from))?.[0].length ?? 0) : 0;
  const place = { ...span, column: span.column - blanks, length: span.length + blanks };
  return { ...fix, span: place, expected: line.slice(place.column - 1, place.column - 1 + place.length) };
}

const before = (one: Fix, other: Fix): number => one.span.line - other.span.line || one.span.column - other.span.column;

/** The text of one file with all these corrections; the error names the line where two of them meet. */
export function applyFixes(text: string, fixes: readonly Fix[]): Result<string, string> {
  const marked = text.startsWith(BYTE_ORDER_MARK);
  const unmark = marked && fixes.some((one) => isMark(one));
  const lines = (marked ? text.slice(1) : text).split("\n");
  const edits = distinct(fixes.filter((one) => !isMark(one)));
  for (const [index, one] of edits.entries()) {
    const next = edits[index + 1];
    if (next !== undefined && next.span.line === one.span.line && next.span.column < one.span.column + one.span.length)
      return err(`two corrections meet in line ${one.span.line}`);
  }
  for (const { span, expected, replacement } of [...edits].reverse()) {
    const line = lines[span.line - 1];
    if (line === undefined) return err(`line ${span.line} is not there any more`);
    if (line.slice(span.column - 1, span.column - 1 + span.length) !== expected)
      return err(`line ${span.line} is not what it was`);
    lines[span.line - 1] = line.slice(0, span.column - 1) + replacement + line.slice(span.column - 1 + span.length);
  }
  return ok((marked && !unmark ? BYTE_ORDER_MARK : "") + lines.join("\n"));
}

const isMark = ({ span }: Fix): boolean => span.length === 0;

/** In the order of the file, each once: a file that is included twice is told of twice. */
function distinct(fixes: readonly Fix[]): readonly Fix[] {
  const sorted = [...fixes].sort(before);
  return sorted.filter((one, index) => index === 0 || !sameValue(one, sorted[index - 1]));
}

/** What changes, as `diff -U0` writes it, without secrets. Corrections add and remove no lines. */
export function diffOf(path: string, old: string, corrected: string): readonly string[] {
  const [was, is] = [old.split("\n"), corrected.split("\n")];
  const lines = [`--- ${path}`, `+++ ${path}`];
  for (const [index, line] of was.entries()) {
    const now = is[index] ?? "";
    if (line === now) continue;
    lines.push(`@@ -${index + 1} +${index + 1} @@`, `-${shown(line)}`, `+${shown(now)}`);
  }
  return lines;
}

const shown = (line: string): string => maskSecrets(line.replace(/\r$/, "").replaceAll(BYTE_ORDER_MARK, "<U+FEFF>"));
