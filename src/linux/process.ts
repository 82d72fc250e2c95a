/**
 * What the keeper does to itself: signals it ignores, its name, its memory and its scheduling, its way out. Every function
 * acts on the calling process at once and keeps nothing.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { ignoreSignal, mlockall, prctl, schedSetscheduler, setrlimit } from "./libc.ts";
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

/**
 * Keeps memory from being paged out. Pages count when they are first touched (MCL_ONFAULT): locking all that is mapped would
 * make V8's reservations real.
 */
export function lockMemory(): Result<void, KernelError> {
  const MCL_CURRENT_FUTURE_ONFAULT = 1 | 2 | 4;
  const result = mlockall(MCL_CURRENT_FUTURE_ONFAULT);
  return result < 0
    ? err(kernelError(result, "lock memory (CAP_IPC_LOCK or a higher LimitMEMLOCK is needed)"))
    : ok(undefined);
}

/** SCHED_FIFO for the calling thread alone; threads and children made later do not inherit it. */
export function setRealtime(arena: Arena, priority: number): Result<void, KernelError> {
  const SCHED_FIFO_RESET_ON_FORK = 1 | 0x4000_0000;
  const RLIMIT_RTTIME = 15;
  /** A loop that never sleeps for this long is killed by the kernel instead of starving the machine. */
  const RUNAWAY_MICROS = 10_000_000n;
  const offset = arena.allocate(16);
  arena.view.setBigUint64(offset, RUNAWAY_MICROS, true);
  arena.view.setBigUint64(offset + 8, RUNAWAY_MICROS, true);
  const limited = setrlimit(RLIMIT_RTTIME, arena.at(offset));
  arena.view.setInt32(offset, priority, true);
  const result = limited < 0 ? limited : schedSetscheduler(0, SCHED_FIFO_RESET_ON_FORK, arena.at(offset));
  arena.release(offset, 16);
  return result < 0
    ? err(kernelError(result, `run with real-time priority ${priority} (CAP_SYS_NICE is needed)`))
    : ok(undefined);
}

/** Timers of this thread fire when they are due: the default lets the kernel be 50 microseconds late. */
export function setPreciseTimers(): void {
  const PR_SET_TIMERSLACK = 29;
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}
