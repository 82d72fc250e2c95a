/** What the keeper's loop asks of the VRRP engine: the daemon's process and the simulator's drive it by this alone. */
import type { IpAddress } from "../core/lib/ip.ts";
import type { Instant } from "../core/lib/units.ts";
import type { ToKeeper } from "../core/link/messages.ts";
import type { RouteRecord } from "../core/netlink/routes.ts";
import type { RuleRecord } from "../core/netlink/rules.ts";
import type { ReceivedPacket } from "../ports/network.ts";

export interface VrrpEngine {
  handleControl(message: ToKeeper): void;
  handlePacket(packet: ReceivedPacket): void;
  /** Links or addresses changed, or notifications were lost: read both again. */
  handleKernelChange(): void;
  /** Whether a change of this interface, or of this address on it, can matter: hosts of containers change others all the time. */
  concerns(interfaceIndex: number, name: string | null, address: string | null): boolean;
  /** A route or rule of ours was deleted, and not by us. */
  handleRoutingLost(record: RouteRecord | RuleRecord): void;
  /** Notifications about routes were lost: put back what is missing. */
  handleRoutingOverrun(): void;
  /** The kernel says that an address went; ours are recognised, others ignored. */
  handleAddressRemoved(interfaceIndex: number, address: string): void;
  /** Another host speaks ARP for an address; of interest only while a MASTER holds it there. */
  handleConflict(interfaceIndex: number, address: IpAddress, mac: string): void;
  /** Somebody else removed something from the tables of our packet filter rules, or of the fence. */
  handleFirewallTouched(what: "rules" | "fence"): void;
  /** No heartbeat from control for too long: its trackers are unknown, so nothing may be served. */
  controlSilent(silentMillis: number): void;
  controlBack(): void;
  /** Control is gone for good: release without gates. */
  abandon(): void;
  /** Carries out everything that is due, then flushes. */
  wake(): void;
  /** Own adverts that are due, and nothing else: between one batch of packets and the next. */
  sendDue(): void;
  /** A BACKUP's deadline passed so long ago that this process cannot have been running. */
  overslept(now: Instant): boolean;
  nextDeadline(): Instant | null;
  /** Whether the deadline last returned is that of a BACKUP, which will claim then. */
  claimIsNext(): boolean;
  /** The longest advert interval in use, microseconds; 0 without instances. */
  longestInterval(): number;
  /** Every instance has stopped after `stop` or abandon(). */
  readonly finished: boolean;
}
