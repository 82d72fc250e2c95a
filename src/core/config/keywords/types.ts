/**
 * The form of a keyword entry. The registry is data: parsing, `check`, the keyword manual and the coverage report are
 * all made from it. An entry says what a keyword takes and whether it is done; what it means is compile's business.
 */
export type ArgSpec =
  /** The bare word. */
  | { readonly kind: "none" }
  /** on, off, true, false, yes, no; the bare word means on. */
  | { readonly kind: "bool" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  /** A decimal number of seconds; min and max in seconds. */
  | { readonly kind: "seconds"; readonly min: number; readonly max: number }
  | { readonly kind: "weight"; readonly min: number; readonly max: number }
  | { readonly kind: "word" }
  /** Any number of words, also none. */
  | { readonly kind: "words" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "ipv4" }
  | { readonly kind: "ipv6" }
  /** An address of either family. */
  | { readonly kind: "ip" }
  /** A command line, perhaps followed by user and group; `optional` ones may stand alone. */
  | { readonly kind: "command"; readonly optional?: true }
  /** A block of keywords; `title` is the number of words before the brace. */
  | { readonly kind: "block"; readonly block: string; readonly title: number }
  /** A block of free lines. */
  | { readonly kind: "list" };

export type KeywordStatus = "done" | "not-yet" | "refused";

/**
 * What a reload does with a change: `live` applies it in place, `restart-instance` takes the instance through INIT,
 * `restart-daemon` needs a restart, `none` has no effect at run time.
 */
export type ReloadClass = "live" | "restart-instance" | "restart-daemon" | "none";

export interface KeywordEntry {
  readonly name: string;
  readonly args: ArgSpec;
  readonly default: string | null;
  readonly reload: ReloadClass;
  readonly status: KeywordStatus;
  /** Set when leaving the keyword out changes safety; says what is not done. */
  readonly safety: string | null;
  /** The newer name, when this one is an old spelling. */
  readonly aliasOf: string | null;
  /** True for keywords that keepalived does not have. */
  readonly extension: boolean;
  readonly doc: string;
}

export const none: ArgSpec = { kind: "none" };
export const bool: ArgSpec = { kind: "bool" };
export const word: ArgSpec = { kind: "word" };
export const words: ArgSpec = { kind: "words" };
export const ipv4: ArgSpec = { kind: "ipv4" };
export const ipv6: ArgSpec = { kind: "ipv6" };
export const ip: ArgSpec = { kind: "ip" };
export const command: ArgSpec = { kind: "command" };
export const optionalCommand: ArgSpec = { kind: "command", optional: true };
export const list: ArgSpec = { kind: "list" };
export const integer = (min: number, max: number): ArgSpec => ({ kind: "integer", min, max });
export const seconds = (min: number, max: number): ArgSpec => ({ kind: "seconds", min, max });
export const weight = (min: number, max: number): ArgSpec => ({ kind: "weight", min, max });
export const choice = (...values: readonly string[]): ArgSpec => ({ kind: "choice", values });
export const block = (name: string, title = 0): ArgSpec => ({ kind: "block", block: name, title });

interface Extras {
  readonly default?: string;
  readonly reload?: ReloadClass;
  readonly extension?: boolean;
  readonly aliasOf?: string;
  readonly safety?: string;
}

type Head = Pick<KeywordEntry, "name" | "args" | "status" | "doc">;

function make(head: Head, extras: Extras): KeywordEntry {
  return {
    ...head,
    default: extras.default ?? null,
    reload: extras.reload ?? (head.status === "done" ? "live" : "none"),
    safety: extras.safety ?? null,
    aliasOf: extras.aliasOf ?? null,
    extension: extras.extension ?? false,
  };
}

/** A keyword that works. */
export const done = (name: string, args: ArgSpec, doc: string, extras: Extras = {}): KeywordEntry =>
  make({ name, args, status: "done", doc }, extras);

/** A keyword that is known and has no effect yet. */
export const later = (name: string, args: ArgSpec, doc: string, extras: Extras = {}): KeywordEntry =>
  make({ name, args, status: "not-yet", doc }, extras);

/** A keyword that Holdfast will not do; the doc text is the reason and stands in the warning. */
export const refused = (name: string, args: ArgSpec, doc: string, extras: Extras = {}): KeywordEntry =>
  make({ name, args, status: "refused", doc }, extras);
