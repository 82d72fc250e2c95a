/**
 * What an editor asks about a place in a configuration: what the word there means, and which words may stand there. Answers from the
 * keyword registry alone. A file is taken by itself: one that is included into a block of another file is read as if it stood outside.
 */
import { decomment } from "./comments.ts";
import { findKeyword, REGISTRY } from "./keywords/registry.ts";
import type { KeywordEntry } from "./keywords/types.ts";
import { wanted } from "./settings.ts";
import { columnAt, type Mapped } from "./text.ts";
import { splitBraces } from "./tree.ts";
import { plainWords, type Word } from "./words.ts";

/** Lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Hover {
  readonly markdown: string;
  readonly column: number;
  readonly length: number;
}

export interface Proposal {
  readonly label: string;
  readonly kind: "keyword" | "block" | "value";
  readonly detail: string;
  readonly doc: string;
}

/** Null inside a block of free lines, or of a word that is no keyword. */
type Block = string | null;

interface Cursor {
  readonly block: Block;
  /** The words of the piece of line that the place is in, up to braces. */
  readonly words: readonly Word[];
}

interface Walk {
  readonly stack: Block[];
  /** The block that a brace would open now. */
  opener: Block;
}

const isBrace = ({ text }: Mapped): boolean => text === "{" || text === "}";

function cursorAt(lines: readonly string[], { line, column }: Place): Cursor {
  const walk: Walk = { stack: ["root"], opener: null };
  for (const raw of lines.slice(0, line - 1)) for (const piece of piecesOf(raw)) step(piece, walk);
  let words: readonly Word[] = [];
  for (const piece of piecesOf(lines[line - 1] ?? "")) {
    const start = columnAt(piece, 0);
    if (start > column || (start === column && isBrace(piece))) break;
    words = isBrace(piece) ? [] : plainWords(piece).words;
    step(piece, walk);
  }
  return { block: walk.stack.at(-1) ?? null, words };
}

const piecesOf = (raw: string): readonly Mapped[] => {
  const { text } = decomment(raw);
  return text === null ? [] : splitBraces(text);
};

function step(piece: Mapped, walk: Walk): void {
  const { stack, opener } = walk;
  walk.opener = null;
  if (piece.text === "}") {
    if (stack.length > 1) stack.pop();
  } else if (piece.text === "{") stack.push(opener);
  else walk.opener = blockOf(stack.at(-1) ?? null, piece);
}

function blockOf(where: Block, piece: Mapped): Block {
  const [first] = plainWords(piece).words;
  const spec = where === null || first === undefined ? undefined : findKeyword(where, first.text)?.args;
  return spec?.kind === "block" ? spec.block : null;
}

const holds = (word: Word, column: number): boolean => column >= word.column && column <= word.column + word.length;

const STATUS: Readonly<Record<KeywordEntry["status"], string | null>> = {
  done: null,
  "not-yet": "Accepted, not done yet.",
  refused: "Has no effect.",
};

function takes({ args }: KeywordEntry): string {
  if (args.kind === "none") return "";
  if (args.kind === "block") return args.title === 0 ? "{ ... }" : "NAME { ... }";
  return args.kind === "list" ? "{ lines }" : wanted(args);
}

function described(entry: KeywordEntry, block: string): string {
  const facts = [
    entry.default === null ? null : `Default: \`${entry.default}\`.`,
    entry.aliasOf === null ? null : `Old spelling of \`${entry.aliasOf}\`.`,
    entry.safety === null ? null : `Until it is done: ${entry.safety}.`,
    entry.extension ? "Holdfast's own." : null,
    STATUS[entry.status],
  ].filter((fact) => fact !== null);
  const head = `**${entry.name}** ${takes(entry)}`.trim();
  const where = block === "root" ? "outside of every block" : `in \`${block}\``;
  return [`${head} (${where})`, entry.doc, facts.join(" ")].filter((part) => part !== "").join("\n\n");
}

/** Null where no keyword stands. */
export function hoverAt(lines: readonly string[], place: Place): Hover | null {
  const { block, words } = cursorAt(lines, place);
  const [first] = words;
  if (block === null || first === undefined || !holds(first, place.column)) return null;
  const entry = findKeyword(block, first.text);
  return entry === null ? null : { markdown: described(entry, block), column: first.column, length: first.length };
}

const SWITCH = ["on", "off"];

/** Keywords of the block, or the values that a keyword knows. */
export function completionsAt(lines: readonly string[], place: Place): readonly Proposal[] {
  const { block, words } = cursorAt(lines, place);
  if (block === null) return [];
  const [first] = words;
  const raw = lines[place.line - 1] ?? "";
  // Behind a # or ! nobody wants words.
  const read = decomment(raw.slice(0, place.column - 1)).text?.text ?? "";
  if (read.trim() === "" && raw.slice(0, place.column - 1).trim() !== "") return [];
  if (first === undefined || holds(first, place.column)) return keywords(block);
  const { args } = findKeyword(block, first.text) ?? {};
  if (args === undefined || words.slice(1).some((word) => word.column + word.length < place.column)) return [];
  const values = args.kind === "choice" ? args.values : args.kind === "bool" ? SWITCH : [];
  return values.map((label) => ({ label, kind: "value", detail: first.text, doc: "" }));
}

/** Old spellings and what has no effect are understood, and not proposed. */
function keywords(block: string): readonly Proposal[] {
  return (REGISTRY[block] ?? [])
    .filter((entry) => entry.status === "done" && entry.aliasOf === null)
    .map((entry) => ({
      label: entry.name,
      kind: entry.args.kind === "block" || entry.args.kind === "list" ? "block" : "keyword",
      detail: takes(entry),
      doc: described(entry, block),
    }));
}
