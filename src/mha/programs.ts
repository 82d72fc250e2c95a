/**
 * Runs the administrator's scripts and the ssh client: words, never a shell; output is collected, or handed to the log line by line. A
 * program that takes too long is ended with its whole process group.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { MhaLog } from "./log.ts";

export interface ProgramResult {
  /** Null: ended by a signal, or not started. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Why it did not start or was ended; null otherwise. */
  readonly problem: string | null;
}

export interface RunOptions {
  readonly timeoutMillis?: number;
  /** Standard input. */
  readonly input?: Readable | string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
  const [file = "", ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    const out: Buffer[] = [];
    const said: Buffer[] = [];
    let problem: string | null = null;
    const end = (why: string): void => {
      problem ??= why;
      killGroup(child);
    };
    const limit = options.timeoutMillis;
    const timer =
      limit === undefined ? null : setTimeout(() => end(`took longer than ${limit} ms and was ended`), limit);
    const abort = (): void => end("the command was asked to end");
    options.signal?.addEventListener("abort", abort);
    child.stdout.on("data", (data: Buffer) => out.push(data));
    child.stderr.on("data", (data: Buffer) => said.push(data));
    child.stdin.on("error", () => undefined);
    if (options.input === undefined) child.stdin.end();
    else if (typeof options.input === "string") child.stdin.end(options.input);
    else options.input.pipe(child.stdin);
    const finish = (code: number | null): void => {
      if (timer !== null) clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(said).toString(), problem });
    };
    child.on("error", (error) => {
      problem ??= `${file} cannot be started: ${error.message}`;
      finish(null);
    });
    child.on("close", (code) => finish(code));
    child.on("exit", (code) => {
      // Its output may be held by somebody else for ever: an ssh client hands it to the process that keeps the login.
      if (problem !== null) finish(code);
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Runs a script and shows what it prints. */
export async function runScript(
  argv: readonly string[],
  log: MhaLog,
  options: RunOptions = {},
): Promise<ProgramResult> {
  const result = await runProgram(argv, options);
  const text = `${result.stdout.toString()}${result.stderr}`.trimEnd();
  if (text !== "") log.lines(text.split("\n").map((line) => `  ${line}`));
  if (result.problem !== null) log.error(`  ${result.problem}`);
  return result;
}

/** "0:0", code and signal, as MHA shows the end of a program. */
export const endInWords = ({ code, problem }: ProgramResult): string =>
  code === null ? `0:9 (${problem ?? "signal"})` : `${code}:0`;
