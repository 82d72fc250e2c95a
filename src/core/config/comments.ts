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
  const whole = mapped(raw);
  const parts: Mapped[] = [];
  let from = 0;
  let quote: number | null = null;
  let at = 0;
  for (; at < raw.length; at++) {
    const char = raw[at];
    if (char === '"') quote = quote === null ? at : null;
    if (quote === null && isMark(char)) break;
    if (char !== "\\" || at + 1 >= raw.length) continue;
    if (quote === null && isMark(raw[at + 1])) {
      parts.push(slice(whole, from, at));
      from = at + 1;
    }
    at++;
  }
  parts.push(slice(whole, from, Math.max(from, Math.min(at, raw.length))));
  // A comment may end with the backslash that continues a definition.
  if (at < raw.length && /\\[ \t]*$/.test(raw)) parts.push(inserted(" \\", raw.length));
  return { text: trim(join(parts)), openQuote: quote };
}
