/**
 * The form of MHA's configuration files: `[block]`, `name=value`, comments by `#` or `;` at the beginning of a line or ` ; ` behind a
 * value. Reads blocks with their lines, and adds or removes a block without touching the rest of the text. Knows no parameter.
 */
import { err, ok, type Result } from "../lib/result.ts";

export interface IniEntry {
  readonly value: string;
  readonly line: number;
}

export interface IniBlock {
  readonly name: string;
  readonly line: number;
  readonly entries: ReadonlyMap<string, IniEntry>;
}

export interface IniProblem {
  readonly line: number;
  readonly text: string;
}

const SECTION = /^\s*\[\s*(.+?)\s*\]\s*$/;
const ENTRY = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/;
const NOTHING = /^\s*(?:[#;]|$)/;

type Line =
  | { readonly kind: "nothing" | "problem" }
  | { readonly kind: "section"; readonly name: string }
  | { readonly kind: "entry"; readonly name: string; readonly value: string };

function readLine(raw: string): Line {
  if (NOTHING.test(raw)) return { kind: "nothing" };
  const bare = raw.replace(/\s;\s.*$/, "");
  const section = SECTION.exec(bare)?.[1];
  if (section !== undefined) return { kind: "section", name: section };
  const entry = ENTRY.exec(bare);
  return entry === null ? { kind: "problem" } : { kind: "entry", name: entry[1] ?? "", value: entry[2] ?? "" };
}

/** Blocks in the order of the file; a block that comes twice is one, and of two equal names the later value counts. */
export function parseIni(text: string): Result<readonly IniBlock[], IniProblem> {
  const blocks = new Map<string, { line: number; entries: Map<string, IniEntry> }>();
  let current: Map<string, IniEntry> | null = null;
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    const found = readLine(raw);
    if (found.kind === "problem") return err({ line, text: "neither a [block] nor name=value" });
    if (found.kind === "section") {
      const block = blocks.get(found.name) ?? { line, entries: new Map<string, IniEntry>() };
      blocks.set(found.name, block);
      current = block.entries;
    } else if (found.kind === "entry") {
      if (current === null) return err({ line, text: `"${found.name}" stands before the first [block]` });
      current.set(found.name, { value: found.value, line });
    }
  }
  return ok([...blocks].map(([name, { line, entries }]) => ({ name, line, entries })));
}

/** The text with one block more at its end. */
export function withBlock(text: string, name: string, entries: readonly (readonly [string, string])[]): string {
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const gap = before === "" || before.endsWith("\n\n") ? "" : "\n";
  return `${before}${gap}[${name}]\n${entries.map(([key, value]) => `${key}=${value}\n`).join("")}`;
}

/** The text without that block, however often it comes; null when it has none. Comments right above the next block stay. */
export function withoutBlock(text: string, name: string): string | null {
  const lines = text.split("\n");
  const sections = lines.map((line) => SECTION.exec(line)?.[1]);
  if (!sections.includes(name)) return null;
  const isComment = (at: number): boolean => /^\s*[#;]/.test(lines[at] ?? "");
  const kept: string[] = [];
  let inside = false;
  for (const [at, line] of lines.entries()) {
    const section = sections[at];
    if (section !== undefined) {
      // What stands above a block in comments is about that block.
      if (inside && section !== name) {
        let from = at;
        while (isComment(from - 1)) from--;
        kept.push(...lines.slice(from, at));
      }
      inside = section === name;
    }
    if (!inside) kept.push(line);
  }
  return kept.join("\n").replace(/\n*$/, "\n");
}
