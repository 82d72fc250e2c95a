/**
 * Compares what a page shows with what a command printed. A line `...` stands for any number of lines, `...` inside a line for
 * anything. Times of day, durations, process numbers, hardware addresses and places in a binary log vary, and so does the width of
 * columns and, with it, where a long line is broken; everything else has to be the same, and nothing may be printed that the page leaves out.
 */

const VARIES: readonly (readonly [RegExp, string])[] = [
  // Before times of day: half of such an address may look like one.
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, "<mac>"],
  [/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?/g, "<time>"],
  [/\b\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}/g, "<time>"],
  [/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, "<time>"],
  [/\b(pid|keeper)[ :]\d+/g, "$1 <pid>"],
  [/\b\d+(\.\d+)? ?(ms|min|s|h)\b/g, "<while>"],
  [/\b\d+(\.\d+)? (seconds?|sec)\b/g, "<while>"],
  [/\b\d+sec\b/g, "<while>"],
  [/\b0-\d+-\d+\b/g, "<gtid>"],
];

const plain = (line: string): string =>
  VARIES.reduce((text, [pattern, name]) => text.replace(pattern, name), line.trim().replace(/\s+/g, " "));

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const patternOf = (line: string): RegExp => new RegExp(`^${plain(line).split("...").map(escaped).join(".*")}$`);

/** All lines as one: a longer duration moves the breaks of a wrapped text. */
function sameWrapped(shown: readonly string[], printed: readonly string[]): boolean {
  return patternOf(shown.join(" ")).test(plain(printed.join(" ")));
}

/** The first line of the page that was not printed, or of the print that the page has not; null when they agree. */
export function difference(shown: readonly string[], printed: readonly string[]): string | null {
  return sameWrapped(shown, printed) ? null : lineDifference(shown, printed);
}

function lineDifference(shown: readonly string[], printed: readonly string[]): string | null {
  const filled = (lines: readonly string[]) => lines.filter((line) => line.trim() !== "");
  const want = filled(shown);
  const have = filled(printed).map(plain);
  let at = 0;
  for (const [index, line] of want.entries()) {
    if (line.trim() === "...") {
      const next = want[index + 1];
      if (next === undefined) return null;
      const found = have.findIndex((text, place) => place >= at && patternOf(next).test(text));
      if (found === -1) return `the page shows "${next.trim()}", which is not printed`;
      at = found;
    } else if (patternOf(line).test(have[at] ?? "")) at += 1;
    else return `the page shows "${line.trim()}" and "${have[at] ?? "nothing more"}" is printed`;
  }
  return at === have.length ? null : `"${have[at]}" is printed and the page leaves it out`;
}
