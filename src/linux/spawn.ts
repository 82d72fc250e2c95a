/**
 * Starts the administrator's programs: own session and process group, no input, output read to the end with only its
 * tail kept, user and group changed where asked (supplementary groups are dropped then), ended by the kernel when we die.
 * What a program leaves running behind it is left alone, as keepalived does; the caller ends groups whose time is up.
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
import { DEATH_SIGNAL_ARGS, STARTER_NAME, starterComplaint } from "./death-signal.ts";
import { openOutputPipe, type TailReader } from "./pipes.ts";
import { examineCommand } from "./script-file.ts";

/** How long the last words of a program that has ended may take; longer only if something else holds its output. */
const LAST_WORDS_MILLIS = 100;
/** Pipes held by what programs left behind; beyond this the oldest is closed. */
const LINGERING_MAX = 64;

type OnEnd = (end: ProgramEnd, output: ProgramOutput) => void;

/** `setpriv` is what findSetpriv() has found; with null programs may outlive us. */
export function createSpawner(arena: Arena, setpriv: string | null): Spawner {
  const lingering = new Set<TailReader>();
  return {
    examine: createExaminer(),
    start: (program, env, onEnd) => start({ arena, lingering, env, setpriv }, program, onEnd),
  };
}

/**
 * A file on a dead file system holds one of Node's four worker threads for as long as it is looked at. So nobody looks at
 * the same file twice at once: whoever asks meanwhile gets the same answer.
 */
function createExaminer(): Spawner["examine"] {
  const looking = new Map<string, ReturnType<Spawner["examine"]>>();
  const look: Spawner["examine"] = async (command, policy) => {
    try {
      return await examineCommand(command, policy);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, error: { reason, remedy: "check the path and its permissions" } };
    }
  };
  return async (command, policy) => {
    const [name = "", ...args] = command.argv;
    const key = JSON.stringify([name, command.user, command.group, policy]);
    const pending = looking.get(key) ?? look({ ...command, argv: [name] }, policy);
    looking.set(key, pending);
    const examined = await pending;
    looking.delete(key);
    return examined.ok ? { ok: true, value: { ...examined.value, args: [...examined.value.args, ...args] } } : examined;
  };
}

interface Context {
  readonly arena: Arena;
  readonly setpriv: string | null;
  readonly lingering: Set<TailReader>;
  readonly env: Readonly<Record<string, string>>;
}

function start(context: Context, program: Program, onEnd: OnEnd): ReturnType<Spawner["start"]> {
  const { arena, env, setpriv } = context;
  const { identity } = program;
  const stdout = openOutputPipe(arena, identity, OUTPUT_TAIL_BYTES);
  const stderr = openOutputPipe(arena, identity, OUTPUT_TAIL_BYTES);
  const [file, args] =
    setpriv === null ? [program.file, program.args] : [setpriv, [...DEATH_SIGNAL_ARGS, program.file, ...program.args]];
  const child = spawn(file, args, {
    detached: true,
    ...(setpriv === null ? {} : { argv0: STARTER_NAME }),
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

function watch({ lingering, setpriv }: Context, child: ChildProcess, tails: Tails, onEnd: OnEnd): void {
  let reported = false;
  const both = [tails.stdout, tails.stderr];
  const report = (end: ProgramEnd): void => {
    if (reported) return;
    reported = true;
    const output = { stdout: tails.stdout.text(), stderr: tails.stderr.text() };
    for (const tail of both) if (!tail.ended) linger(lingering, tail);
    const complaint = setpriv === null || end.kind !== "exit" ? null : starterComplaint(end.code, output.stderr);
    if (complaint === null) onEnd(end, output);
    else
      onEnd({ kind: "spawn-failed", reason: spawnReason(complaint.code, complaint.text) }, { stdout: "", stderr: "" });
  };
  child.on("error", (error: NodeJS.ErrnoException) => {
    const lost = error.code === "ENOENT" && setpriv !== null;
    const reason = lost ? `${setpriv} is gone; install it and restart` : spawnReason(error.code ?? "", error.message);
    report({ kind: "spawn-failed", reason });
  });
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

function spawnReason(code: string, text: string): string {
  switch (code) {
    // The file was there a moment ago: it is the interpreter of its first line that is missing.
    case "ENOENT":
      return "the interpreter named in its first line does not exist; install it or correct the line";
    case "EACCES":
      return "permission denied; check the permissions of its folders and of its interpreter";
    case "EAGAIN":
      return "no more processes can be started (EAGAIN); raise the limit of processes";
    default:
      return text;
  }
}
