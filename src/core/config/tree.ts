/**
 * Turns logical lines into a tree of keywords and blocks. Knows braces and quotes, no keyword. A brace outside quotes
 * ends a line wherever it stands, so `virtual_ipaddress { 192.0.2.1 }` on one line is three lines.
 */
import type { DiagnosticSink } from "./diagnostics.ts";
import type { KeptBlock } from "./kept-blocks.ts";
import type { SourceSpan } from "./model.ts";
import type { LogicalLine } from "./reader.ts";
import type { Mapped } from "./text.ts";
import { columnAt, slice, trim } from "./text.ts";
import type { Word } from "./words.ts";
import { afterFirstWord, plainWords } from "./words.ts";

export interface Node {
  readonly keyword: string;
  readonly args: readonly Word[];
  /** The keyword and what follows it, untouched; see restOf(). */
  readonly text: Mapped;
  readonly file: string;
  readonly line: number;
  readonly span: SourceSpan;
  /** Null when no `{` followed. */
  readonly block: readonly Node[] | null;
  /** The line of its closing brace; 0 when there is none. */
  readonly end: number;
  /** Its block is empty because it was not read. */
  readonly kept: KeptBlock | null;
}

/** Everything after the keyword, for commands. */
export const restOf = ({ text }: Node): Mapped => afterFirstWord(text);

interface OpenNode extends Omit<Node, "block" | "end"> {
  block: Node[] | null;
  end: number;
}

const DEEPEST_BLOCK = 64;

export function buildTree(lines: readonly LogicalLine[], diagnostics: DiagnosticSink): readonly Node[] {
  const root: Node[] = [];
  const builder: Builder = { diagnostics, stack: [], root, last: null };
  for (const line of lines) {
    for (const piece of splitBraces(line.text)) addPiece(builder, line, piece);
  }
  for (const open of builder.stack) {
    diagnostics.report(
      "missing-brace",
      open.span,
      `the block of \`${open.keyword}\` is never closed`,
      "add the missing }",
    );
  }
  return root;
}

interface Builder {
  readonly diagnostics: DiagnosticSink;
  readonly stack: OpenNode[];
  readonly root: Node[];
  /** The keyword that a `{` would belong to. */
  last: OpenNode | null;
}

function addPiece(builder: Builder, line: LogicalLine, piece: Mapped): void {
  if (piece.text === "{") openBlock(builder, spanOf(line, piece));
  else if (piece.text === "}") closeBlock(builder, spanOf(line, piece));
  else addKeyword(builder, line, piece);
}

const spanOf = ({ file, line }: LogicalLine, piece: Mapped): SourceSpan => ({
  file,
  line,
  column: columnAt(piece, 0),
  length: 1,
});

function addKeyword(builder: Builder, { file, line, kept }: LogicalLine, piece: Mapped): void {
  const { words, unterminated } = plainWords(piece);
  const [first, ...args] = words;
  if (first === undefined) return;
  if (
    unterminated !== null &&
    !builder.diagnostics.list.some(
      (one) => one.code === "unterminated-quote" && one.span?.line === line && one.span.file === file,
    )
  ) {
    builder.diagnostics.report(
      "unterminated-quote",
      { file, line, column: unterminated, length: 1 },
      "the quotation mark is not closed on this line",
      'add the closing "',
    );
  }
  const node: OpenNode = {
    keyword: first.text,
    args,
    text: piece,
    file,
    line,
    span: { file, line, column: first.column, length: first.length },
    block: null,
    end: 0,
    kept: kept ?? null,
  };
  (builder.stack.at(-1)?.block ?? builder.root).push(node);
  builder.last = node;
}

function openBlock(builder: Builder, span: SourceSpan): void {
  if (builder.last === null || builder.stack.length >= DEEPEST_BLOCK) {
    builder.diagnostics.report(
      "unexpected-brace",
      span,
      "a { without a keyword before it",
      "remove it, or write the keyword it belongs to",
    );
    // Its content still needs a home, or the closing brace would close the wrong block.
    if (builder.stack.length < DEEPEST_BLOCK)
      builder.stack.push({
        keyword: "{",
        args: [],
        text: { text: "{", columns: 1 },
        file: span.file,
        line: span.line,
        span,
        block: [],
        end: 0,
        kept: null,
      });
    return;
  }
  builder.last.block = [];
  builder.stack.push(builder.last);
  builder.last = null;
}

function closeBlock(builder: Builder, span: SourceSpan): void {
  builder.last = null;
  const closed = builder.stack.pop();
  if (closed === undefined)
    builder.diagnostics.report("unexpected-brace", span, "a } without a block to close", "remove it");
  else closed.end = span.file === closed.file ? span.line : 0;
}

/** Cuts a line at braces outside double quotes. */
export function splitBraces(line: Mapped): readonly Mapped[] {
  if (!/[{}]/.test(line.text)) {
    const whole = trim(line);
    return whole.text === "" ? [] : [whole];
  }
  const pieces: Mapped[] = [];
  let quoted = false;
  let from = 0;
  const cut = (end: number): void => {
    const piece = trim(slice(line, from, end));
    if (piece.text !== "") pieces.push(piece);
  };
  for (let at = 0; at < line.text.length; at++) {
    const char = line.text[at];
    if (char === '"') quoted = !quoted;
    if (quoted || (char !== "{" && char !== "}")) continue;
    cut(at);
    pieces.push(slice(line, at, at + 1));
    from = at + 1;
  }
  cut(line.text.length);
  return pieces;
}
