/** Finds what somebody probably meant to write. Pure string distance; knows no keyword itself. */

/** Edits (insert, delete, replace, swap of neighbours) between two words; anything above `limit` is reported as limit + 1. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) rows.push(nextRow(a, b, i, rows));
  return Math.min(rows[a.length]?.[b.length] ?? 0, limit + 1);
}

function nextRow(a: string, b: string, i: number, rows: readonly (readonly number[])[]): number[] {
  const above = rows[i - 1] ?? [];
  const row = [i];
  for (let j = 1; j <= b.length; j++) {
    const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
    const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    const swap = swapped ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : replaced;
    row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swap));
  }
  return row;
}

/** A character that separates no words although it looks so, as text copied from a web page has it; "U+00A0" and so on. */
export function lookalikeIn(text: string): string | null {
  const [found] = /[\u00A0\u00AD\u2000-\u200F\u2028-\u202F\u205F\u2060\u3000\uFEFF]/.exec(text) ?? [];
  return found === undefined ? null : `U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The closest candidate, or null when none is close enough to be worth naming. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > 64) return null;
  const limit = word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3;
  let best: string | null = null;
  let distance = limit + 1;
  for (const candidate of candidates) {
    const found = editDistance(word.toLowerCase(), candidate.toLowerCase(), limit);
    if (found < distance) {
      best = candidate;
      distance = found;
    }
  }
  return best;
}
