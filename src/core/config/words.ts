/**
 * Splits the text of a line into words, in the two ways keepalived has: plain keywords know only double quotes,
 * commands are tokenised somewhat like a shell (keepalived.conf(5), "Quoted strings"). Nothing is ever expanded.
 */
import type { Mapped } from "./text.ts";
import { columnAt, isBlank, isBlankAt, slice } from "./text.ts";

export interface Word {
  readonly text: string;
  /** First column of the word in its source line, and the number of columns it takes there. */
  readonly column: number;
  readonly length: number;
}

export interface Words {
  readonly words: readonly Word[];
  /** Column of a quotation mark that is never closed. */
  readonly unterminated: number | null;
}

function wordOf(source: Mapped, text: string, start: number, end: number): Word {
  const column = columnAt(source, start);
  const last = end > start ? columnAt(source, end - 1) : column;
  return { text, column, length: Math.max(1, last - column + 1) };
}

/** `"a b"` is one word; a quotation mark inside a word begins a new one; there are no escapes. */
export function plainWords(source: Mapped): Words {
  const { text } = source;
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (isBlankAt(text, at)) {
      at++;
      continue;
    }
    if (text[at] === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0) return { words, unterminated: columnAt(source, at) };
      words.push(wordOf(source, text.slice(at + 1, end), at, end + 1));
      at = end + 1;
      continue;
    }
    let end = at;
    while (end < text.length && !isBlankAt(text, end) && text[end] !== '"') end++;
    words.push(wordOf(source, text.slice(at, end), at, end));
    at = end;
  }
  return { words, unterminated: null };
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Reads the escape after a backslash at `at`; returns what it stands for and where it ends. */
function readEscape(text: string, at: number): { readonly value: string; readonly end: number } {
  const rest = text.slice(at + 1, at + 12);
  const octal = /^[0-7]{1,3}/.exec(rest);
  if (octal !== null)
    return { value: String.fromCharCode(Number.parseInt(octal[0], 8) & 0xff), end: at + 1 + octal[0].length };
  const hex = /^x([0-9a-fA-F]{1,8})/.exec(rest);
  if (hex !== null)
    return { value: String.fromCharCode(Number.parseInt(hex[1] ?? "0", 16) & 0xff), end: at + 1 + hex[0].length };
  const control = /^c(.)/.exec(rest);
  if (control !== null) return { value: String.fromCharCode((control[1] ?? "@").charCodeAt(0) & 0x1f), end: at + 3 };
  const char = rest[0] ?? "";
  return { value: SIMPLE_ESCAPES[char] ?? char, end: at + 1 + char.length };
}

interface CommandWord {
  readonly value: string;
  readonly end: number;
  /** Index of a quotation mark that is never closed. */
  readonly open: number | null;
}

const isQuote = (char: string): boolean => char === '"' || char === "'";

/** One shell-like word from `start`; quotes of both kinds may stand next to plain text. */
function commandWord(text: string, start: number): CommandWord {
  let value = "";
  let open: number | null = null;
  let at = start;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (open === null && isBlank(char)) break;
    if (char === "\\" && at + 1 < text.length) {
      const read = readEscape(text, at);
      value += read.value;
      at = read.end;
      continue;
    }
    if (open === null && isQuote(char)) open = at;
    else if (open !== null && char === text[open]) open = null;
    else value += char;
    at++;
  }
  return { value, end: at, open };
}

export function commandWords(source: Mapped): Words {
  const words: Word[] = [];
  let at = 0;
  while (at < source.text.length) {
    if (isBlank(source.text[at])) {
      at++;
      continue;
    }
    const word = commandWord(source.text, at);
    if (word.open !== null) return { words, unterminated: columnAt(source, word.open) };
    words.push(wordOf(source, word.value, at, word.end));
    at = word.end;
  }
  return { words, unterminated: null };
}

/** The rest of a line after its first word. */
export function afterFirstWord(source: Mapped): Mapped {
  const match = /^[ \t\r\v\f]*(?:"[^"]*"|[^ \t\r\v\f"]+)[ \t\r\v\f]*/.exec(source.text);
  return slice(source, match === null ? source.text.length : match[0].length);
}
