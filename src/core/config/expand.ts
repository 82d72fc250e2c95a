/**
 * Definitions (`$NAME=value`) and loops (`~SEQ`, `~SEQx`, `~LST`) of keepalived.conf(5), "Advanced configuration".
 * Owns the table of definitions and the meaning of one line; reading files is not its business. Every expansion draws
 * on a budget, so hostile text ends with an error instead of a full memory.
 */
import type { Mapped } from "./text.ts";
import { columnAt, inserted, join, slice, trim } from "./text.ts";

export interface ExpansionBudget {
  /** Characters and lines that expansion may still make. */
  characters: number;
  lines: number;
}

/** Names that the language defines itself; null when the name is none of them. */
export type Predefined = (name: string, args: readonly string[]) => string | null;

export interface Definitions {
  readonly values: Map<string, string>;
  readonly predefined: Predefined;
}

export type ExpansionFailure = "depth" | "budget";

const DEEPEST = 32;

/** Longest text of one expansion; a definition of several lines counts as a whole. */
const LONGEST = 262_144;
const USE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)((?:[ \t]+[^{}\s]+)*)[ \t]*\}|([A-Za-z_][A-Za-z0-9_]*)(?=\s|$))/g;

export interface Substitution {
  readonly text: Mapped;
  readonly failure: ExpansionFailure | null;
  /** True when something was replaced. */
  readonly changed: boolean;
}

/** Replaces uses until nothing changes; undefined names stay as they are. */
export function substitute(source: Mapped, definitions: Definitions, budget: ExpansionBudget): Substitution {
  let text = source;
  let changed = false;
  for (let round = 0; round < DEEPEST; round++) {
    const next = substituteOnce(text, definitions);
    if (next === "too-long") return { text, failure: "depth", changed };
    if (next === null) return { text, failure: null, changed };
    budget.characters -= next.text.length;
    if (budget.characters < 0) return { text, failure: "budget", changed };
    text = next;
    changed = true;
    // A definition of several lines is taken apart by the caller before its lines are looked at.
    if (text.text.includes("\n")) return { text, failure: null, changed };
  }
  return { text, failure: "depth", changed };
}

function substituteOnce(source: Mapped, definitions: Definitions): Mapped | null | "too-long" {
  if (!source.text.includes("$")) return null;
  const parts: Mapped[] = [];
  let from = 0;
  let made = source.text.length;
  for (const use of source.text.matchAll(USE)) {
    const name = use[1] ?? use[3] ?? "";
    const args = (use[2] ?? "").split(/[ \t]+/).filter((arg) => arg !== "");
    const value = definitions.values.get(name) ?? definitions.predefined(name, args);
    if (value === null) continue;
    made += value.length;
    if (made > LONGEST) return "too-long";
    parts.push(slice(source, from, use.index), inserted(value, columnAt(source, use.index)));
    from = use.index + use[0].length;
  }
  if (from === 0) return null;
  parts.push(slice(source, from));
  return join(parts);
}

/** `$NAME=rest` at the start of a line; null when the line is no definition. */
export function readDefinition(text: string): { readonly name: string; readonly value: string } | null {
  const match = text.startsWith("$") ? /^\$([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) : null;
  return match === null ? null : { name: match[1] ?? "", value: (match[2] ?? "").trim() };
}

export interface Loop {
  /** One set of definitions per turn. */
  readonly turns: readonly (readonly (readonly [string, string])[])[];
  readonly body: Mapped;
}

const MOST_TURNS = 100_000;
const LOOP_HEAD = /^~(SEQx?|LST)\(/;

export type LoopResult =
  | { readonly kind: "none" }
  | { readonly kind: "bad"; readonly why: string }
  | { readonly kind: "loop"; readonly loop: Loop };

const NO_LOOP: LoopResult = { kind: "none" };

/** Reads a loop at the start of a line. */
export function readLoop(source: Mapped): LoopResult {
  if (!source.text.startsWith("~")) return NO_LOOP;
  const head = LOOP_HEAD.exec(source.text);
  if (head === null) return { kind: "bad", why: "only ~SEQ(...), ~SEQx(...) and ~LST(...) exist" };
  const close = source.text.indexOf(")", head[0].length);
  if (close < 0) return { kind: "bad", why: "the closing parenthesis is missing" };
  const inside = source.text.slice(head[0].length, close);
  const body = trim(slice(source, close + 1));
  const turns = head[1] === "LST" ? listTurns(inside) : sequenceTurns(inside, head[1] === "SEQx");
  return typeof turns === "string" ? { kind: "bad", why: turns } : { kind: "loop", loop: { turns, body } };
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function sequenceTurns(inside: string, hexadecimal: boolean): Loop["turns"] | string {
  const [name = "", ...numbers] = inside.split(",").map((part) => part.trim());
  if (!NAME.test(name)) return `"${name}" is not a variable name`;
  const range = sequenceRange(numbers);
  if (typeof range === "string") return range;
  const { start, step, end } = range;
  const turns: [string, string][][] = [];
  for (let value = start; step > 0 ? value <= end : value >= end; value += step) {
    turns.push([[name, hexadecimal ? value.toString(16) : String(value)]]);
  }
  return turns;
}

interface Range {
  readonly start: number;
  readonly step: number;
  readonly end: number;
}

function sequenceRange(numbers: readonly string[]): Range | string {
  const values = numbers.map(integer).filter((value) => value !== null);
  if (numbers.length < 1 || numbers.length > 3) return "write ~SEQ(var, [start, [step,]] end)";
  if (values.length !== numbers.length) return "start, step and end are whole numbers";
  const end = values.at(-1) ?? 0;
  const start = values.length > 1 ? (values[0] ?? 0) : Math.sign(end) || -1;
  const step = values.length > 2 ? (values[1] ?? 0) : end >= start ? 1 : -1;
  if (step === 0 || (end - start) * step < 0) return "the step never reaches the end";
  if ((end - start) / step >= MOST_TURNS) return `more than ${MOST_TURNS} turns`;
  return { start, step, end };
}

function integer(text: string): number | null {
  if (!/^[+-]?(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(text)) return null;
  const negative = text.startsWith("-");
  const value = Number(text.replace(/^[+-]/, ""));
  return negative ? -value : value;
}

/** `var, a, b` or `{v,w}, {a,b}, {c,d}`. */
function listTurns(inside: string): Loop["turns"] | string {
  const groups = [...inside.matchAll(/\s*(?:\{([^{}]*)\}|([^,{}]*))\s*(?:,|$)/g)].map((match) =>
    match[1] !== undefined ? match[1].split(",") : [match[2] ?? ""],
  );
  // The pattern matches once more, empty, at the very end.
  if (groups.length > 1 && !/,\s*$/.test(inside)) groups.pop();
  const names = (groups.shift() ?? []).map((name) => name.trim());
  if (names.length === 0 || !names.every((name) => NAME.test(name))) return "the first parameter names the variables";
  if (groups.length === 0) return "no values are given";
  if (groups.length > MOST_TURNS) return `more than ${MOST_TURNS} turns`;
  if (groups.some((group) => group.length > names.length)) return "a group has more values than there are variables";
  return groups.map((group) =>
    names.map((name, index): readonly [string, string] => [name, (group[index] ?? "").trim()]),
  );
}
