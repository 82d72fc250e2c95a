/** Comments of one physical line. `#` and `!` begin one unless quoted or escaped; an escape outside quotes is dropped. */
import type { Mapped } from "./text.ts";
import { inserted, join, mapped, slice, trim } from "./text.ts";

export interface Decommented {
  readonly text: Mapped;
  /** Index of a quotation mark that is never closed. */
  readonly openQuote: number | null;
}

const isMark = (char: string | undefined): boolean => char === "#" || char === "!";

export function decomment(raw: string): Decommented {
  if (!/["#!\\]/.test(raw)) return { text: trim(mapped(raw)), openQuote: null };
  const { end, openQuote, dropped } = scan(raw);
  const whole = mapped(raw);
  const parts: Mapped[] = [];
  let from = 0;
  for (const at of dropped) {
    parts.push(slice(whole, from, at));
    from = at + 1;
  }
  parts.push(slice(whole, from, end));
  // A comment may end with the backslash that continues a definition.
  if (end < raw.length && /\\[ \t]*$/.test(raw)) parts.push(inserted(" \\", raw.length));
  return { text: trim(join(parts)), openQuote };
}

interface Scan {
  /** Where the comment begins, or the end of the line. */
  readonly end: number;
  readonly openQuote: number | null;
  /** Backslashes that only protected a comment character. */
  readonly dropped: readonly number[];
}

function scan(raw: string): Scan {
  const dropped: number[] = [];
  let openQuote: number | null = null;
  for (let at = 0; at < raw.length; at++) {
    const char = raw[at];
    if (char === '"') openQuote = openQuote === null ? at : null;
    else if (openQuote === null && isMark(char)) return { end: at, openQuote, dropped };
    else if (char === "\\") {
      if (openQuote === null && isMark(raw[at + 1])) dropped.push(at);
      at++;
    }
  }
  return { end: raw.length, openQuote, dropped };
}
