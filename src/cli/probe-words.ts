/** What the words of every `holdfast probe` have in common: numbers within their ranges, and how wrong options are told. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { err, ok, type Result } from "../core/lib/result.ts";

export const NO_PASSWORD =
  "a password on the command line can be read by everybody: put it into a file of mode 0600, --defaults-file";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ args: string[]; allowPositionals: true; options: O }>>;

/** The error is one line. */
export function readWords<O extends Options>(words: readonly string[], options: O): Result<Parsed<O>, string> {
  try {
    return ok(parseArgs({ args: [...words], allowPositionals: true, options }));
  } catch (error) {
    return err((error as Error).message.split("\n")[0] ?? "wrong options");
  }
}

export interface Range {
  readonly option: string;
  readonly range: readonly [least: number, most: number];
  readonly whole: boolean;
}

/** Null where the option is not given. */
export function readNumbers<Name extends string>(
  values: Readonly<Record<string, unknown>>,
  ranges: Readonly<Record<Name, Range>>,
): Result<Readonly<Record<Name, number | null>>, string> {
  const numbers = {} as Record<Name, number | null>;
  for (const [name, { option, range, whole }] of Object.entries<Range>(ranges)) {
    const text = values[option];
    numbers[name as Name] = null;
    if (typeof text !== "string") continue;
    const [least, most] = range;
    const value = (whole ? /^\d{1,10}$/ : /^\d{1,7}(\.\d{1,6})?$/).test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      return err(`--${option} takes ${whole ? "a whole number" : "a number"} from ${least} to ${most}`);
    }
    numbers[name as Name] = value;
  }
  return ok(numbers);
}
