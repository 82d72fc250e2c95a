/**
 * Reads one block against the registry: checks every keyword's arguments, warns about what is not done, and hands the
 * values to compile.ts. The last of several equal keywords counts. Owns no meaning beyond the registry's.
 */

import type { IpAddress } from "../lib/ip.ts";
import { parseIp, parseIpv4, parseIpv6 } from "../lib/ip.ts";
import type { Micros } from "../lib/units.ts";
import { micros } from "../lib/units.ts";
import { readCommand } from "./command.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { type Fix, isHarmless } from "./fix.ts";
import { blocksOf, findKeyword, keywordNames } from "./keywords/registry.ts";
import type { ArgSpec, KeywordEntry } from "./keywords/types.ts";
import type { Command, SourceSpan } from "./model.ts";
import { closest, editDistance, lookalikeIn } from "./suggest.ts";
import { type Node, restOf } from "./tree.ts";
import type { Word } from "./words.ts";

export interface WeightValue {
  readonly weight: number;
  readonly reverse: boolean;
}

type Value = boolean | number | string | Command | WeightValue | readonly Word[] | null;

export interface Settings {
  has(name: string): boolean;
  /** The last node of that keyword. */
  node(name: string): Node | null;
  nodes(name: string): readonly Node[];
  flag(name: string): boolean | null;
  number(name: string): number | null;
  duration(name: string): Micros | null;
  text(name: string): string | null;
  address(name: string): IpAddress | null;
  command(name: string): Command | null;
  weight(name: string): WeightValue | null;
  words(name: string): readonly Word[];
}

interface Found {
  readonly node: Node;
  readonly value: Value;
}

export function readSettings(nodes: readonly Node[], block: string, diagnostics: DiagnosticSink): Settings {
  const found = new Map<string, Found[]>();
  for (const node of nodes) {
    const entry = findKeyword(block, node.keyword);
    if (entry === null) {
      reportUnknown(node, block, diagnostics);
      continue;
    }
    if (entry.status !== "done") {
      withoutEffect(node, entry, diagnostics);
      continue;
    }
    if (!blockFits(node, entry, diagnostics)) continue;
    const value = readValue(node, entry, diagnostics);
    if (value === undefined) continue;
    const name = entry.aliasOf ?? entry.name;
    const list = found.get(name);
    if (list === undefined) found.set(name, [{ node, value }]);
    else list.push({ node, value });
  }
  return new FoundSettings(found);
}

function withoutEffect(node: Node, entry: KeywordEntry, diagnostics: DiagnosticSink): void {
  reportNotDone(node, entry, diagnostics);
  // A value that it does not take is a mistake all the same.
  if (entry.status === "refused" && node.block === null) readValue(node, entry, diagnostics);
}

/** A class, because there is one for each of thousands of blocks. */
class FoundSettings implements Settings {
  readonly #found: ReadonlyMap<string, readonly Found[]>;

  constructor(found: ReadonlyMap<string, readonly Found[]>) {
    this.#found = found;
  }

  has(name: string): boolean {
    return this.#found.has(name);
  }

  node(name: string): Node | null {
    return this.#found.get(name)?.at(-1)?.node ?? null;
  }

  nodes(name: string): readonly Node[] {
    return this.#found.get(name)?.map((one) => one.node) ?? NO_NODES;
  }

  flag(name: string): boolean | null {
    const one = this.#value(name);
    return typeof one === "boolean" ? one : null;
  }

  number(name: string): number | null {
    const one = this.#value(name);
    return typeof one === "number" ? one : null;
  }

  duration(name: string): Micros | null {
    const one = this.number(name);
    return one === null ? null : micros(one);
  }

  text(name: string): string | null {
    const one = this.#value(name);
    return typeof one === "string" ? one : null;
  }

  address(name: string): IpAddress | null {
    return parseIp(this.text(name) ?? "");
  }

  command(name: string): Command | null {
    const one = this.#value(name);
    return typeof one === "boolean" ? null : (one as Command | null);
  }

  weight(name: string): WeightValue | null {
    return this.#value(name) as WeightValue | null;
  }

  words(name: string): readonly Word[] {
    return (this.#value(name) as readonly Word[] | null) ?? NO_WORDS;
  }

  #value(name: string): Value {
    return this.#found.get(name)?.at(-1)?.value ?? null;
  }
}

const NO_NODES: readonly Node[] = [];
const NO_WORDS: readonly Word[] = [];

/** Checks the brace and the words before it. */
function blockFits(node: Node, entry: KeywordEntry, diagnostics: DiagnosticSink): boolean {
  const takesBlock = entry.args.kind === "block" || entry.args.kind === "list";
  if (takesBlock && node.block === null) {
    diagnostics.report(
      "block-expected",
      node.span,
      `\`${node.keyword}\` needs a block`,
      `write ${node.keyword} { ... }`,
    );
    return false;
  }
  if (!takesBlock && node.block !== null) {
    diagnostics.report("not-a-block", node.span, `\`${node.keyword}\` opens no block`, "remove the { and its }");
  }
  return true;
}

export function wordSpan(node: Node, word: Word): SourceSpan {
  return { file: node.file, line: node.line, column: word.column, length: word.length };
}

/** The value that is used instead of the one that is written. */
export function replaceArgument(node: Node, index: number, replacement: string): Fix | null {
  const word = node.args[index];
  return word === undefined ? null : { span: wordSpan(node, word), expected: word.text, replacement, safe: true };
}

/** The newer name of a keyword. */
export const rename = (node: Node, replacement: string): Fix => ({
  span: node.span,
  expected: node.keyword,
  replacement,
  safe: true,
});

/** Undefined when the value is unusable; a diagnostic has been made then. */
function readValue(node: Node, entry: KeywordEntry, diagnostics: DiagnosticSink): Value | undefined {
  const spec = entry.args;
  if (spec.kind === "block" || spec.kind === "list" || spec.kind === "words") return node.args;
  if (spec.kind === "command") {
    if (spec.optional === true && restOf(node).text.trim() === "") return true;
    return readCommand(node, diagnostics) ?? undefined;
  }
  if (spec.kind === "none") {
    warnExtra(node, 0, diagnostics);
    return true;
  }
  const first = node.args[0];
  if (first === undefined) {
    if (spec.kind === "bool") return true;
    diagnostics.report(
      "missing-argument",
      node.span,
      `\`${node.keyword}\` lacks its value`,
      `write ${node.keyword} ${wanted(spec)}`,
    );
    return undefined;
  }
  const value = readWord(node, first, spec, diagnostics);
  warnExtra(node, spec.kind === "weight" ? 2 : 1, diagnostics);
  return value;
}

function warnExtra(node: Node, used: number, diagnostics: DiagnosticSink): void {
  const extra = node.args[used];
  if (extra !== undefined) {
    diagnostics.report(
      "extra-argument",
      wordSpan(node, extra),
      `\`${extra.text}\` after \`${node.keyword}\` is ignored`,
      { text: "one keyword per line: put it on its own line, or remove it", fix: withoutExtra(node, used) },
    );
  }
}

/** Null when one of the words is a keyword: then somebody wants it to count, and only he knows where. */
function withoutExtra(node: Node, used: number): Fix | null {
  const extra = node.args.slice(used);
  const [first, last] = [extra[0], extra.at(-1)];
  if (first === undefined || last === undefined || extra.some(({ text }) => blocksOf(text).length > 0)) return null;
  const span = { ...wordSpan(node, first), length: last.column + last.length - first.column };
  return { span, expected: extra.map(({ text }) => text).join(" "), replacement: "", safe: true };
}

const YES = new Set(["on", "true", "yes"]);
const NO = new Set(["off", "false", "no"]);

function readWord(node: Node, word: Word, spec: ArgSpec, diagnostics: DiagnosticSink): Value | undefined {
  const value = wordValue(word.text, spec);
  if (value === null) {
    const message = `\`${word.text}\` is no value for \`${node.keyword}\``;
    const meant = meantValue(word.text, spec);
    const remedy = `${meant === null ? "" : `did you mean \`${meant}\`? `}write ${node.keyword} ${wanted(spec)}`;
    const span = wordSpan(node, word);
    const fix = meant === null ? null : { span, expected: word.text, replacement: meant, safe: false };
    diagnostics.report("bad-value", span, message, { text: remedy, fix });
    return undefined;
  }
  if (!inRange(value, spec)) {
    const message = `\`${node.keyword} ${word.text}\` is outside the valid range${rangeText(spec)} and ignored`;
    diagnostics.report("out-of-range", wordSpan(node, word), message, `write ${node.keyword} ${wanted(spec)}`);
    return undefined;
  }
  if (spec.kind === "weight") return { weight: value as number, reverse: node.args[1]?.text === "reverse" };
  return value;
}

/** The value that somebody misspelt, where there are only so many. */
function meantValue(text: string, spec: ArgSpec): string | null {
  if (spec.kind === "choice") return closest(text, spec.values);
  return spec.kind === "bool" ? closest(text, [...YES, ...NO]) : null;
}

/** The value of one word, null when it is not of the wanted kind. Durations are in microseconds. */
function wordValue(text: string, spec: ArgSpec): boolean | number | string | null {
  switch (spec.kind) {
    case "bool":
      return YES.has(text) ? true : NO.has(text) ? false : null;
    case "choice":
      return spec.values.includes(text) ? text : null;
    case "ipv4":
      return parseIpv4(text);
    case "ipv6":
      return parseIpv6(text);
    case "ip":
      return parseIp(text);
    case "integer":
    case "weight":
      return /^[+-]?\d+$/.test(text) ? Number(text) : null;
    case "seconds":
      return parseSeconds(text);
    default:
      return text;
  }
}

/** Decimal seconds to microseconds; null when the text is no such number. */
export function parseSeconds(text: string): number | null {
  return /^\+?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Math.round(Number(text) * 1_000_000) : null;
}

function inRange(value: boolean | number | string, spec: ArgSpec): boolean {
  if (typeof value !== "number" || !("min" in spec)) return true;
  const unit = spec.kind === "seconds" ? 1_000_000 : 1;
  return value >= spec.min * unit && value <= spec.max * unit;
}

const rangeText = (spec: ArgSpec): string => ("min" in spec ? ` ${spec.min} to ${spec.max}` : "");

/** What the keyword takes, in words. */
export function wanted(spec: ArgSpec): string {
  switch (spec.kind) {
    case "bool":
      return "on or off";
    case "integer":
    case "weight":
      return `N, a whole number from ${spec.min} to ${spec.max}`;
    case "seconds":
      return `SECONDS, from ${spec.min} to ${spec.max}`;
    case "choice":
      return spec.values.join(" or ");
    case "ipv4":
      return "ADDRESS, such as 192.0.2.1";
    case "ipv6":
      return "ADDRESS, such as 2001:db8::1";
    case "ip":
      return "ADDRESS, such as 192.0.2.1 or 2001:db8::1";
    case "command":
      return '"/path/to/program arguments"';
    default:
      return "VALUE";
  }
}

export function reportUnknown(node: Node, block: string, diagnostics: DiagnosticSink): void {
  const near = closest(node.keyword, keywordNames(block));
  const elsewhere = blocksOf(node.keyword);
  const where = block === "root" ? "outside a block" : `in ${block}`;
  let remedy = "remove the line, or see the list of keywords";
  if (elsewhere.length > 0)
    remedy = `\`${node.keyword}\` belongs ${elsewhere[0] === "root" ? "outside every block: is a } missing above?" : `into ${elsewhere.slice(0, 3).join(", ")}`}`;
  else if (near !== null) remedy = `did you mean \`${near}\`?`;
  const hidden = lookalikeIn(node.keyword);
  if (hidden !== null) remedy = `type the line anew: it holds ${hidden}, which looks like a space or like nothing`;
  const message = `unknown keyword \`${node.keyword}\` ${where}`;
  const fix = elsewhere.length > 0 || near === null || hidden !== null ? null : spelling(node, near, block);
  diagnostics.report("unknown-keyword", node.span, message, { text: remedy, fix });
}

/** The near keyword for the misspelt one; safe when it is harmless, hardly differs, and no other is as near. */
function spelling({ span, keyword }: Node, near: string, block: string): Fix {
  const others = keywordNames(block).filter((name) => name !== near);
  const limit = keyword.length <= 8 ? 1 : 2;
  const distance = editDistance(keyword, near, limit);
  const clear = distance <= limit && others.every((name) => editDistance(keyword, name, limit) > distance);
  return { span, expected: keyword, replacement: near, safe: clear && isHarmless(near) };
}

export function reportNotDone(node: Node, entry: KeywordEntry, diagnostics: DiagnosticSink): void {
  if (entry.status === "refused") {
    diagnostics.report("refused", node.span, `\`${node.keyword}\` has no effect: ${entry.doc}`, "remove the line");
    return;
  }
  const inner =
    node.block === null || entry.args.kind !== "block" ? "" : innerNames(node.block, entry.args.block, diagnostics);
  const contents = inner === "" ? "" : ` (with it: ${inner})`;
  if (entry.safety !== null) {
    diagnostics.report(
      "safety-not-done",
      node.span,
      `\`${node.keyword}\` is accepted, not done yet: ${entry.safety}${contents}`,
      "do not rely on it; remove the line to make that visible",
    );
  } else {
    diagnostics.report("not-done-yet", node.span, `\`${node.keyword}\` is accepted, not done yet${contents}`, null);
  }
}

/** Names the known keywords inside a block that is not done, and reports the unknown ones. */
function innerNames(nodes: readonly Node[], block: string, diagnostics: DiagnosticSink): string {
  const names = new Set<string>();
  const visit = (inside: readonly Node[], where: string): void => {
    for (const node of inside) {
      const entry = findKeyword(where, node.keyword);
      if (entry === null) {
        reportUnknown(node, where, diagnostics);
        continue;
      }
      names.add(entry.name);
      if (entry.args.kind === "block" && node.block !== null) visit(node.block, entry.args.block);
    }
  };
  visit(nodes, block);
  return [...names].join(", ");
}
