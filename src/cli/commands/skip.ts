/**
 * `holdfast skip NAME [SERVER]`: the transaction that a replica has stopped at, its error, and what passing over it would run; then asks. What
 * is ordered is what was shown: a replica that stands at another one meanwhile is left alone.
 */
import type { SkipReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface SkipOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

const ANSWER_MILLIS = 120_000;

/** 0: skipped; 1: not, also when nobody was there to be asked. */
export async function skipCommand(
  { client, terminal }: CommandContext,
  target: { readonly name: string; readonly server: string | undefined },
  options: SkipOptions,
): Promise<number> {
  const order = { name: target.name, server: target.server ?? null };
  const shown = await client.post<SkipReply>("/v1/mysql/skip", { ...order, transaction: null }, ANSWER_MILLIS);
  if (options.json !== true) terminal.out(inWords(shown));
  if (shown.end !== "shown" || !(await agreed(terminal, options))) {
    if (options.json === true) printJson(terminal, shown);
    else if (shown.end === "shown") terminal.out("Nothing was skipped. `--yes` skips it without being asked.\n");
    return EXIT.failed;
  }
  const { transaction } = shown;
  const done = await client.post<SkipReply>("/v1/mysql/skip", { ...order, transaction }, ANSWER_MILLIS);
  if (options.json === true) printJson(terminal, done);
  else terminal.out(done.end.startsWith("skipped") ? `${capital(done.end)}.\n` : `Not skipped: ${done.end}.\n`);
  return done.end.startsWith("skipped") ? EXIT.ok : EXIT.failed;
}

async function agreed({ ask }: CommandContext["terminal"], { yes, json }: SkipOptions): Promise<boolean> {
  if (yes === true) return true;
  if (json === true || ask === undefined) return false;
  return /^y(es)?$/i.test((await ask("Skip it? It is left out on that server for good [y/N] ")).trim());
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function inWords({ name, server, channel, source, sqlError, transaction, events, statements, end }: SkipReply): string {
  if (transaction === null) return `${server ?? `mysql ${name}`}: ${end}.\n`;
  const of = channel === "" ? "" : ` (channel ${channel})`;
  return [
    `${server} has stopped at ${transaction} from ${source}${of}:`,
    ...(sqlError === null ? [] : [`  error ${sqlError.number}: ${sqlError.text}`]),
    "its events:",
    ...events.map((event) => `  ${event}`),
    ...(statements.length === 0 ? [`It cannot be skipped: ${end}.`] : ["passing over it runs:"]),
    ...statements.map((statement) => `  ${statement}`),
    "",
  ].join("\n");
}
