/** The words about managed database groups. */
import type { Command } from "commander";
import { asking, type Done, type Invocation, never, untilStopped } from "./asking.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import type { HostDoctor } from "./commands/host-doctor.ts";
import type { PositionsOptions } from "./commands/positions.ts";
import type { SwitchoverOptions } from "./commands/switchover.ts";
import type { TakeoverOptions } from "./commands/takeover.ts";
import type { PlaceOptions } from "./paths.ts";
import { addRepairCommands } from "./repair-commands.ts";

export interface DatabaseParts {
  readonly invocation: Invocation;
  readonly done: Done;
  readonly hostDoctor: HostDoctor;
}

export function addDatabaseCommands(program: Command, { invocation, done, hostDoctor }: DatabaseParts): void {
  const { terminal } = invocation;
  asking(program, "positions", "where the servers of a managed group stand: binary logs, GTIDs, what is executed")
    .argument("<name>", "the mysql block")
    .option("--watch", "again every second, with what still moves")
    .action(async (name: string, options: PlaceOptions & PositionsOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { positionsCommand } = await import("./commands/positions.ts");
      const signal = options.watch === true ? await untilStopped(invocation) : never();
      done(await positionsCommand(contextFor(terminal, options, signal), name, options));
    });
  addDoctor(program, { invocation, done, hostDoctor });
  asking(program, "switchover", "move the writer of a managed database group from this host to another")
    .argument("<name>", "the mysql block")
    .option("--dry-run", "only say what would be done, or why it would be refused")
    .action(async (name: string, options: PlaceOptions & SwitchoverOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { switchoverCommand } = await import("./commands/switchover.ts");
      done(await switchoverCommand(contextFor(terminal, options, never()), name, options));
    });
  asking(program, "takeover", "what a claim of a managed database server would do now, step by step")
    .argument("<name>", "the mysql block")
    .option("--dry-run", "only show it, which is what happens without the other options as well")
    .option("--accept-loss", "the next claim, within a minute, goes on although newer data may exist elsewhere")
    .option("--without-store", "the next claim, within a minute, goes on although quorum_store does not answer")
    .action(async (name: string, options: PlaceOptions & TakeoverOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { takeoverCommand } = await import("./commands/takeover.ts");
      done(await takeoverCommand(contextFor(terminal, options, never()), name, options));
    });
  addRepairCommands(program, done, terminal);
}

function addDoctor(program: Command, { invocation, done, hostDoctor }: DatabaseParts): void {
  asking(
    program,
    "doctor",
    "what is wrong on this host: adverts, firewall, settings, addresses; or on a database group's servers, or with an address",
  )
    .argument("[name]", "a mysql block: its servers instead of this host")
    .option("-f, --use-file <file>", "configuration file (default: the daemon's, or keepalived's place)")
    .option("-i, --config-id <id>", "id that lines beginning with @id are compared with")
    .option("--listen <seconds>", "how long to listen for adverts (default: a little over three intervals, at most 30)")
    .option("--lvs", "this host as a director: forwarding, ARP answered by real servers, rp_filter, ports, conntrack")
    .option("--vip <address>", "who answers for this address, seen from here and from each peer of peer_link")
    .action(async (name: string | undefined, options: PlaceOptions & DoctorOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { doctorCommand } = await import("./commands/doctor.ts");
      done(await doctorCommand(contextFor(invocation.terminal, options, never()), { name, options }, hostDoctor));
    });
}
