/**
 * Starts the administrator's programs: own session and process group, no input, output read to the end with only its
 * tail kept, user and group changed where asked (supplementary groups are dropped then), ended by the kernel when we die.
 * What a program leaves running behind it is left alone, as keepalived does; the caller ends groups whose time is up.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { err, ok, type Result } from "../core/lib/result.ts";
import {
  OUTPUT_TAIL_BYTES,
  type Program,
  type ProgramEnd,
  type ProgramOutput,
  type Shortage,
  type Spawner,
} from "../ports/spawner.ts";
import type { Arena } from "./arena.ts";
import { DEATH_SIGNAL_ARGS, STARTER_NAME, starterComplaint } from "./death-signal.ts";
import { openOutputPipe, type TailReader } from "./pipes.ts";
import { examineCommand } from "./script-file.ts";
import { shortageOf } from "./shortage.ts";

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
      const shortage = shortageOf((error as NodeJS.ErrnoException).code);
      const remedy = "check the path and its permissions";
      return {
        ok: false,
        error: shortage === null ? { reason, remedy } : { reason, remedy: OUT_OF[shortage], shortage },
      };
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
  const { arena } = context;
  const stdout = openOutputPipe(arena, program.identity, OUTPUT_TAIL_BYTES);
  if (!stdout.ok) return refused(stdout.error, "", onEnd);
  const stderr = openOutputPipe(arena, program.identity, OUTPUT_TAIL_BYTES);
  if (!stderr.ok) {
    stdout.value.closeWriteEnd();
    stdout.value.tail.destroy();
    return refused(stderr.error, "", onEnd);
  }
  const ends = [stdout.value.writeEnd, stderr.value.writeEnd] as const;
  const tails = { stdout: stdout.value.tail, stderr: stderr.value.tail };
  const launched = launch(context, program, ends);
  stdout.value.closeWriteEnd();
  stderr.value.closeWriteEnd();
  if (!launched.ok) {
    tails.stdout.destroy();
    tails.stderr.destroy();
    return refused(launched.error.code ?? "", launched.error.message, onEnd);
  }
  watch(context, launched.value, tails, onEnd);
  return runningOf(launched.value.pid ?? null);
}

/** Node reports most failures by an event, but throws for some: ENOMEM. */
function launch(
  { env, setpriv }: Context,
  program: Program,
  ends: readonly [number, number],
): Result<ChildProcess, NodeJS.ErrnoException> {
  const { identity } = program;
  const groups = identity?.groups ?? [];
  // libuv drops the supplementary groups; only setpriv can give them.
  const bySetpriv = identity !== null && groups.length > 0;
  if (bySetpriv && setpriv === null) {
    return err(new Error("set_supplementary_groups needs setpriv; install util-linux and restart"));
  }
  const owner = bySetpriv ? [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, `--groups=${groups.join(",")}`] : [];
  const [file, args] =
    setpriv === null
      ? [program.file, program.args]
      : [setpriv, [...owner, ...DEATH_SIGNAL_ARGS, program.file, ...program.args]];
  try {
    const child = spawn(file, args, {
      detached: true,
      ...(setpriv === null ? {} : { argv0: STARTER_NAME }),
      env: { ...process.env, ...env },
      stdio: ["ignore", ...ends],
      ...(identity === null || bySetpriv ? {} : { uid: identity.uid, gid: identity.gid }),
    });
    return ok(child);
  } catch (error) {
    return err(error as NodeJS.ErrnoException);
  }
}

/** Nothing was started; the end is reported later, as always. */
function refused(code: string, text: string, onEnd: OnEnd): ReturnType<Spawner["start"]> {
  setImmediate(() => onEnd(spawnFailed(code, text), { stdout: "", stderr: "" }));
  return runningOf(null);
}

function runningOf(pid: number | null): ReturnType<Spawner["start"]> {
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
    else onEnd(spawnFailed(complaint.code, complaint.text), { stdout: "", stderr: "" });
  };
  child.on("error", (error: NodeJS.ErrnoException) => {
    const lost = error.code === "ENOENT" && setpriv !== null;
    report(
      lost
        ? spawnFailed("", `${setpriv} is gone; install it and restart`)
        : spawnFailed(error.code ?? "", error.message),
    );
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

const OUT_OF: Readonly<Record<Shortage, string>> = {
  processes: "raise the limit of processes",
  descriptors: "raise the limit of open files",
  memory: "free memory",
};

function spawnFailed(code: string, text: string): ProgramEnd {
  const shortage = shortageOf(code);
  if (shortage === null) return { kind: "spawn-failed", reason: spawnReason(code, text) };
  return { kind: "spawn-failed", reason: `the host is out of ${shortage} (${code}); ${OUT_OF[shortage]}`, shortage };
}

function spawnReason(code: string, text: string): string {
  switch (code) {
    // The file was there a moment ago: it is the interpreter of its first line that is missing.
    case "ENOENT":
      return "the interpreter named in its first line does not exist; install it or correct the line";
    case "EACCES":
      return "permission denied; check the permissions of its folders and of its interpreter";
    case "ENOEXEC":
      return "it has no #! line, or is built for another machine; begin it with #!/bin/sh";
    default:
      return text;
  }
}
