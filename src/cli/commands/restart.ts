/** `holdfast restart [--dry-run]`: the daemon begins anew as the version that is installed, and its addresses stay where they are. */
import type { RestartReply, StatusReply } from "../../control/contract/types.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, pause, printJson } from "./context.ts";

export interface RestartOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Checks and hooks that run may take some seconds to end. */
const ANSWER_MILLIS = 60_000;
const BACK_MILLIS = 30_000;
const POLL_MILLIS = 100;

export async function restartCommand(context: CommandContext, options: RestartOptions): Promise<number> {
  const { client, terminal } = context;
  const before = await client.get<StatusReply>("/v1/status");
  const reply = await client.post<RestartReply>("/v1/restart", { dryRun: options.dryRun === true }, ANSWER_MILLIS);
  if (reply.outcome === "refused") {
    if (options.json === true) printJson(terminal, reply);
    else terminal.err(`holdfast: not restarted: ${reply.detail}\n`);
    return EXIT.failed;
  }
  if (reply.outcome === "restarting") await back(context, before);
  if (options.json === true) printJson(terminal, reply);
  else if (reply.outcome === "would-restart") terminal.out(`It would begin anew as ${reply.version}.\n`);
  else terminal.out(`The daemon is ${reply.version} now; its addresses have stayed where they were.\n`);
  return EXIT.ok;
}

async function back({ client, signal }: CommandContext, before: StatusReply): Promise<void> {
  for (let waited = 0; waited < BACK_MILLIS; waited += POLL_MILLIS) {
    const now = await client.get<StatusReply>("/v1/status").catch(() => null);
    if (now !== null && now.daemon.startedAt !== before.daemon.startedAt && now.keeper.state === "running") return;
    await pause(POLL_MILLIS, signal);
  }
  throw new CliError(
    "the daemon has not come back",
    EXIT.failed,
    "its log says why; `holdfast status` shows whether it runs",
  );
}
