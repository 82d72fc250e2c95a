/** The words about virtual servers. */
import type { Command } from "commander";
import { asking, type Done, type Invocation, never, untilStopped } from "./asking.ts";
import type { DrainOptions, LvsStatusOptions } from "./commands/lvs.ts";
import type { PlaceOptions } from "./paths.ts";

export function addLvsCommands(program: Command, invocation: Invocation, done: Done): void {
  const { terminal } = invocation;
  const lvs = program.command("lvs").description("virtual servers (LVS)");
  asking(
    lvs,
    "status",
    "services and servers as the kernel has them: weights, connections, rates, last change with its cause",
  )
    .option("--watch", "again every second")
    .action(async (options: PlaceOptions & LvsStatusOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { lvsStatusCommand } = await import("./commands/lvs.ts");
      const signal = options.watch === true ? await untilStopped(invocation) : never();
      done(await lvsStatusCommand(contextFor(terminal, options, signal), options));
    });
  asking(program, "drain", "no new connections for a real server; waits until it has none left")
    .argument("<server>", "ADDRESS:PORT as lvs status shows it")
    .option("--service <service>", 'only in this service, such as "TCP 192.0.2.1:3306" (default: in all)')
    .option("--wait <seconds>", "how long to wait for its connections (default: 300)")
    .action(async (server: string, options: PlaceOptions & DrainOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { drainCommand } = await import("./commands/lvs.ts");
      done(await drainCommand(contextFor(terminal, options, invocation.interrupt()), server, options));
    });
  asking(program, "undrain", "new connections again for a drained real server")
    .argument("<server>", "ADDRESS:PORT")
    .option("--service <service>", "only in this service (default: in all)")
    .action(async (server: string, options: PlaceOptions & DrainOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { undrainCommand } = await import("./commands/lvs.ts");
      done(await undrainCommand(contextFor(terminal, options, never()), server, options));
    });
}
