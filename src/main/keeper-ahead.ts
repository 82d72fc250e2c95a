/**
 * Starts the keeper before control itself is loaded and the configuration read: its run-up takes longest, so it goes on beside both
 * (docs/decisions/0037). Loads next to nothing, for the same reason.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunOptions } from "../cli/run-options.ts";
import { createArena } from "../linux/arena.ts";
import { checkCapabilities } from "../linux/capabilities.ts";
import { adoptingLauncher, type CarriedKeeper } from "../linux/keeper-adoption.ts";
import { createKeeperLauncher, type PreparingLauncher } from "../linux/keeper-process.ts";
import type { KeeperLauncher } from "../ports/keeper-process.ts";
import { debuggerOptions } from "./debugger.ts";

const ARENA_BYTES = 4_096;

export interface KeeperAhead {
  /** The keeper runs and serves already. */
  readonly adopts: boolean;
  /** What a keeper writes to its standard error goes here from now on, and what it has written before. */
  logTo(say: (text: string) => void): void;
  /** The keeper that waits, or one under this name (vrrp_process_name): another name than expected needs another process. */
  launcher(name: string | null): KeeperLauncher;
}

/** `carried`: the keeper that goes on serving while control begins anew. */
export function startKeeperAhead(options: RunOptions, carried: CarriedKeeper | null): KeeperAhead {
  const early: string[] = [];
  let say = (text: string): void => void early.push(text);
  const launcherFor = (args: readonly string[]): PreparingLauncher =>
    createKeeperLauncher({
      entry: fileURLToPath(new URL("./keeper.js", import.meta.url)),
      nodeOptions: debuggerOptions(),
      args,
      onErrorText: options.foreground ? null : (text) => say(text),
    });
  const launcher = launcherFor([]);
  if (carried === null && mayStart(options)) launcher.prepare();
  return {
    adopts: carried !== null,
    logTo(listener) {
      say = listener;
      for (const text of early.splice(0)) listener(text);
    },
    launcher(name) {
      if (carried !== null) {
        return adoptingLauncher(createArena(ARENA_BYTES), carried, name === null ? launcher : launcherFor([name]));
      }
      if (name === null) return launcher;
      launcher.discard();
      return launcherFor([name]);
    },
  };
}

/** Not where what the keeper inherits is only known later: a network namespace, the limit that -m raises. */
function mayStart(options: RunOptions): boolean {
  return !options.coreDump && !mayMove(options) && checkCapabilities().ok;
}

/** Whether a namespace of another network may be entered yet; it is asked before the configuration is read. */
export function mayMove({ file, namespace }: Pick<RunOptions, "file" | "namespace">): boolean {
  if (namespace !== null) return true;
  try {
    return readFileSync(file, "utf8").includes("net_namespace");
  } catch {
    return true;
  }
}
