/**
 * vrrp_track_process: which processes match, and whether there are enough of them. Pure: the process engine says what runs and
 * when time has passed.
 */
import { after, type Instant, type Micros } from "../lib/units.ts";

export interface ProcessPattern {
  /** The command and its parameters, as the file gives them. */
  readonly argv: readonly string[];
  /** Null: all parameters, exactly. */
  readonly paramMatch: "initial" | "partial" | null;
  readonly fullCommand: boolean;
}

/** What /proc says of a process; kernel threads have no command line. */
export interface ProcessFacts {
  readonly comm: string;
  readonly argv: readonly string[];
}

/** TASK_COMM_LEN without its final zero. */
const COMM_LENGTH = 15;

export function comparesCommandLine({ argv, paramMatch, fullCommand }: ProcessPattern): boolean {
  return fullCommand || paramMatch !== null || argv.length > 1;
}

export function matchesProcess(pattern: ProcessPattern, { comm, argv }: ProcessFacts): boolean {
  const [command = "", ...params] = pattern.argv;
  if (!comparesCommandLine(pattern)) return comm === command.slice(0, COMM_LENGTH);
  const [program = "", ...given] = argv;
  if (program !== command) return false;
  return matchesParams(params, given, pattern.paramMatch);
}

function matchesParams(
  wanted: readonly string[],
  given: readonly string[],
  how: ProcessPattern["paramMatch"],
): boolean {
  // "To specify that a command must have no parameters, specify param_match and no parameters" (keepalived.conf(5)).
  if (how === null || wanted.length === 0)
    return given.length === wanted.length && wanted.every((word, at) => word === given[at]);
  if (given.length < wanted.length) return false;
  const last = wanted.length - 1;
  return wanted.every((word, at) =>
    how === "initial" && at === last ? given[at]?.startsWith(word) === true : word === given[at],
  );
}

export interface Quorum {
  readonly least: number;
  /** Null: no limit. */
  readonly most: number | null;
  readonly forkDelay: Micros;
  readonly terminateDelay: Micros;
}

export interface ProcessCount {
  readonly count: number;
  /** What counts, after the delays; null before the first count. */
  readonly fulfilled: boolean | null;
  /** When what is true now begins to count; null when it counts already. */
  readonly changesAt: Instant | null;
}

export const UNCOUNTED: ProcessCount = { count: 0, fulfilled: null, changesAt: null };

/** So many run now: what that means at once, and what it will mean later unless it changes back. The first count means it at once. */
export function countProcesses(quorum: Quorum, before: ProcessCount, count: number, now: Instant): ProcessCount {
  const fulfilled = count >= quorum.least && (quorum.most === null || count <= quorum.most);
  if (before.fulfilled === null || fulfilled === before.fulfilled) {
    return { count, fulfilled: before.fulfilled ?? fulfilled, changesAt: null };
  }
  if (before.changesAt !== null) {
    return now >= before.changesAt ? { count, fulfilled, changesAt: null } : { ...before, count };
  }
  const delay = count > before.count ? quorum.forkDelay : quorum.terminateDelay;
  return delay === 0 ? { count, fulfilled, changesAt: null } : { ...before, count, changesAt: after(now, delay) };
}
