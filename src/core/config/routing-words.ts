/** What the words of a route line and of a rule line have in common: names from iproute2's tables, realms, families, track groups. */
import type { Family } from "../lib/ip.ts";
import type { LineReader } from "./line-reader.ts";
import type { NameTable, RoutingNames } from "./routing-names.ts";
import type { Word } from "./words.ts";

/** Which kind of line is read: the word for it in messages, and part of their codes. */
export type LineKind = "route" | "rule";

interface Reading {
  readonly line: LineReader;
  readonly names: RoutingNames;
  /** Track groups that a static object may name; null where none may be named. */
  readonly trackGroups: ReadonlySet<string> | null;
}

/** The number of a name from one of iproute2's tables; null was reported. */
export function readName(
  { line, names }: Pick<Reading, "line" | "names">,
  keyword: Word,
  table: NameTable,
  kind: LineKind,
): number | null {
  const value = line.value(keyword);
  if (value === null) return null;
  const number = names.number(table, value.text);
  if (number === null) {
    const file = table === "group" ? table : `rt_${table}`;
    line.report(
      "unknown-name",
      value,
      `\`${value.text}\` is no ${keyword.text}; the ${kind} is left out`,
      `write a number, or a name from /etc/iproute2/${file}`,
    );
  }
  return number;
}

/** `A` or `FROM/TO` by number or name; null was reported. */
export function readRealms(
  { line, names }: Pick<Reading, "line" | "names">,
  keyword: Word,
  kind: LineKind,
): number | null {
  const word = line.value(keyword);
  if (word === null) return null;
  const parts = word.text.split("/");
  const numbers = parts.map((part) => names.number("realms", part));
  const [first, second] = numbers;
  if (parts.length <= 2 && first !== undefined && first !== null && second !== null) {
    return second === undefined ? first : first * 0x1_0000 + second;
  }
  line.report(
    `bad-${kind}`,
    word,
    `\`${word.text}\` are no realms; the line is left out`,
    "write realms TO or FROM/TO",
  );
  return null;
}

/** True when the family fits what is known so far, and is known from now on. */
export function settleFamilyOf(
  { line, draft }: { readonly line: LineReader; readonly draft: { family: Family | null } },
  family: Family | null,
  word: Word,
  kind: LineKind,
): boolean {
  if (family === null || draft.family === family) return true;
  if (draft.family === null) {
    draft.family = family;
    return true;
  }
  line.report(
    `bad-${kind}`,
    word,
    `IPv4 and IPv6 are mixed in one ${kind}; it is left out`,
    `write one ${kind} per family`,
  );
  return false;
}

/** `track_group NAME`, of a static object. A name that is not defined is reported, and the object depends on nothing. */
export function readTrackGroup(
  { line, draft, trackGroups }: Omit<Reading, "names"> & { readonly draft: { trackGroup: string | null } },
  keyword: Word,
  kind: LineKind,
): boolean {
  const value = line.value(keyword);
  if (value === null) return false;
  if (trackGroups?.has(value.text) === true) draft.trackGroup = value.text;
  else
    line.report(
      "unknown-track-group",
      value,
      `track_group ${value.text} is not defined above; nothing depends on this ${kind}`,
      `write track_group ${value.text} { group { INSTANCE } } before it`,
    );
  return true;
}
