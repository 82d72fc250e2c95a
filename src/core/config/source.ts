/**
 * What the configuration language asks of the outside world. The language itself stays pure: the daemon gives it real
 * files (linux/config-source.ts), tests give it a map.
 */
import type { Result } from "../lib/result.ts";

export interface FileStatus {
  readonly kind: "file" | "directory" | "other";
  /** Permission bits, 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What lint wants to know of a script: itself after symbolic links, and each directory above it. */
export interface ScriptStatus {
  readonly path: string;
  readonly file: FileStatus | null;
  /** First thing on the way to the script, itself included, that someone but root may write; null when none. */
  readonly writableByOthers: string | null;
}

export interface ConfigSource {
  /** The text of a file; the error is a symbolic errno such as "ENOENT". */
  readFile(path: string): Result<string, string>;
  /** Absolute paths that match, sorted; braces, `*`, `?` and `[...]` as glob(7). Relative patterns start at directory. */
  glob(pattern: string, directory: string): readonly string[];
  /** Null when the path is not there. A name without a slash is looked up in PATH. */
  script(path: string): ScriptStatus;
  /** Value of an environment variable. */
  env(name: string): string | null;
  /** Node name as uname(2) gives it. */
  readonly hostname: string;
  readonly workingDirectory: string;
  /** A whole number from min to max, both included. */
  random(min: number, max: number): number;
  /** Whether the network interface exists now; null when that cannot be told. */
  hasInterface(name: string): boolean | null;
  /** The network interfaces that exist now, for "did you mean"; none when that cannot be told. */
  interfaces?(): readonly string[];
  /** Whether the user or group exists; null when that cannot be told. */
  hasUser(name: string): boolean | null;
  hasGroup(name: string): boolean | null;
  /** Whether the processor of that number is there and online; null when that cannot be told. */
  hasProcessor(number: number): boolean | null;
}

/** What is asked of the outside world for a key that stands in a file. */
export type KeySource = Pick<ConfigSource, "readFile" | "script">;
