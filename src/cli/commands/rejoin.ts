/** `holdfast rejoin NAME [SERVER]`: compares a server that has returned with the writer, and attaches it when nothing stands against it. */
import type { RejoinReply } from "../../control/contract/types.ts";
import { tableInWords } from "../../core/mysql/tally.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";
import { serverText } from "./positions.ts";

export interface RejoinOptions {
  readonly dryRun?: boolean;
  readonly acceptExtra?: string;
  readonly reseed?: boolean;
  readonly json?: boolean;
}

/** Binary logs of a long absence are read, and a server may take a minute to catch up: the daemon itself says when it is over. */
const ANSWER_MILLIS = 3_600_000;
/** A copy of everything takes as long as it takes; `holdfast events --follow` shows the steps. */
const RESEED_MILLIS = 7 * 86_400_000;

/** 0: attached, or it would be; 1: left out, the answer says why and what can be done. */
export async function rejoinCommand(
  { client, terminal }: CommandContext,
  target: { readonly name: string; readonly server: string | undefined },
  options: RejoinOptions,
): Promise<number> {
  const dryRun = options.dryRun === true;
  const accept = options.acceptExtra ?? null;
  if (dryRun && accept !== null) {
    throw new CliError("--dry-run changes nothing, and --accept-extra does", EXIT.usage, "use one of them");
  }
  const reseed = options.reseed === true;
  if (reseed && accept !== null) {
    throw new CliError("--reseed and --accept-extra are two choices", EXIT.usage, "use one of them");
  }
  const order = { name: target.name, server: target.server ?? null, dryRun, accept, reseed };
  const limit = reseed ? RESEED_MILLIS : ANSWER_MILLIS;
  const reply = await client.post<RejoinReply>("/v1/mysql/rejoin", order, limit);
  if (options.json === true) printJson(terminal, reply);
  else
    terminal.out(
      `${[comparison(reply), outcome(reply, reseed), extra(reply), choices(reply)].filter(Boolean).join("\n")}`,
    );
  return reply.end === "whole" || reply.end === "ready" ? EXIT.ok : EXIT.failed;
}

const comparison = ({ compared }: RejoinReply): string => compared.map((server) => serverText(server, null)).join("\n");

function outcome({ name, end, steps, writer, server }: RejoinReply, reseed: boolean): string {
  const list = steps.map((step, at) => `  ${at + 1}. ${step}\n`).join("");
  if (end === "ready" && reseed) return `Making ${server} anew would:\n${list}`;
  if (end === "ready") {
    return steps.length === 0
      ? `${server} has nothing that ${writer} lacks, and follows it already.\n`
      : `${server} has nothing that ${writer} lacks. A rejoin would now:\n${list}`;
  }
  if (end !== "whole") return `${list}${server ?? `mysql ${name}`} is not attached: ${end}.\n`;
  return steps.length === 0
    ? `${server} has nothing that ${writer} lacks, and follows it already: nothing was to be done.\n`
    : `${list}${server} follows ${writer} again.\n`;
}

function extra({ extra: found }: RejoinReply): string {
  if (found === null) return "";
  const { what, transactions, missing, file, tables } = found;
  const head =
    what === ""
      ? []
      : [`It has ${transactions} ${transactions === 1 ? "transaction" : "transactions"} too many: ${what}`];
  return [
    ...head,
    ...tables.map((table) => `  ${tableInWords(table)}`),
    ...(missing === null ? [] : [`Not all is known: ${missing}`]),
    ...(file === null ? [] : [`They are in ${file}`]),
    "",
  ].join("\n");
}

function choices({ choices: found }: RejoinReply): string {
  if (found.length === 0) return "";
  const each = found.map(({ title, does, loses, commands }, at) =>
    [
      `  ${at + 1}. ${title}`,
      `     does:  ${does}`,
      `     loses: ${loses}`,
      ...commands.map((command) => `       ${command}`),
      "",
    ].join("\n"),
  );
  return `Nothing of this happens by itself:\n${each.join("\n")}`;
}
