/**
 * What the keeper does to itself whatever the file says: signals it ignores, its name, its timers, its way out. Every
 * function acts on the calling process at once and keeps nothing. What the file may ask for is own-process.ts.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ignoreSignal, prctl, setrlimit } from "./libc.ts";
import { kernelError } from "./sockets.ts";

export { exitNow } from "./libc.ts";

/**
 * HUP, INT, USR1, USR2, PIPE, TERM, and the real-time signals of keepalived's reload and dumps. In a blocking call no
 * JavaScript handler would run, and a mask in one thread would leave the others to be killed.
 */
const IGNORED_SIGNALS: readonly number[] = [1, 2, 10, 12, 13, 15, 36, 63, 64];

/** Orders come by the socket pair alone; control is who listens to signals. */
export function ignoreControlSignals(): void {
  for (const signal of IGNORED_SIGNALS) ignoreSignal(signal);
}

/** keepalived's JSON dump, statistics and thread dump: unhandled they would end the process, and a child of it as well. */
export function ignoreRealtimeSignals(): void {
  for (const signal of [36, 63, 64]) ignoreSignal(signal);
}

const PR_SET_NAME = 15;
/** The kernel keeps 15 characters and a zero. */
const NAME_BYTES = 16;

/** The name that ps(1) shows for the main thread. */
export function setProcessName(arena: Arena, name: string): void {
  const offset = arena.allocate(NAME_BYTES);
  arena.bytes.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1), offset);
  prctl(PR_SET_NAME, arena.at(offset), 0, 0, 0);
  arena.release(offset, NAME_BYTES);
}

/** -m: core files of any size, also of the children made later (RLIMIT_CORE). */
export function allowCoreDumps(arena: Arena): Result<void, KernelError> {
  const RLIMIT_CORE = 4;
  const offset = arena.allocate(16);
  arena.bytes.fill(0xff, offset, offset + 16);
  const result = setrlimit(RLIMIT_CORE, arena.at(offset));
  arena.release(offset, 16);
  return result < 0 ? err(kernelError(result, "allow core files (CAP_SYS_RESOURCE is needed)")) : ok(undefined);
}

/** Timers of this thread fire when they are due: the default lets the kernel be 50 microseconds late. */
export function setPreciseTimers(): void {
  const PR_SET_TIMERSLACK = 29;
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

/** Whether a process of this number exists, whoever it belongs to (kill(2) with signal 0). */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
