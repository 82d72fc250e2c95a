/** The packet filter as far as virtual routers need it. Synchronous; each change is one transaction of the kernel. */
import type { FirewallNeeds, FirewallSettings } from "../core/nftables/ruleset.ts";
import type { KernelError } from "./network.ts";

export interface FirewallPort {
  /**
   * Makes the rules what is needed now: only the difference where that is enough, everything anew with `afresh` (after somebody
   * removed some). Nothing needed removes the tables.
   */
  apply(settings: FirewallSettings, needs: FirewallNeeds, afresh: boolean): KernelError | null;
  /** Removes the tables of this process and of dead ones; returns the names. */
  sweep(): readonly string[];
}
