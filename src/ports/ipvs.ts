/**
 * The kernel's IPVS table as the LVS engine uses it. Synchronous: the kernel answers before a request returns. A kernel without IPVS is an
 * ordinary answer (`info` fails), and may change while the daemon runs: modules are loaded and unloaded.
 */

import type { Result } from "../core/lib/result.ts";
import type { ServiceKey } from "../core/lvs/config.ts";
import type {
  DestinationRecord,
  IpvsInfo,
  IpvsOrder,
  IpvsTimeouts,
  ServiceRecord,
  SyncDaemon,
} from "../core/lvs/ipvs/model.ts";
import type { KernelError } from "./network.ts";

export interface IpvsPort {
  /** Fails with ENOENT where the kernel has no IPVS. */
  info(): Result<IpvsInfo, KernelError>;
  /** One after the other, in batches; an outcome per order, null where it was carried out. */
  apply(orders: readonly IpvsOrder[]): readonly (KernelError | null)[];
  services(): Result<readonly ServiceRecord[], KernelError>;
  destinations(key: ServiceKey): Result<readonly DestinationRecord[], KernelError>;
  daemons(): Result<readonly SyncDaemon[], KernelError>;
  timeouts(): Result<IpvsTimeouts, KernelError>;
}
