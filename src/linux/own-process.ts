/**
 * Priority, processors and memory of the process itself (sched(7), mlock(2)). Thread by thread where the kernel counts threads;
 * threads made later take after the one that makes them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Micros } from "../core/lib/units.ts";
import type { KernelError } from "../ports/network.ts";
import type { OwnProcess } from "../ports/own-process.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, mlock2, munlockall, schedSetaffinity, schedSetscheduler, setpriority, setrlimit } from "./libc.ts";
import { kernelError } from "./sockets.ts";

const PRIO_PROCESS = 0;
const SCHED_OTHER = 0;
/** SCHED_RR | SCHED_RESET_ON_FORK. */
const SCHED_RR_ALONE = 2 | 0x4000_0000;
const RLIMIT_RTTIME = 15;
const NO_LIMIT = 0xffff_ffff_ffff_ffffn;
/** A cpu_set_t: 1024 processors. */
const CPU_SET_BYTES = 128;

export function createOwnProcess(arena: Arena): OwnProcess {
  return {
    setNice: (nice) => each((thread) => setpriority(PRIO_PROCESS, thread, nice), `set the nice value ${nice}`),
    setRealtime: (priority, limit) => setRealtime(arena, priority, limit),
    setProcessors: (numbers) => setProcessors(arena, numbers),
    lockMemory: (on) => lockMemory(arena, on),
  };
}

/** Threads come and go while we look: one that is gone is no error. */
function each(act: (thread: number) => number, what: string): Result<void, KernelError> {
  let worst = 0;
  for (const name of readdirSync("/proc/self/task")) {
    const result = act(Number(name));
    if (result < 0 && result !== -ERRNO.ESRCH) worst = result;
  }
  return worst < 0 ? err(kernelError(worst, what)) : ok(undefined);
}

function setRealtime(arena: Arena, priority: number | null, limit: Micros): Result<void, KernelError> {
  const offset = arena.allocate(16);
  const policy = priority === null ? SCHED_OTHER : SCHED_RR_ALONE;
  const limited = priority === null ? 0 : setLimit(arena, offset, limit);
  arena.view.setInt32(offset, priority ?? 0, true);
  const result = limited < 0 ? limited : schedSetscheduler(0, policy, arena.at(offset));
  arena.release(offset, 16);
  return result < 0 ? err(kernelError(result, `run with real-time priority ${priority ?? 0}`)) : ok(undefined);
}

/**
 * A loop that never waits for this long is ended by the kernel (SIGXCPU) instead of starving the machine. Only the soft limit is
 * set where that is allowed: a reload may raise it again.
 */
function setLimit(arena: Arena, offset: number, limit: Micros): number {
  arena.view.setBigUint64(offset, BigInt(limit), true);
  arena.view.setBigUint64(offset + 8, NO_LIMIT, true);
  const soft = setrlimit(RLIMIT_RTTIME, arena.at(offset));
  if (soft !== -ERRNO.EPERM) return soft;
  arena.view.setBigUint64(offset + 8, BigInt(limit), true);
  return setrlimit(RLIMIT_RTTIME, arena.at(offset));
}

function setProcessors(arena: Arena, numbers: readonly number[] | null): Result<void, KernelError> {
  const offset = arena.allocate(CPU_SET_BYTES);
  if (numbers === null) arena.bytes.fill(0xff, offset, offset + CPU_SET_BYTES);
  for (const number of numbers ?? []) {
    const at = offset + (number >> 3);
    arena.bytes[at] = (arena.bytes[at] ?? 0) | (1 << (number & 7));
  }
  const what = numbers === null ? "use all processors" : `keep to the processors ${numbers.join(" ")}`;
  const result = each((thread) => schedSetaffinity(thread, CPU_SET_BYTES, arena.at(offset)), what);
  arena.release(offset, CPU_SET_BYTES);
  return result;
}

/** "7f...-7f... r-xp ... PATH": a mapping of a file that nobody writes to. */
const READ_ONLY_FILE = /^([\da-f]+)-([\da-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//;
const MLOCK_ONFAULT = 1;

/**
 * The program, its libraries and the arena, page by page as they are touched. Not mlockall(2): V8 gives pages of its heap back with
 * madvise(MADV_DONTNEED), which the kernel refuses for locked ones, and V8 ends the process for it.
 */
function lockMemory(arena: Arena, on: boolean): Result<void, KernelError> {
  if (!on) {
    const unlocked = munlockall();
    return unlocked < 0 ? err(kernelError(unlocked, "unlock memory")) : ok(undefined);
  }
  const files = readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, from, to] = READ_ONLY_FILE.exec(line) ?? [];
      return from === undefined || to === undefined
        ? []
        : [[Number.parseInt(from, 16), Number.parseInt(to, 16)] as const];
    });
  const own = [arena.at(0), arena.at(arena.bytes.length)] as const;
  for (const [from, to] of [own, ...files]) {
    const result = mlock2(from, to - from, MLOCK_ONFAULT);
    if (result < 0) return err(kernelError(result, "lock memory"));
  }
  return ok(undefined);
}
