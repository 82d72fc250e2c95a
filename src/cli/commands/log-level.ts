/** `holdfast log-level [LEVEL]`: what the daemon writes into its log, from now on. */
import type { LogLevelReply } from "../../control/contract/types.ts";
import { closest } from "../../core/config/suggest.ts";
import { LOG_LEVELS } from "../../core/events/log-line.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export async function logLevelCommand(
  context: CommandContext,
  level: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  if (level !== undefined && !(LOG_LEVELS as readonly string[]).includes(level)) {
    const near = closest(level, LOG_LEVELS);
    const levels = `levels: ${LOG_LEVELS.join(", ")}`;
    throw new CliError(
      `there is no log level ${level}`,
      EXIT.usage,
      near === null ? levels : `did you mean ${near}? ${levels}`,
    );
  }
  const { client, terminal } = context;
  const reply =
    level === undefined
      ? await client.get<LogLevelReply>("/v1/log-level")
      : await client.post<LogLevelReply>("/v1/log-level", { level });
  if (options.json === true) printJson(terminal, reply);
  else if (level === undefined) terminal.out(`${reply.level}\n`);
  else terminal.out(`The log level is ${reply.level}; it was ${reply.before}.\n`);
  return EXIT.ok;
}
