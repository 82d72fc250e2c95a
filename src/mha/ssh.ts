/**
 * The ssh client towards database hosts. Towards the master one login is kept while it is monitored, so that looking at its disk after its
 * server's death costs no login. Commands for the other side are quoted word by word.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { MhaServer } from "../core/mha/config.ts";
import { sshCheckOptions } from "../core/mha/scripts.ts";
import { type ProgramResult, type RunOptions, runProgram } from "./programs.ts";

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "root";
  }
}

/** One word for the shell of the other side. */
export const remoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The words that run a command on the server's host. */
export function sshWords(
  { ssh, ...server }: MhaServer,
  command: readonly string[],
  control: readonly string[] = [],
): readonly string[] {
  const place = `${ssh.user ?? userName()}@${ssh.ip ?? ssh.host}`;
  const options = sshCheckOptions({ ssh, ...server });
  return ["ssh", ...control, ...options, "-p", String(ssh.port), place, "--", ...command.map(remoteWord)];
}

export const onHost = (
  server: MhaServer,
  command: readonly string[],
  options: RunOptions = {},
): Promise<ProgramResult> => runProgram(sshWords(server, command), options);

/** For scripts of several statements; every value is an argument of its own. */
export const shellOnHost = (
  server: MhaServer,
  script: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramResult> => onHost(server, ["sh", "-c", script, "sh", ...args], options);

export class MasterShell {
  readonly #server: MhaServer;
  #directory: string | null = null;
  #works: boolean | null = null;

  constructor(server: MhaServer) {
    this.#server = server;
  }

  /** Logs in and keeps the login. */
  async open(): Promise<boolean> {
    this.#directory ??= mkdtempSync(join(tmpdir(), "mha-"));
    // Ends by itself some time after this process has.
    const kept = ["-o", "ControlMaster=auto", "-o", "ControlPersist=600", "-o", `ControlPath=${this.#path()}`];
    const result = await runProgram(sshWords(this.#server, ["true"], kept), { timeoutMillis: this.#millis() });
    this.#works = result.code === 0;
    return this.#works;
  }

  /** It has never answered. */
  get isUseless(): boolean {
    return this.#works === false;
  }

  #path(): string {
    return join(this.#directory ?? tmpdir(), "s");
  }

  #millis(): number {
    return this.#server.ssh.timeout * 1000;
  }

  /** Whether the host answers now. A host that never did is not asked again. */
  async reachable(): Promise<boolean> {
    if (this.#works === false) return false;
    const result = await this.run(["true"], { timeoutMillis: this.#millis() });
    return result.code === 0;
  }

  run(command: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    return runProgram(this.words(command), options);
  }

  /** What runs a command over there. */
  words(command: readonly string[]): readonly string[] {
    return sshWords(this.#server, command, this.#directory === null ? [] : ["-o", `ControlPath=${this.#path()}`]);
  }

  async close(): Promise<void> {
    if (this.#directory === null) return;
    const [program = "", ...rest] = sshWords(this.#server, [], ["-O", "exit", "-o", `ControlPath=${this.#path()}`]);
    await runProgram([program, ...rest.slice(0, -1)], { timeoutMillis: 2_000 });
    rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }
}
