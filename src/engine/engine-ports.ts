/** What the VRRP engine is given: the kernel's in the keeper, a simulated one in the simulator. */
import type { FromKeeper } from "../core/link/messages.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeyPorts } from "../ports/digest.ts";
import type { FencePort } from "../ports/fence.ts";
import type { FirewallPort } from "../ports/firewall.ts";
import type { AdvertPort, AnnouncePort, ConflictPort, KernelPort } from "../ports/network.ts";
import type { InterfaceSettings, RoutingPort } from "../ports/routing.ts";
import type { VirtualInterfacePort } from "../ports/virtual-interfaces.ts";

export interface EnginePorts {
  readonly pid: number;
  readonly clock: Clock;
  /** For instances with AH or auth_hmac. */
  readonly keys: KeyPorts;
  readonly adverts: AdvertPort;
  readonly kernel: KernelPort;
  readonly announce: AnnouncePort;
  readonly conflicts: ConflictPort;
  readonly routing: RoutingPort;
  readonly settings: InterfaceSettings;
  readonly virtualInterfaces: VirtualInterfacePort;
  readonly firewall: FirewallPort;
  readonly fence: FencePort;
  send(message: FromKeeper): void;
}
