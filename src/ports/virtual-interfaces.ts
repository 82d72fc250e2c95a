/**
 * Interfaces that the keeper makes for itself (virtual MAC, ipvlan). All calls are synchronous; what somebody else made under the same
 * name is never touched.
 */
import type { Result } from "../core/lib/result.ts";
import type { VirtualInterface } from "../core/vrrp/virtual-interface.ts";
import type { KernelError } from "./network.ts";

export interface VirtualInterfacePort {
  /** The calls that follow begin with a new reading of what there is, and share it: one for many interfaces. */
  look(): void;
  /**
   * Makes the interface, or finds it as it should be, and brings it up. One of the same name that differs is replaced if it is ours,
   * an error if it is not.
   */
  ensure(wanted: VirtualInterface): Result<"made" | "found", KernelError>;
  /**
   * Removes the interfaces of this process, and those of processes that are dead, unless wanted; settings of a base that has none left
   * are given back. At most so many at once, for each costs milliseconds. Returns the names; fewer than `most`: no other is left.
   */
  removeAllBut(wanted: ReadonlySet<string>, most: number): readonly string[];
  /** disable_local_igmp: the host sends no membership reports for link-local groups; false gives the setting back. */
  silenceLocalReports(silent: boolean): void;
}
