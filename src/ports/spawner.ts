/**
 * Running the administrator's programs: checks and hooks. A program gets a process group of its own, so that it can be
 * ended together with what it started. Nothing here goes through a shell; the output is read without pause and only
 * the tail of it is kept, so that a program that floods can neither stall itself nor fill our memory.
 */
import type { Command } from "../core/config/model.ts";
import type { Result } from "../core/lib/result.ts";

/** What is kept of each output stream. */
export const OUTPUT_TAIL_BYTES = 65_536;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; absent: none. */
  readonly groups?: readonly number[];
}

/** What a host can run out of. */
export type Shortage = "processes" | "descriptors" | "memory";

/** A command that was looked at and may be run. */
export interface Program {
  /** Path, resolved. */
  readonly file: string;
  readonly args: readonly string[];
  /** Null: run as we are. */
  readonly identity: Identity | null;
}

/** Why a command cannot be run, with what to do about it. */
export interface Unusable {
  readonly reason: string;
  readonly remedy: string;
  /** Set when it is no fault of the command: it may be tried again. */
  readonly shortage?: Shortage;
}

/** The file's rules for scripts: script_user and enable_script_security. */
export interface ScriptPolicy {
  readonly user: string | null;
  readonly group: string | null;
  readonly security: boolean;
  /** set_supplementary_groups. */
  readonly supplementaryGroups: boolean;
  /** use_symlink_paths: run by the path as written. */
  readonly symlinkPaths: boolean;
}

/** What the file's rules are when it gives none. */
export const PLAIN_POLICY: ScriptPolicy = {
  user: null,
  group: null,
  security: false,
  supplementaryGroups: false,
  symlinkPaths: true,
};

export type ProgramEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "spawn-failed"; readonly reason: string; readonly shortage?: Shortage };

export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly pid: number | null;
  /** Sends the signal to the whole process group; harmless when nothing is left of it. */
  signalGroup(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface Spawner {
  /** Finds the file and checks that it can and may be run. Never throws. */
  examine(command: Command, policy: ScriptPolicy): Promise<Result<Program, Unusable>>;
  /** Starts the program; onEnd is called once, later, when it has been reaped. The environment is ours plus `env`. */
  start(
    program: Program,
    env: Readonly<Record<string, string>>,
    onEnd: (end: ProgramEnd, output: ProgramOutput) => void,
  ): RunningProgram;
}
