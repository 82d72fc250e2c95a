/** The IPVS table that a pool asks for: pure arithmetic over its state. */
import { after, elapsed, type Instant } from "../lib/units.ts";
import type { Forwarding, ServiceKey, SorryServerConfig } from "./config.ts";
import { effectiveWeight, type Pool, type RealServerState } from "./pool-state.ts";
import { serviceKeys } from "./service-keys.ts";
import type { WantedDestination, WantedService } from "./table.ts";

const SORRY_WEIGHT = 1;

export function wantedServices(pool: Pool, now: Instant): readonly WantedService[] {
  const { config } = pool;
  const { scheduler, flags, persistence } = config;
  return serviceKeys(config).map((key) => ({
    key,
    scheduler,
    flags,
    persistence,
    destinations: destinations(pool, key, now),
  }));
}

function destinations(pool: Pool, key: ServiceKey, now: Instant): readonly WantedDestination[] {
  const real = pool.servers.flatMap((server) => {
    const weight = wantedWeight(pool, server, now);
    return weight === null ? [] : [destinationOf(server.config, weight, key)];
  });
  const { sorryServer } = pool.config;
  if (sorryServer === null || (!pool.sorryAlive && !sorryServer.inhibit)) return real;
  const sorry = sorryDestination(sorryServer, pool.sorryAlive ? SORRY_WEIGHT : 0, key);
  const twin = real.find(({ address, port }) => address === sorry.address && port === sorry.port);
  if (twin === undefined) return [...real, sorry];
  return pool.sorryAlive ? real.map((one) => (one === twin ? { ...one, weight: SORRY_WEIGHT } : one)) : real;
}

/** Null: it is not in the table. While the sorry server stands in, no real server gets new connections. */
function wantedWeight(pool: Pool, server: RealServerState, now: Instant): number | null {
  const serves = server.alive && !pool.sorryAlive;
  if (serves) return risingWeight(server, now);
  return server.config.inhibitOnFailure ? 0 : null;
}

/** From 1 to its own weight, linear in time; a server without weight has nothing to climb to. */
export function risingWeight(server: RealServerState, now: Instant): number {
  const full = effectiveWeight(server);
  const { risingSince, config } = server;
  if (risingSince === null || full <= 1 || now >= after(risingSince, config.slowStart)) return full;
  return Math.max(1, Math.floor((full * elapsed(risingSince, now)) / config.slowStart));
}

function destinationOf(
  { address, port, forwarding, upperThreshold, lowerThreshold }: RealServerState["config"],
  weight: number,
  key: ServiceKey,
): WantedDestination {
  return { address, port: portFor(forwarding, port, key), forwarding, weight, upperThreshold, lowerThreshold };
}

function sorryDestination(
  { address, port, forwarding }: SorryServerConfig,
  weight: number,
  key: ServiceKey,
): WantedDestination {
  return { address, port: portFor(forwarding, port, key), forwarding, weight, upperThreshold: 0, lowerThreshold: 0 };
}

/** DR and TUN leave the packet as it is; NAT without a port of its own keeps that of the service. */
function portFor({ method }: Forwarding, port: number, key: ServiceKey): number {
  const own = key.kind === "fwmark" ? 0 : key.port;
  return method === "nat" && port !== 0 ? port : own;
}
