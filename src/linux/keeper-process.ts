/**
 * Starts the keeper as a child of control, with one end of a stream socket pair as its file descriptor 3. Its output is
 * ours; it stays in our process group, because it ignores signals and takes its orders from the socket alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import type { KeeperLauncher } from "../ports/keeper-process.ts";

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

export function createKeeperLauncher(command: KeeperCommand): KeeperLauncher {
  const { onErrorText } = command;
  const stdout = onErrorText === null ? "inherit" : "ignore";
  const stderr = onErrorText === null ? "inherit" : "pipe";
  return {
    launch(events) {
      let child: ChildProcess;
      try {
        child = spawn(
          process.execPath,
          [KEEP_COMPILED, ...(command.nodeOptions ?? []), command.entry, ...command.args],
          {
            stdio: ["ignore", stdout, stderr, "pipe"],
          },
        );
      } catch (error) {
        // Node throws where the host is out of memory; the supervisor tries again, as after any other end.
        const reason = error instanceof Error ? error.message : String(error);
        setImmediate(() => events.onExit({ code: null, signal: `start failed: ${reason}` }));
        return { pid: 0, send: () => undefined, kill: () => undefined };
      }
      child.stderr?.setEncoding("utf8");
      child.stderr?.on("data", (text: string) => onErrorText?.(text));
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
      };
    },
  };
}
