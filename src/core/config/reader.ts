/**
 * Reads configuration files into logical lines: comments gone, includes followed, conditionals decided, definitions
 * and loops expanded. Owns limits on size and depth. It does not know a single keyword besides include.
 */

import type { DiagnosticSink } from "./diagnostics.ts";
import type { Definitions, ExpansionBudget } from "./expand.ts";
import { readDefinition, readLoop, substitute } from "./expand.ts";
import {
  type IncludeChecks,
  mustBeReadable,
  mustMatch,
  NO_CHECKS,
  readIncludeCheck,
  withLetter,
} from "./include-check.ts";
import { type KeptBlock, type KeptBlocks, keptAt, NOTHING_KEPT } from "./kept-blocks.ts";
import type { SourceSpan } from "./model.ts";
import { directoryOf, expandBraces, resolvePath } from "./paths.ts";
import { clean, LONGEST_LINE, type Place, physicalLines } from "./physical-lines.ts";
import { predefined } from "./predefined.ts";
import type { ConfigSource } from "./source.ts";
import type { Mapped } from "./text.ts";
import { columnAt, slice, trim } from "./text.ts";

export interface LogicalLine {
  readonly file: string;
  readonly line: number;
  readonly text: Mapped;
  /** The head of a block whose other lines were not read. */
  readonly kept?: KeptBlock;
}

export interface ReadOptions {
  /** Overrides the host name up to its first dot (`-i`). */
  readonly configId?: string;
  /** What every include must find (-e); include_check changes it for its file. */
  readonly includeCheck?: IncludeChecks;
  /** Blocks that need not be read again. */
  readonly kept?: KeptBlocks;
}

export interface ReadResult {
  readonly lines: readonly LogicalLine[];
  /** Every file read, with its lines as they stand, for excerpts. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** False when the main file could not be read. */
  readonly readable: boolean;
  /** Blocks that were not read. */
  readonly skipped: number;
}

const LIMITS = {
  depth: 32,
  files: 1_000,
  bytes: 16 * 1024 * 1024,
  lines: 200_000,
  characters: 64 * 1024 * 1024,
} as const;

interface Reader {
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
  readonly definitions: Definitions;
  readonly budget: ExpansionBudget;
  readonly configId: string;
  readonly lines: LogicalLine[];
  readonly files: Map<string, readonly string[]>;
  /** Paths being read, outermost first. */
  readonly stack: string[];
  readonly kept: KeptBlocks;
  skipped: number;
  /** include_check of the file being read. */
  checks: IncludeChecks;
  bytes: number;
  fileCount: number;
  /** Set once a limit is hit: the rest is not read. */
  exhausted: boolean;
}

export function readConfig(
  source: ConfigSource,
  path: string,
  diagnostics: DiagnosticSink,
  options: ReadOptions = {},
): ReadResult {
  const configId = options.configId ?? source.hostname.split(".")[0] ?? "";
  const stack: string[] = [];
  const reader: Reader = {
    source,
    diagnostics,
    definitions: {
      values: new Map(),
      predefined: (name, args) => predefined(source, stack, configId, [name, ...args]),
    },
    budget: { characters: LIMITS.characters, lines: LIMITS.lines },
    configId,
    lines: [],
    files: new Map(),
    stack,
    kept: options.kept ?? NOTHING_KEPT,
    skipped: 0,
    checks: options.includeCheck ?? NO_CHECKS,
    bytes: 0,
    fileCount: 0,
    exhausted: false,
  };
  const absolute = resolvePath(path, source.workingDirectory);
  const text = source.readFile(absolute);
  if (!text.ok) {
    diagnostics.report(
      "file-unreadable",
      null,
      `cannot read ${absolute}: ${text.error}`,
      "give the path of a readable file with -f",
    );
    return { lines: [], files: reader.files, readable: false, skipped: 0 };
  }
  readText(reader, absolute, text.value);
  return { lines: reader.lines, files: reader.files, readable: true, skipped: reader.skipped };
}

function stop(reader: Reader, span: SourceSpan | null, message: string): void {
  if (reader.exhausted) return;
  reader.exhausted = true;
  reader.diagnostics.report("too-large", span, message, "split the configuration, or shorten its loops");
}

function spanOf(place: Place, text: Mapped): SourceSpan {
  const column = columnAt(text, 0);
  const end = text.text.length > 0 ? columnAt(text, text.text.length - 1) : column;
  return { file: place.file, line: place.line, column, length: Math.max(1, end - column + 1) };
}

function readText(reader: Reader, path: string, content: string): void {
  reader.bytes += content.length;
  reader.fileCount++;
  if (reader.bytes > LIMITS.bytes || reader.fileCount > LIMITS.files) {
    stop(reader, null, `${path}: more than ${LIMITS.files} files or ${LIMITS.bytes} characters of configuration`);
    return;
  }
  const physical = physicalLines(reader.diagnostics, path, content);
  reader.files.set(path, physical);
  reader.stack.push(path);
  const { checks } = reader;
  readLines(reader, path, physical);
  reader.checks = checks;
  reader.stack.pop();
}

/** A `$NAME= \` definition that is still being collected. */
interface Collecting {
  readonly name: string;
  readonly lines: string[];
}

function readLines(reader: Reader, path: string, physical: readonly string[]): void {
  let collecting: Collecting | null = null;
  const kept = reader.kept.files.get(path);
  for (let index = 0; index < physical.length; index++) {
    if (reader.exhausted) return;
    const place = { file: path, line: index + 1 };
    const text = clean(reader.diagnostics, place, physical[index] ?? "");
    if (text === null) continue;
    const block = collecting === null ? keptAt(kept, physical, index) : null;
    collecting = readLine(reader, place, text, collecting);
    if (block !== null) index += skip(reader, block);
  }
  if (collecting !== null) finish(reader, collecting);
}

/** Leaves out what stands between the head, which was read, and its closing brace; returns how many lines that is. */
function skip(reader: Reader, block: KeptBlock): number {
  const head = reader.lines.at(-1);
  const between = block.to - block.from - 1;
  if (head?.line !== block.from || reader.budget.lines < between) return 0;
  reader.lines[reader.lines.length - 1] = { ...head, kept: block };
  reader.skipped++;
  reader.budget.lines -= between;
  return between;
}

/** Takes one line in; returns the definition that goes on in the next. */
function readLine(reader: Reader, place: Place, text: Mapped, collecting: Collecting | null): Collecting | null {
  const continued = text.text.endsWith("\\");
  const bare = continued ? trim(slice(text, 0, text.text.length - 1)) : text;
  if (collecting !== null) {
    if (bare.text !== "") collecting.lines.push(bare.text);
    return continued ? collecting : finish(reader, collecting);
  }
  const begun = continued && bare.text !== "" ? startCollecting(reader, place, bare) : null;
  if (begun === null && bare.text !== "" && !include(reader, place, bare)) process(reader, place, bare, 0);
  return begun;
}

function finish(reader: Reader, collected: Collecting): null {
  reader.definitions.values.set(collected.name, collected.lines.join("\n"));
  return null;
}

/** A line that opens a definition of several lines, perhaps under a condition. */
function startCollecting(reader: Reader, place: Place, line: Mapped): Collecting | null {
  const kept = conditional(reader, line);
  const definition = /^(?:@\S+\s+)?\$([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line.text);
  if (definition === null) return null;
  const rest = (definition[2] ?? "").trim();
  if (rest !== "") {
    reader.diagnostics.report(
      "bad-definition",
      spanOf(place, line),
      "text after `=` in a definition of several lines",
      "put the first line of the value on the next line",
    );
  }
  // A condition that does not hold still consumes the lines, under a name nobody can use.
  return { name: kept === null ? "" : (definition[1] ?? ""), lines: rest === "" ? [] : [rest] };
}

/** Decides `@ID` and `@^ID`; null when the line is not for us. */
function conditional(reader: Reader, line: Mapped): Mapped | null {
  const match = line.text.startsWith("@") ? /^@(\^?)(\S*)\s*/.exec(line.text) : null;
  if (match === null) return line;
  const wanted = (match[2] === reader.configId) !== (match[1] === "^");
  return wanted ? slice(line, match[0].length) : null;
}

function process(reader: Reader, place: Place, line: Mapped, depth: number): void {
  if (reader.exhausted) return;
  if (--reader.budget.lines < 0) {
    stop(reader, spanOf(place, line), `definitions and loops make more than ${LIMITS.lines} lines`);
    return;
  }
  const kept = conditional(reader, line);
  if (kept === null || kept.text === "") return;
  if (depth > LIMITS.depth) {
    const message = "definitions are nested too deeply";
    reader.diagnostics.report("expansion-limit", spanOf(place, line), message, "a definition must not use itself");
  } else if (!define(reader, kept) && !repeat(reader, place, kept, depth)) {
    expand(reader, place, kept, depth);
  }
}

/** Runs a loop line; false when the line is none. */
function repeat(reader: Reader, place: Place, line: Mapped, depth: number): boolean {
  const loop = readLoop(line);
  if (loop.kind === "none") return false;
  if (loop.kind === "bad") {
    const remedy = "write ~SEQ(var, start, step, end) or ~LST(var, value, ...)";
    reader.diagnostics.report("bad-loop", spanOf(place, line), `bad loop: ${loop.why}`, remedy);
    return true;
  }
  for (const turn of loop.loop.turns) {
    for (const [name, value] of turn) reader.definitions.values.set(name, value);
    process(reader, place, loop.loop.body, depth + 1);
    if (reader.exhausted) break;
  }
  return true;
}

function define(reader: Reader, line: Mapped): boolean {
  const definition = readDefinition(line.text);
  if (definition === null) return false;
  reader.definitions.values.set(definition.name, definition.value);
  return true;
}

function expand(reader: Reader, place: Place, line: Mapped, depth: number): void {
  // Nearly every line.
  if (!line.text.includes("$") && line.text.length <= LONGEST_LINE) {
    reader.lines.push({ file: place.file, line: place.line, text: trim(line) });
    return;
  }
  const { text, failure, changed } = substitute(line, reader.definitions, reader.budget);
  if (failure === "budget") {
    stop(reader, spanOf(place, line), "definitions make more text than the limit");
    return;
  }
  if (failure === "depth" || text.text.length > LONGEST_LINE) {
    reader.diagnostics.report(
      "expansion-limit",
      spanOf(place, line),
      "the definitions in this line never end, or make it too long",
      "a definition must not use itself",
    );
    return;
  }
  if (!changed) {
    reader.lines.push({ file: place.file, line: place.line, text: trim(text) });
    return;
  }
  let from = 0;
  for (const part of text.text.split("\n")) {
    const piece = trim(slice(text, from, from + part.length));
    if (piece.text !== "") process(reader, place, piece, depth + 1);
    from += part.length + 1;
  }
}

const INCLUDE_CHECK = /^include_check(?:[ \t]+(.*))?$/;
const INCLUDE = /^include([rmwba]?)[ \t]+(.*)$/;

/** Follows an include line; false when the line is none. */
function include(reader: Reader, place: Place, line: Mapped): boolean {
  if (!line.text.startsWith("include")) return false;
  const match = INCLUDE.exec(line.text);
  if (match === null) {
    includeCheck(reader, line.text);
    return false;
  }
  const checks = withLetter(reader.checks, match[1] ?? "");
  const pattern = (match[2] ?? "").trim().replace(/^"(.*)"$/, "$1");
  const span = spanOf(place, line);
  if (reader.stack.length >= LIMITS.depth) {
    reader.diagnostics.report(
      "include-loop",
      span,
      `includes are nested deeper than ${LIMITS.depth}`,
      "break the circle of includes",
    );
    return true;
  }
  const paths = reader.source.glob(pattern, directoryOf(place.file));
  if (paths.length === 0) noMatch(reader, span, checks, pattern);
  else if (checks.braceMatch) missingBraces(reader, span, pattern, place);
  for (const path of paths) includeFile(reader, span, checks, path);
  return true;
}

/** Takes effect for the includes that follow; what is wrong with the line is told where keywords are. */
function includeCheck(reader: Reader, text: string): void {
  const line = INCLUDE_CHECK.exec(text);
  if (line === null) return;
  const words = (line[1] ?? "").split(/\s+/).filter((word) => word !== "");
  reader.checks = readIncludeCheck(words, reader.checks).checks;
}

function noMatch(reader: Reader, span: SourceSpan, checks: IncludeChecks, pattern: string): void {
  if (mustMatch(checks, pattern))
    reader.diagnostics.report(
      "include-no-match",
      span,
      `${pattern} matches no file`,
      "create the file, or use plain include when it may be missing",
    );
  else reader.diagnostics.report("include-missing", span, `${pattern} matches no file; nothing is included`, null);
}

function missingBraces(reader: Reader, span: SourceSpan, pattern: string, place: Place): void {
  for (const one of expandBraces(pattern)) {
    if (reader.source.glob(one, directoryOf(place.file)).length === 0) {
      reader.diagnostics.report(
        "include-no-match",
        span,
        `${one} matches no file`,
        "each alternative in braces must match with this kind of include",
      );
    }
  }
}

function includeFile(reader: Reader, span: SourceSpan, checks: IncludeChecks, path: string): void {
  if (reader.exhausted) return;
  if (reader.stack.includes(path)) {
    reader.diagnostics.report("include-loop", span, `${path} includes itself`, "break the circle of includes");
    return;
  }
  const text = reader.source.readFile(path);
  if (text.ok) {
    readText(reader, path, text.value);
    return;
  }
  if (mustBeReadable(checks))
    reader.diagnostics.report(
      "include-unreadable",
      span,
      `cannot read ${path}: ${text.error}`,
      "make the file readable",
    );
  else
    reader.diagnostics.report("include-missing", span, `cannot read ${path}: ${text.error}; nothing is included`, null);
}
