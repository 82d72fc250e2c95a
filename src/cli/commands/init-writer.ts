/** `holdfast init-writer NAME`: after a cold start this host's server may be the first writer although no peer answers. */
import type { InitWriterReply } from "../../control/contract/types.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface InitWriterOptions {
  readonly json?: boolean;
}

const ANSWER_MILLIS = 30_000;

/** 0: noted; 1: refused, and why. */
export async function initWriterCommand(
  { client, terminal }: CommandContext,
  name: string,
  options: InitWriterOptions,
): Promise<number> {
  const reply = await client.post<InitWriterReply>("/v1/init-writer", { name }, ANSWER_MILLIS);
  if (options.json === true) {
    printJson(terminal, reply);
    return reply.named ? EXIT.ok : EXIT.failed;
  }
  if (!reply.named) throw new CliError(`${name} is not named the first writer: ${reply.detail}`, EXIT.failed);
  terminal.out(`${name}: this host may become the first writer: ${reply.detail}.\n`);
  return EXIT.ok;
}
