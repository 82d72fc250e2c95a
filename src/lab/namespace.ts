/**
 * A sandbox: private network, mount and pid namespaces that belong to one run. Whatever runs inside dies with it,
 * also when this process is killed, and no name in it can collide with another run or with the machine.
 * An ordinary user gets a user namespace around it, where the kernel allows that; root needs none.
 * Nothing here touches the machine's own namespaces, /run or /etc.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import {
  childrenOf,
  type ExecOptions,
  type ExecResult,
  execute,
  LAB_PATH,
  RunningProgram,
  until,
} from "./processes.ts";

/** A process whose namespaces can be entered. */
export interface NamespaceTarget {
  /** As seen from outside. */
  readonly pid: number;
  /** A user namespace of its own surrounds it. */
  readonly userNamespace: boolean;
}

// Bash as process 1 reaps orphans even while it waits; a sleep or a dash would leave zombies behind, and keepalived
// refuses to start over a zombie named in its pid file.
const PRELUDE = `
  mount --make-rprivate / || exit 1
  mount -t tmpfs tmpfs /run || exit 1
  ip link set lo up || exit 1
  echo ready`;
/** The end of a script of process 1 that stays until it is killed. */
export const REAP_FOR_EVER = 'while :; do sleep 86400 & wait "$!"; done';
const UNTIL_STDIN_CLOSES = `${PRELUDE}\nwhile read -r _; do :; done`;
const FOR_EVER = `${PRELUDE}\n${REAP_FOR_EVER}`;

export function needsUserNamespace(): boolean {
  return process.getuid?.() !== 0;
}

export class Sandbox implements NamespaceTarget {
  readonly pid: number;
  readonly userNamespace: boolean;
  readonly #close: () => Promise<void>;

  private constructor(pid: number, userNamespace: boolean, close: () => Promise<void>) {
    this.pid = pid;
    this.userNamespace = userNamespace;
    this.#close = close;
  }

  /** `background`: survives the end of this process; the caller keeps `pid` and ends it with `endSandbox`. */
  static async create(options: { readonly background?: boolean } = {}): Promise<Sandbox> {
    const background = options.background === true;
    const userNamespace = needsUserNamespace();
    const flags = [userNamespace ? "-Urmnu" : "-mnu", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];
    const child = spawn("unshare", [...flags, "bash", "-c", background ? FOR_EVER : UNTIL_STDIN_CLOSES], {
      stdio: [background ? "ignore" : "pipe", "pipe", "pipe"],
      env: { ...process.env, PATH: LAB_PATH },
      detached: background,
    });
    const problems: string[] = [];
    child.stderr?.on("data", (data: Buffer) => problems.push(data.toString()));
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    const ready = new Promise<boolean>((resolve) => {
      if (child.stdout !== null) createInterface({ input: child.stdout }).once("line", () => resolve(true));
      child.on("error", (error) => {
        problems.push(error.message);
        resolve(false);
      });
      child.on("close", () => resolve(false));
    });
    if (!(await ready) || child.pid === undefined) {
      throw new Error(`cannot make private namespaces: ${problems.join("").trim() || "unshare failed"}`);
    }
    const unsharePid = child.pid;
    const pid = await until(() => childrenOf(unsharePid)[0], "unshare has a child", 5_000);
    if (background) {
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    }
    return new Sandbox(pid, userNamespace, async () => {
      child.stdin?.end();
      endSandbox(pid);
      if (!background) await ended;
    });
  }

  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return execute(enterArgv(this, argv), options);
  }

  /** Kills everything inside and waits for the end. Safe to call twice. */
  destroy(): Promise<void> {
    return this.#close();
  }
}

/** Ends a sandbox by its process 1: the kernel kills the rest of the pid namespace. */
export function endSandbox(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** The command line that runs a program in the target's user, mount, network, UTS and pid namespaces. */
export function enterArgv(target: NamespaceTarget, argv: readonly string[]): readonly string[] {
  const user = target.userNamespace ? ["-U", "--preserve-credentials"] : [];
  return ["nsenter", "-t", String(target.pid), ...user, "-m", "-n", "-u", "-p", "--", ...argv];
}

export function spawnInside(
  target: NamespaceTarget,
  argv: readonly string[],
  env?: Readonly<Record<string, string>>,
): RunningProgram {
  return new RunningProgram(enterArgv(target, argv), { entered: true, ...(env === undefined ? {} : { env }) });
}

/** Null when private namespaces can be made here, else the reason in words. */
export async function namespacesUnavailable(): Promise<string | null> {
  try {
    const sandbox = await Sandbox.create();
    await sandbox.destroy();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
