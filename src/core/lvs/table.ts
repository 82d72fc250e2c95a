/**
 * The IPVS table that ought to be in the kernel: what the pool makes of configuration and checks, and what the IPVS engine compares with
 * the kernel's own. Order has no meaning; a key stands once.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { Forwarding, Persistence, Scheduler, ServiceFlags, ServiceKey } from "./config.ts";

export interface WantedDestination {
  readonly address: IpAddress;
  /** 0 only behind a firewall mark. */
  readonly port: number;
  readonly forwarding: Forwarding;
  /** 0 to GREATEST_WEIGHT; 0: stays with its connections, gets no new ones. */
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

export interface WantedService {
  readonly key: ServiceKey;
  readonly scheduler: Scheduler;
  readonly flags: ServiceFlags;
  readonly persistence: Persistence | null;
  readonly destinations: readonly WantedDestination[];
}

export type WantedTable = readonly WantedService[];
