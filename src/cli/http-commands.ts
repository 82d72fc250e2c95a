/** The words about what the daemon tells programs, and whom it lets ask. */
import type { Command } from "commander";
import { type Done, type Invocation, json, never } from "./asking.ts";
import type { TokenOptions } from "./commands/token.ts";
import type { PlaceOptions } from "./paths.ts";

export function addHttpCommands(program: Command, { terminal }: Invocation, done: Done): void {
  program
    .command("metrics")
    .description("what Prometheus would read from the daemon")
    .option("--socket <path>", "the daemon's API socket (also HOLDFAST_SOCKET)")
    .option("-p, --pid <file>", "the daemon's pid file: the socket lies beside it")
    .action(async (options: PlaceOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { metricsCommand } = await import("./commands/metrics.ts");
      done(await metricsCommand(contextFor(terminal, options, never())));
    });
  program
    .command("token")
    .description("who may use the HTTP API: tokens and their roles; a new token is shown once")
    .argument("<action>", "add, remove or list")
    .argument("[name]", "whose token")
    .option("--file <path>", "the file that `token_file` names (default: /etc/holdfast/tokens)")
    .option("--role <role>", "read, operate (switchovers) or admin (reloads, what may lose data) (default: read)")
    .addOption(json())
    .action(async (action: string, name: string | undefined, options: TokenOptions) => {
      const { tokenCommand } = await import("./commands/token.ts");
      done(tokenCommand(terminal, { action, name }, options));
    });
}
