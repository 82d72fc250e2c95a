/** `holdfast fence NAME`: closes this host's server and keeps it so; `--off` gives it back. */
import type { FenceReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface FenceOptions {
  readonly off?: boolean;
  readonly json?: boolean;
}

const ANSWER_MILLIS = 60_000;

/** 0: as ordered; 1: not all of it, the answer says what. */
export async function fenceCommand(
  { client, terminal }: CommandContext,
  name: string,
  options: FenceOptions,
): Promise<number> {
  const on = options.off !== true;
  const reply = await client.post<FenceReply>("/v1/mysql/fence", { name, on }, ANSWER_MILLIS);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(`${inWords(reply, on)}\n`);
  return reply.problem === null ? EXIT.ok : EXIT.failed;
}

function inWords({ name, problem }: FenceReply, on: boolean): string {
  const done = on
    ? `mysql ${name} is fenced: closed for writes and not to be claimed, also after a restart, until \`holdfast fence ${name} --off\``
    : `mysql ${name} is given back: this host may claim its address again`;
  return problem === null ? `${done}.` : on ? `${done}; but ${problem}.` : `Not given back: ${problem}.`;
}
