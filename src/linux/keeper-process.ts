/**
 * Starts the keeper as a child of control, with one end of a stream socket pair as its file descriptor 3. Its output is
 * ours; it stays in our process group, because it ignores signals and takes its orders from the socket alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { KeeperEvents, KeeperLauncher, KeeperProcess } from "../ports/keeper-process.ts";
import { leave } from "./keeper-adoption.ts";

/** V8 throws away what was compiled for functions unused for a while: a takeover is just such a thing. */
const KEEP_COMPILED = "--no-flush-bytecode";

export interface KeeperCommand {
  /** Path of the built entry point. */
  readonly entry: string;
  /** Options of Node itself, before the entry point. */
  readonly nodeOptions?: readonly string[];
  readonly args: readonly string[];
  /** Null: its standard error is ours. Otherwise gets what it writes there, for the log of a daemon without a terminal. */
  readonly onErrorText: ((text: string) => void) | null;
}

/** A launcher that can start the process before anybody is there to speak with it. */
export interface PreparingLauncher extends KeeperLauncher {
  /**
   * Starts a keeper now, for the next launch(): its run-up goes on beside ours. It does nothing before it is spoken to, and ends by
   * itself when we end.
   */
  prepare(): void;
  /** Ends what prepare() started, if nobody has taken it over. */
  discard(): void;
}

export function createKeeperLauncher(command: KeeperCommand): PreparingLauncher {
  let prepared: ChildProcess | null = null;
  return {
    prepare() {
      const started = start(command);
      if (typeof started === "string") return;
      // Until it is taken over; a start that failed is tried again then.
      started.on("error", () => undefined);
      prepared = started;
    },
    discard() {
      prepared?.kill("SIGKILL");
      prepared = null;
    },
    launch(events) {
      const ready = prepared;
      prepared = null;
      const alive = ready?.pid !== undefined && ready.exitCode === null && ready.signalCode === null;
      const child = alive ? ready : start(command);
      if (typeof child !== "string") return adopt(child, events);
      // The supervisor tries again, as after any other end.
      setImmediate(() => events.onExit({ code: null, signal: `start failed: ${child}` }));
      return { pid: 0, send: () => undefined, kill: () => undefined };
    },
  };
}

/** Why not, where the host is out of memory: Node throws then. */
function start(command: KeeperCommand): ChildProcess | string {
  try {
    return startOrThrow(command);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function startOrThrow(command: KeeperCommand): ChildProcess {
  const { onErrorText } = command;
  const stdout = onErrorText === null ? "inherit" : "ignore";
  const stderr = onErrorText === null ? "inherit" : "pipe";
  const child = spawn(
    process.execPath,
    [KEEP_COMPILED, ...(command.nodeOptions ?? []), command.entry, ...command.args],
    { stdio: ["ignore", stdout, stderr, "pipe"] },
  );
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => onErrorText?.(text));
  return child;
}

function adopt(child: ChildProcess, events: KeeperEvents): KeeperProcess {
  const link = child.stdio[3] as Duplex | null | undefined;
  let ended = false;
  const exited = (code: number | null, signal: string | null): void => {
    if (ended) return;
    ended = true;
    link?.destroy();
    events.onExit({ code, signal });
  };
  child.on("error", (error) => exited(null, `start failed: ${error.message}`));
  // "exit" comes after waitpid(2): from here on the process can do nothing any more.
  child.on("exit", exited);
  link?.setEncoding("utf8");
  link?.on("data", (text: string) => {
    if (!ended) events.onData(text);
  });
  // A closed link shows in the exit that follows, or in the missing heartbeats.
  link?.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    send(text) {
      if (!ended && link?.writable) link.write(text);
    },
    kill() {
      child.kill("SIGKILL");
    },
    detach() {
      ended = true;
      return link === null || link === undefined ? null : leave(link as Socket);
    },
  };
}
