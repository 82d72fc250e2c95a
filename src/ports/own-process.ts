/** What the keeper may do to its own process. Every call acts at once; an error says what is needed for it. */
import type { Result } from "../core/lib/result.ts";
import type { Micros } from "../core/lib/units.ts";
import type { KernelError } from "./network.ts";

export interface OwnProcess {
  /** setpriority(2) for every thread, -20 to 19. */
  setNice(nice: number): Result<void, KernelError>;
  /** SCHED_RR for the calling thread alone, 1 to 99, or ordinary scheduling; children never inherit it. */
  setRealtime(priority: number | null, limit: Micros): Result<void, KernelError>;
  /** sched_setaffinity(2) for every thread; null means all processors. */
  setProcessors(numbers: readonly number[] | null): Result<void, KernelError>;
  /** The program's files and the arena, pages as they are used (mlock2(2)); off unlocks. */
  lockMemory(on: boolean): Result<void, KernelError>;
}
