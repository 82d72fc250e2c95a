/**
 * Regular expressions as PCRE2 reads them, said in JavaScript's language, so that a file's `regex` means here what it means in keepalived.
 * What JavaScript cannot say (possessive quantifiers, atomic groups, recursion, conditions, \K) is refused by name: a check that silently
 * meant something else would be worse than none. The subject is bytes as characters, with the option utf real characters.
 */
import { err, ok, type Result } from "../../lib/result.ts";

export interface TranslatedPattern {
  readonly pattern: string;
  /** Of `i`, `m`, `u`. */
  readonly flags: string;
}

/** Options that only change how PCRE2 works, not what matches. */
const HARMLESS = new Set([
  "auto_callout",
  "never_ucp",
  "never_utf",
  "never_backslash_c",
  "no_auto_capture",
  "no_auto_possess",
  "no_dotstar_anchor",
  "no_start_optimize",
  "use_offset_limit",
]);

const MEANING = new Set(["caseless", "multiline", "dotall", "extended", "dollar_endonly", "utf"]);

const NOT_THE_END = "(?![\\s\\S])";
const OUTSIDE: Readonly<Record<string, string>> = {
  A: "(?<![\\s\\S])",
  z: NOT_THE_END,
  Z: `(?=\\n?${NOT_THE_END})`,
  R: "(?:\\r\\n|[\\n\\v\\f\\r\\x85])",
  N: "[^\\n]",
  s: "[ \\t\\n\\v\\f\\r]",
  S: "[^ \\t\\n\\v\\f\\r]",
  h: "[ \\t\\xa0]",
  H: "[^ \\t\\xa0]",
  v: "[\\n\\v\\f\\r\\x85]",
  V: "[^\\n\\v\\f\\r\\x85]",
};
const INSIDE: Readonly<Record<string, string>> = {
  s: " \\t\\n\\v\\f\\r",
  h: " \\t\\xa0",
  v: "\\n\\v\\f\\r\\x85",
  b: "\\x08",
};
const POSIX: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "A-Za-z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: " \\t\\n\\v\\f\\r",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9A-Fa-f",
  word: "\\w",
  print: " -~",
  graph: "!-~",
  cntrl: "\\x00-\\x1f\\x7f",
};
const PLAIN_ESCAPES = "dDwWbBnrtf";
const SYNTAX = "^$\\.*+?()[]{}|/";

class Unsupported extends Error {}

interface Options {
  readonly has: (option: string) => boolean;
}

export function translatePattern(text: string, options: readonly string[]): Result<TranslatedPattern, string> {
  const wanted = new Set(options.filter((option) => !HARMLESS.has(option)));
  const strange = [...wanted].find((option) => !MEANING.has(option));
  if (strange !== undefined) return err(`the option ${strange} has no counterpart here`);
  const inline = /^\(\?([imsx]+)\)/.exec(text);
  const letters: Readonly<Record<string, string>> = { i: "caseless", m: "multiline", s: "dotall", x: "extended" };
  for (const letter of inline?.[1] ?? "") wanted.add(letters[letter] ?? "");
  try {
    const pattern = new Translation(text.slice(inline?.[0].length ?? 0), { has: (option) => wanted.has(option) }).run();
    const flags = `${wanted.has("caseless") ? "i" : ""}${wanted.has("multiline") ? "m" : ""}${wanted.has("utf") ? "u" : ""}`;
    new RegExp(pattern, flags);
    return ok({ pattern, flags });
  } catch (error) {
    if (error instanceof Unsupported) return err(error.message);
    if (error instanceof SyntaxError) return err(error.message.replace(/^Invalid regular expression: .*: /, ""));
    throw error;
  }
}

/** Walks over the pattern once; `out` grows. */
class Translation {
  readonly #text: string;
  readonly #options: Options;
  #at = 0;
  #out = "";

  constructor(text: string, options: Options) {
    this.#text = text;
    this.#options = options;
  }

  run(): string {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] as string);
    return this.#out;
  }

  #step(char: string): void {
    if (char === "\\") this.#escape();
    else if (char === "[") this.#characterClass();
    else if (char === "(") this.#group();
    else this.#single(char);
  }

  #single(char: string): void {
    if (this.#options.has("extended") && this.#skipsLayout(char)) return;
    if ("*+?}".includes(char) && this.#text[this.#at + 1] === "+")
      throw new Unsupported("possessive quantifiers do not exist here");
    this.#at++;
    if (char === ".") this.#out += this.#options.has("dotall") ? "[\\s\\S]" : "[^\\n]";
    else if (char === "$") this.#out += this.#endOfLine();
    else if (char === "{") this.#brace();
    else this.#out += char === "]" || char === "}" ? `\\${char}` : char;
  }

  /** Without multiline it is the end of the body, or before a line feed there. */
  #endOfLine(): string {
    if (this.#options.has("multiline")) return "$";
    return this.#options.has("dollar_endonly") ? NOT_THE_END : `(?=\\n?${NOT_THE_END})`;
  }

  /** `{2}`, `{2,}` and `{2,3}` count; any other brace is a character. */
  #brace(): void {
    const counted = /^\d+(?:,\d*)?\}/.exec(this.#text.slice(this.#at));
    if (counted === null) {
      this.#out += "\\{";
      return;
    }
    this.#out += `{${counted[0]}`;
    this.#at += counted[0].length;
    if (this.#text[this.#at] === "+") throw new Unsupported("possessive quantifiers do not exist here");
  }

  #skipsLayout(char: string): boolean {
    if (/\s/.test(char)) {
      this.#at++;
      return true;
    }
    if (char !== "#") return false;
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return true;
  }

  #group(): void {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith("(*")) throw new Unsupported(`${/^\(\*[^)]*\)?/.exec(rest)?.[0]} is a verb of PCRE`);
    const comment = /^\(\?#[^)]*\)/.exec(rest);
    if (comment !== null) {
      this.#at += comment[0].length;
      return;
    }
    const named = /^\(\?(?:P?<|')(?![=!])(\w+)(?:>|')/.exec(rest);
    const plain = /^\(\?(?::|=|!|<=|<!)/.exec(rest);
    if (named !== null) this.#out += `(?<${named[1]}>`;
    else if (plain !== null) this.#out += plain[0];
    else if (rest.startsWith("(?")) throw new Unsupported(`${rest.slice(0, 4)} does not exist here`);
    else this.#out += "(";
    this.#at += named?.[0].length ?? plain?.[0].length ?? 1;
  }

  #escape(): void {
    const rest = this.#text.slice(this.#at);
    const literal = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
    if (literal !== null) {
      for (const char of literal[1] ?? "") this.#out += quoted(char);
      this.#at += literal[0].length;
      return;
    }
    const code = codeEscape(rest);
    if (code !== null) {
      this.#out += code.text;
      this.#at += code.length;
      return;
    }
    const letter = rest[1] ?? "";
    this.#at += 2;
    const backReference = /^\\(\d)/.exec(rest);
    if (backReference !== null) this.#out += `\\${backReference[1]}`;
    else this.#out += OUTSIDE[letter] ?? escapeOf(letter);
  }

  #characterClass(): void {
    this.#at++;
    this.#out += "[";
    if (this.#text[this.#at] === "^") {
      this.#out += "^";
      this.#at++;
    }
    let first = true;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new Unsupported("a [ is never closed");
      if (char === "]" && !first) break;
      first = false;
      this.#classMember(char);
    }
    this.#at++;
    this.#out += "]";
  }

  #classMember(char: string): void {
    const rest = this.#text.slice(this.#at);
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      const members = POSIX[posix[2] ?? ""];
      if (members === undefined || posix[1] === "^") throw new Unsupported(`${posix[0]} does not exist here`);
      this.#out += members;
      this.#at += posix[0].length;
      return;
    }
    const code = char === "\\" ? codeEscape(rest) : null;
    if (code !== null) {
      this.#out += code.text;
      this.#at += code.length;
      return;
    }
    if (char !== "\\") {
      this.#out += char === "[" || char === "]" ? `\\${char}` : char;
      this.#at++;
      return;
    }
    const letter = rest[1] ?? "";
    this.#at += 2;
    this.#out += INSIDE[letter] ?? (letter === "-" ? "\\-" : escapeOf(letter));
  }
}

/** `\xHH`, `\x{HHHH}`, `\e`, `\a`, `\0`. */
function codeEscape(rest: string): { readonly text: string; readonly length: number } | null {
  const hex = /^\\x(?:\{([0-9a-fA-F]{1,4})\}|([0-9a-fA-F]{0,2}))/.exec(rest);
  const value =
    hex !== null
      ? Number.parseInt(hex[1] ?? (hex[2] || "0"), 16)
      : { "\\e": 0x1b, "\\a": 0x07, "\\0": 0 }[rest.slice(0, 2)];
  if (value === undefined) return null;
  return { text: `\\u${value.toString(16).padStart(4, "0")}`, length: hex?.[0].length ?? 2 };
}

function escapeOf(letter: string): string {
  if (PLAIN_ESCAPES.includes(letter) && letter !== "") return `\\${letter}`;
  if (/[A-Za-z0-9]/.test(letter)) throw new Unsupported(`\\${letter} does not exist here`);
  if (letter === "") throw new Unsupported("the pattern ends with \\");
  return quoted(letter);
}

const quoted = (char: string): string => (SYNTAX.includes(char) ? `\\${char}` : char);
