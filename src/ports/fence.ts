/** The fence of `fence strict` (core/nftables/fence.ts). Synchronous; each change is one transaction of the kernel. */
import type { FenceEntry } from "../core/nftables/fence.ts";
import type { KernelError } from "./network.ts";

export interface FencePort {
  /**
   * These addresses stand behind the fence now and no others. Those that stood there before keep the time they have, unless everything is
   * made `afresh`, with the times given. None removes the tables.
   */
  set(entries: readonly FenceEntry[], afresh: boolean): KernelError | null;
  /** The times of addresses behind the fence begin anew; an error, and nothing changed, when one of them has closed or is not there. */
  renew(entries: readonly FenceEntry[]): KernelError | null;
  /** Removes the tables of this process and of dead ones; returns the names. */
  sweep(): readonly string[];
}
