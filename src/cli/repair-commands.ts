/** The words that an operator orders for a managed database group or an address, and that nothing does by itself. */
import type { Command } from "commander";
import { asking, type Done, never } from "./asking.ts";
import type { FenceOptions } from "./commands/fence.ts";
import type { InitWriterOptions } from "./commands/init-writer.ts";
import type { RejoinOptions } from "./commands/rejoin.ts";
import type { ReleaseStaleOptions } from "./commands/release-stale.ts";
import type { SkipOptions } from "./commands/skip.ts";
import type { PlaceOptions } from "./paths.ts";
import type { Terminal } from "./terminal.ts";

export function addRepairCommands(program: Command, done: Done, terminal: Terminal): void {
  asking(program, "rejoin", "compare a database server that has returned with the writer, and attach it again")
    .argument("<name>", "the mysql block")
    .argument("[server]", "HOST:PORT as in the file (default: the one that is not the writer)")
    .option("--dry-run", "only compare and say what would be done; nothing is written, either")
    .option("--reseed", "make this host's server anew from the writer; its old data directory is kept")
    .option("--accept-extra <what>", "what was shown as too many: count it as done on the writer, without doing it")
    .action(async (name: string, server: string | undefined, options: PlaceOptions & RejoinOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { rejoinCommand } = await import("./commands/rejoin.ts");
      done(await rejoinCommand(contextFor(terminal, options, never()), { name, server }, options));
    });
  asking(program, "skip", "the transaction that a replica has stopped at; then asks whether to pass over it")
    .argument("<name>", "the mysql block")
    .argument("[server]", "HOST:PORT as in the file (default: this host's)")
    .option("--yes", "without being asked")
    .action(async (name: string, server: string | undefined, options: PlaceOptions & SkipOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { skipCommand } = await import("./commands/skip.ts");
      done(await skipCommand(contextFor(terminal, options, never()), { name, server }, options));
    });
  asking(program, "fence", "close this host's database server and keep it closed, also over a restart of the daemon")
    .argument("<name>", "the mysql block")
    .option("--off", "give it back: it may be claimed again")
    .action(async (name: string, options: PlaceOptions & FenceOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { fenceCommand } = await import("./commands/fence.ts");
      done(await fenceCommand(contextFor(terminal, options, never()), name, options));
    });
  asking(
    program,
    "init-writer",
    "after a cold start: this host's server may be the first writer although no peer answers",
  )
    .argument("<name>", "the mysql or redis block")
    .action(async (name: string, options: PlaceOptions & InitWriterOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { initWriterCommand } = await import("./commands/init-writer.ts");
      done(await initWriterCommand(contextFor(terminal, options, never()), name, options));
    });
  asking(
    program,
    "release-stale",
    "remove an address that was left on this host, once another host is shown to have it",
  )
    .argument("<address>", "without its prefix")
    .option("--dry-run", "only say whether it would be removed, and why")
    .action(async (address: string, options: PlaceOptions & ReleaseStaleOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { releaseStaleCommand } = await import("./commands/release-stale.ts");
      done(await releaseStaleCommand(contextFor(terminal, options, never()), address, options));
    });
}
