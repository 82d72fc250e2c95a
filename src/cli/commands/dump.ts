/** `holdfast dump KIND`: keepalived's dumps without its signals; prints the paths that were written. */
import type { DumpReply } from "../../control/contract/types.ts";
import { closest } from "../../core/config/suggest.ts";
import { DUMP_KINDS } from "../../core/dumps/kinds.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export async function dumpCommand(
  context: CommandContext,
  kind: string,
  options: { readonly json?: boolean },
): Promise<number> {
  if (!(DUMP_KINDS as readonly string[]).includes(kind)) {
    const near = closest(kind, DUMP_KINDS);
    const kinds = `kinds: ${DUMP_KINDS.join(", ")}`;
    throw new CliError(
      `there is no dump ${kind}`,
      EXIT.usage,
      near === null ? kinds : `did you mean ${near}? ${kinds}`,
    );
  }
  const reply = await context.client.post<DumpReply>("/v1/dump", { kind });
  if (options.json === true) printJson(context.terminal, reply);
  else context.terminal.out(reply.files.map((file) => `${file}\n`).join(""));
  for (const problem of reply.problems) context.terminal.err(`holdfast: ${problem}\n`);
  return reply.problems.length > 0 ? EXIT.failed : EXIT.ok;
}
