/** `holdfast run`: into the background where asked for, then the keeper on its way, then control, in the order that loses least time. */
import type { RunOptions } from "../cli/run-options.ts";
import { takeCarriedKeeper } from "../linux/keeper-adoption.ts";
import { takeDetachedMark } from "./detached-mark.ts";
import { startKeeperAhead } from "./keeper-ahead.ts";

/** The exit code, when the daemon has ended or, in the command that was typed, when it runs. */
export async function runDaemon(options: RunOptions, version: string): Promise<number> {
  const carried = takeCarriedKeeper();
  const detached = takeDetachedMark() || (carried !== null && !options.foreground);
  if (!options.foreground && !detached) return (await import("./daemonize.ts")).daemonize();
  const ahead = startKeeperAhead(options, carried);
  const { runControl } = await import("./control.ts");
  return runControl(options, { version, detached, ahead });
}
