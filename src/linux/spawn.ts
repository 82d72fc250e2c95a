/**
 * Starts the administrator's programs: own session and process group, no input, output read to the end with only its
 * tail kept, user and group changed where asked (supplementary groups are dropped then). What a program leaves running
 * behind it is left alone, as keepalived does; the caller ends groups whose time is up.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  OUTPUT_TAIL_BYTES,
  type Program,
  type ProgramEnd,
  type ProgramOutput,
  type Spawner,
} from "../ports/spawner.ts";
import type { Arena } from "./arena.ts";
import { openOutputPipe, type TailReader } from "./pipes.ts";
import { examineCommand } from "./script-file.ts";

/** How long the last words of a program that has ended may take; longer only if something else holds its output. */
const LAST_WORDS_MILLIS = 100;
/** Pipes held by what programs left behind; beyond this the oldest is closed. */
const LINGERING_MAX = 64;

type OnEnd = (end: ProgramEnd, output: ProgramOutput) => void;

export function createSpawner(arena: Arena): Spawner {
  const lingering = new Set<TailReader>();
  return {
    examine: async (command, policy) => {
      try {
        return await examineCommand(command, policy);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { ok: false, error: { reason, remedy: "check the path and its permissions" } };
      }
    },
    start: (program, env, onEnd) => start({ arena, lingering, env }, program, onEnd),
  };
}

interface Context {
  readonly arena: Arena;
  readonly lingering: Set<TailReader>;
  readonly env: Readonly<Record<string, string>>;
}

function start(context: Context, program: Program, onEnd: OnEnd): ReturnType<Spawner["start"]> {
  const { arena, env } = context;
  const { identity } = program;
  const stdout = openOutputPipe(arena, identity, OUTPUT_TAIL_BYTES);
  const stderr = openOutputPipe(arena, identity, OUTPUT_TAIL_BYTES);
  const child = spawn(program.file, program.args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", stdout.writeEnd, stderr.writeEnd],
    ...(identity ?? {}),
  });
  stdout.closeWriteEnd();
  stderr.closeWriteEnd();
  watch(context, child, { stdout: stdout.tail, stderr: stderr.tail }, onEnd);
  const pid = child.pid ?? null;
  return {
    pid,
    signalGroup(signal) {
      if (pid === null) return;
      try {
        process.kill(-pid, signal);
      } catch {
        // ESRCH: nothing is left of the group.
      }
    },
  };
}

interface Tails {
  readonly stdout: TailReader;
  readonly stderr: TailReader;
}

function watch({ lingering }: Context, child: ChildProcess, tails: Tails, onEnd: OnEnd): void {
  let reported = false;
  const both = [tails.stdout, tails.stderr];
  const report = (end: ProgramEnd): void => {
    if (reported) return;
    reported = true;
    const output = { stdout: tails.stdout.text(), stderr: tails.stderr.text() };
    for (const tail of both) if (!tail.ended) linger(lingering, tail);
    onEnd(end, output);
  };
  child.on("error", (error: NodeJS.ErrnoException) => report({ kind: "spawn-failed", reason: spawnReason(error) }));
  child.on("exit", (code, signal) => {
    const end: ProgramEnd = signal === null ? { kind: "exit", code: code ?? 0 } : { kind: "signal", signal };
    if (both.every((tail) => tail.ended)) return report(end);
    const limit = setTimeout(() => report(end), LAST_WORDS_MILLIS);
    for (const tail of both) {
      tail.onEnd(() => {
        if (!both.every((one) => one.ended)) return;
        clearTimeout(limit);
        report(end);
      });
    }
  });
}

function linger(lingering: Set<TailReader>, tail: TailReader): void {
  tail.discard();
  lingering.add(tail);
  tail.onEnd(() => lingering.delete(tail));
  const [oldest] = lingering;
  if (lingering.size <= LINGERING_MAX || oldest === undefined) return;
  lingering.delete(oldest);
  oldest.destroy();
}

function spawnReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    // The file was there a moment ago: it is the interpreter of its first line that is missing.
    case "ENOENT":
      return "the interpreter named in its first line does not exist; install it or correct the line";
    case "EACCES":
      return "permission denied; check the permissions of its folders and of its interpreter";
    case "EAGAIN":
      return "no more processes can be started (EAGAIN); raise the limit of processes";
    default:
      return error.message;
  }
}
