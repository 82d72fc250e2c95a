/**
 * Command lines as MHA's programs read them (Perl's Getopt::Long): `--name=value`, `--name value`, one dash or two, names shortened as long
 * as they are clear. And the help that is written from the same table. Knows no command.
 */
import { err, ok, type Result } from "../lib/result.ts";

export interface OptionSpec {
  readonly name: string;
  readonly kind: "flag" | "text" | "number" | "list";
  readonly help: string;
  /** Other names of it. */
  readonly aliases?: readonly string[];
}

export interface CommandSpec {
  readonly name: string;
  readonly purpose: string;
  readonly options: readonly OptionSpec[];
  /** Code and meaning. */
  readonly exits: readonly (readonly [number, string])[];
  readonly example: string;
  /** Words behind the options are allowed. */
  readonly operands?: boolean;
}

export interface Options {
  readonly text: (name: string) => string | null;
  readonly number: (name: string) => number | null;
  readonly flag: (name: string) => boolean;
  readonly list: (name: string) => readonly string[];
  readonly operands: readonly string[];
}

type Values = Map<string, string[]>;

const COMMON: readonly OptionSpec[] = [
  { name: "help", kind: "flag", help: "show this" },
  { name: "version", kind: "flag", help: "show the version" },
];

export function parseOptions(spec: CommandSpec, args: readonly string[]): Result<Options, string> {
  const specs = [...spec.options, ...COMMON];
  const values: Values = new Map();
  const stop = args.indexOf("--");
  const words = stop < 0 ? [...args] : args.slice(0, stop);
  const operands = stop < 0 ? [] : args.slice(stop + 1);
  while (words.length > 0) {
    const word = words.shift() ?? "";
    const match = /^--?([A-Za-z_][\w-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) operands.push(word);
    else {
      const problem = readOption(specs, values, { name: match[1] ?? "", value: match[2], words });
      if (problem !== null) return err(problem);
    }
  }
  if (operands.length > 0 && spec.operands !== true) return err(`unexpected: ${operands.join(" ")}`);
  return ok({
    text: (name) => values.get(name)?.at(-1) ?? null,
    number: (name) => (values.has(name) ? Number(values.get(name)?.at(-1)) : null),
    flag: (name) => values.has(name),
    list: (name) => values.get(name) ?? [],
    operands,
  });
}

/** `words` are those behind it: the first may be its value. */
function readOption(
  specs: readonly OptionSpec[],
  values: Values,
  { name, value, words }: { readonly name: string; readonly value: string | undefined; readonly words: string[] },
): string | null {
  const option = find(specs, name);
  if (!option.ok) return option.error;
  return take(values, option.value, option.value.kind === "flag" ? value : (value ?? words.shift()));
}

function find(specs: readonly OptionSpec[], given: string): Result<OptionSpec, string> {
  const name = given.toLowerCase().replaceAll("-", "_");
  const names = (spec: OptionSpec): readonly string[] => [spec.name, ...(spec.aliases ?? [])];
  const exact = specs.find((spec) => names(spec).includes(name));
  if (exact !== undefined) return ok(exact);
  const shortened = specs.filter((spec) => names(spec).some((one) => one.startsWith(name)));
  const [only] = shortened;
  if (only === undefined) return err(`unknown option --${given}`);
  if (shortened.length === 1) return ok(only);
  return err(`--${given} is not clear: ${shortened.map((one) => `--${one.name}`).join(", ")}`);
}

function take(values: Values, { name, kind }: OptionSpec, value: string | undefined): string | null {
  if (kind === "flag") {
    if (value !== undefined && !/^[01]$/.test(value)) return `--${name} takes no value`;
    if (value !== "0") values.set(name, ["1"]);
    return null;
  }
  if (value === undefined) return `--${name} needs a value`;
  if (kind === "number" && !/^\d{1,9}$/.test(value)) return `--${name} is a number`;
  if (kind === "list") values.set(name, [...(values.get(name) ?? []), value]);
  else values.set(name, [value]);
  return null;
}

/** What --help shows. */
export function helpText(spec: CommandSpec): string {
  const rows = [...spec.options, ...COMMON].map(({ name, kind, help, aliases }) => {
    const value = kind === "flag" ? "" : kind === "number" ? "=N" : "=VALUE";
    const also = aliases === undefined ? "" : ` (also ${aliases.map((one) => `--${one}`).join(", ")})`;
    return [`--${name}${value}`, `${help}${also}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `${spec.name}: ${spec.purpose}`,
    "",
    `Usage: ${spec.name} OPTIONS`,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`),
    "",
    "Exit codes:",
    ...spec.exits.map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`),
    "",
    `Example: ${spec.example}`,
    "",
    "Every parameter of the configuration is explained in docs/mha.md.",
    "",
  ].join("\n");
}
