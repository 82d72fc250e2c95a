/**
 * Reads a command line as getopt_long(3) reads keepalived's: letters together (`-Dln`), a value attached or in the next word,
 * optional values attached only (`-tFILE`), long names up to where they are unique (`--dump`), options after operands. Owns the
 * grammar; which options there are is the caller's. What comes out is one `--name` or `--name=value` a word.
 */
import { closest } from "../core/config/suggest.ts";
import { CliError } from "./exit-codes.ts";

export interface OptionSpec {
  /** `-D`; null for one without a letter. */
  readonly short: string | null;
  /** `--log-detail`. */
  readonly long: string;
  readonly value: "none" | "required" | "optional";
}

export interface CanonicalWords {
  readonly options: readonly string[];
  /** Words that are no options. */
  readonly operands: readonly string[];
}

/** keepalived ends with 1 for an option that it does not know. */
const BAD_OPTION = 1;

export function canonicalWords(words: readonly string[], specs: readonly OptionSpec[]): CanonicalWords {
  const options: string[] = [];
  const operands: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      operands.push(...rest);
      break;
    }
    if (word.startsWith("--")) options.push(longOption(word, specs, rest));
    else if (word.startsWith("-") && word !== "-") options.push(...shortOptions(word, specs, rest));
    else operands.push(word);
  }
  return { options, operands };
}

const written = ({ long }: OptionSpec, value: string | null): string => (value === null ? long : `${long}=${value}`);

function longOption(word: string, specs: readonly OptionSpec[], rest: string[]): string {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const spec = findLong(name, specs);
  const attached = equals < 0 ? null : word.slice(equals + 1);
  if (attached !== null && spec.value === "none") {
    throw new CliError(`option ${spec.long} takes no value`, BAD_OPTION, `write ${spec.long} alone`);
  }
  return written(spec, attached ?? following(spec, name, rest));
}

function findLong(name: string, specs: readonly OptionSpec[]): OptionSpec {
  const exact = specs.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const begun = specs.filter(({ long }) => long.startsWith(name));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  if (begun.length > 1) {
    const names = begun.map(({ long }) => long).join(", ");
    throw new CliError(`option ${name} is ambiguous`, BAD_OPTION, `it begins ${names}: write one of them out`);
  }
  const near = closest(
    name,
    specs.map(({ long }) => long),
  );
  throw new CliError(
    `unknown option ${name}`,
    BAD_OPTION,
    near === null ? "see `holdfast run --help`" : `did you mean ${near}?`,
  );
}

function shortOptions(word: string, specs: readonly OptionSpec[], rest: string[]): string[] {
  const found: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = `-${word[at]}`;
    const spec = specs.find(({ short }) => short === letter);
    if (spec === undefined) throw new CliError(`unknown option ${letter}`, BAD_OPTION, "see `holdfast run --help`");
    const attached = word.slice(at + 1);
    if (spec.value !== "none" && attached !== "") return [...found, written(spec, attached)];
    found.push(written(spec, following(spec, letter, rest)));
  }
  return found;
}

function following(spec: OptionSpec, name: string, rest: string[]): string | null {
  if (spec.value !== "required") return null;
  const value = rest.shift();
  if (value === undefined) throw new CliError(`option ${name} lacks its value`, BAD_OPTION, `write ${spec.long}=VALUE`);
  return value;
}
