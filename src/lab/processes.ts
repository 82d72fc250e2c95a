/**
 * Child processes as the lab sees them: lines with the time they arrived, an exit that can be awaited, and the
 * translation between a process id inside a pid namespace and the one outside.
 * It starts and signals single processes by id; it knows nothing of hosts or networks.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";

/** ip, keepalived and mariadbd live in sbin, which an ordinary user's PATH often lacks. */
export const LAB_PATH = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

export interface ExecResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OutputLine {
  /** Milliseconds, `performance.now()` of the observing process. */
  readonly at: number;
  readonly text: string;
}

export interface ExecOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. Never goes through a shell. */
export function execute(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? "", args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, PATH: LAB_PATH, ...options.env },
      timeout: options.timeoutMs ?? 20_000,
      killSignal: "SIGKILL",
    });
    const out: Buffer[] = [];
    const problems: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => out.push(data));
    child.stderr.on("data", (data: Buffer) => problems.push(data));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(problems).toString() });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** As `execute`, but anything but exit code 0 is an error that quotes what the program said. */
export async function executeOrThrow(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
  const result = await execute(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr || result.stdout).trim();
  throw new Error(`"${argv.join(" ")}" ended with ${result.code ?? "a signal"}: ${said}`);
}

/** A program that keeps running: its lines, its process id, its end. */
export class RunningProgram {
  readonly lines: OutputLine[] = [];
  readonly exited: Promise<number | null>;
  exitCode: number | null | undefined;
  readonly #child: ChildProcess;
  readonly #entered: boolean;
  readonly #listeners = new Set<(line: OutputLine) => void>();

  /** `entered` says that the started program is an nsenter whose only child is the program meant. */
  constructor(
    argv: readonly string[],
    options: {
      readonly entered: boolean;
      readonly ownSession?: boolean;
      readonly env?: Readonly<Record<string, string>>;
    },
  ) {
    const [program, ...args] = argv;
    this.#entered = options.entered;
    this.#child = spawn(program ?? "", args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, PATH: LAB_PATH, ...options.env },
      detached: options.ownSession === true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (text) => this.#take(text));
    }
    this.#child.stdin?.on("error", () => undefined);
    this.exited = new Promise((resolve) => {
      this.#child.on("error", (error) => this.#take(`cannot start: ${error.message}`));
      this.#child.on("close", (code) => {
        this.exitCode = code;
        resolve(code);
      });
    });
  }

  #take(text: string): void {
    const line = { at: performance.now(), text };
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }

  get running(): boolean {
    return this.exitCode === undefined;
  }

  get text(): string {
    return this.lines.map((line) => line.text).join("\n");
  }

  onLine(listener: (line: OutputLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Lets this process end while the program goes on. */
  detach(): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#child.unref();
  }

  /** The program's process id in the namespace of the caller. */
  async pid(): Promise<number> {
    const own = this.#child.pid;
    if (own === undefined) throw new Error("the program did not start");
    if (!this.#entered) return own;
    return await until(() => childrenOf(own)[0], "nsenter has a child", 5_000);
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    process.kill(await this.pid(), name);
    // nsenter stops itself when its child is stopped.
    if (name === "SIGCONT" && this.#entered && this.#child.pid !== undefined) process.kill(this.#child.pid, name);
  }

  /** The first line that matches, seen already or yet to come. */
  async line(pattern: RegExp, options: { readonly timeoutMs: number; readonly since?: number }): Promise<OutputLine> {
    const since = options.since ?? Number.NEGATIVE_INFINITY;
    const find = () => this.lines.find((line) => line.at >= since && pattern.test(line.text));
    try {
      return await until(find, `a line like ${pattern}`, options.timeoutMs);
    } catch (error) {
      throw new Error(
        `${String(error)}; the program said:\n${this.lines
          .slice(-30)
          .map((l) => l.text)
          .join("\n")}`,
      );
    }
  }
}

/** Asks again every few milliseconds until there is an answer. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs: number,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(10);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

/** The process itself, then everything below it. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap((child) => processTree(child))];
}

/** A process id alone may be reused; together with its start time it names one process. */
export function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Finds a process of a pid namespace by the id it has inside. */
export function outsidePid(namespacePid: number, insidePid: number): number | null {
  const wanted = pidNamespaceOf(namespacePid);
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || pidNamespaceOf(Number(name)) !== wanted) continue;
    if (insidePids(Number(name)).at(-1) === insidePid) return Number(name);
  }
  return null;
}

/** The ids of one process, from the caller's pid namespace inwards to its own. */
export function insidePids(pid: number): readonly number[] {
  const ids = /^NSpid:\s+(.*)$/m.exec(readTextOrEmpty(`/proc/${pid}/status`))?.[1];
  return ids === undefined ? [] : ids.trim().split(/\s+/).map(Number);
}

function pidNamespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function readTextOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
