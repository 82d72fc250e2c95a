/**
 * How long things may take, worked out here from the RFC and from DESIGN's arithmetic, not read from the product: an
 * oracle that shares its formulas with what it judges proves nothing. Microseconds.
 */
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { EXPIRY_LATENESS } from "./fake-kernel.ts";
import { LATENCY_MAX } from "./network.ts";

/** Lateness of a process and a frame on a clean wire, with room. */
export const SLACK = 5_000;
/** Clocks of two hosts differ by at most this share. */
const DRIFT = 0.0005;
/** A tick of the kernel's clock may be handled this late. */
const FENCE_TICKS = 20_000;
const HEARTBEAT = 250_000;
const KEEPER_START = 200_000;

/** RFC 3768 6.1 and RFC 9568 6.1: Skew_Time. */
export function skew(config: VrrpInstanceConfig, priority: number, masterInterval: number): number {
  const unit = config.version === 2 ? 1_000_000 : masterInterval;
  return ((256 - priority) / 256) * unit;
}

export function masterDown(config: VrrpInstanceConfig, priority: number, masterInterval: number): number {
  return config.downTimerAdverts * masterInterval + skew(config, priority, masterInterval);
}

/** Two that hold and hear each other: the loser hears the winner's next advert. */
export function yieldBound(configs: readonly VrrpInstanceConfig[]): number {
  return longestInterval(configs) + LATENCY_MAX + SLACK;
}

/** How long a lease may outlive its last renewal; infinity without one. */
export function leaseBound(config: VrrpInstanceConfig): number {
  if (config.leaseSeconds === null) return Number.POSITIVE_INFINITY;
  return (config.leaseSeconds * 1_000_000 + EXPIRY_LATENESS) * (1 + DRIFT) + SLACK;
}

/** How long after its last advert a host still answers for an address: the fence promises that no peer waits less. */
export function fenceBound(config: VrrpInstanceConfig): number {
  if (config.fenceSpan === null) return Number.POSITIVE_INFINITY;
  const lease = config.leaseSeconds === null ? Number.POSITIVE_INFINITY : config.leaseSeconds * 1_000_000 + SLACK;
  const patience = config.downTimerAdverts * config.advertInterval;
  // It stays open from one advert to the next, with half an interval to spare.
  return Math.max(Math.min(patience, lease + FENCE_TICKS), 1.5 * config.advertInterval + FENCE_TICKS) * (1 + DRIFT);
}

/** Whether a silent holder has surely fallen silent for clients, too, before any peer may claim. */
export function isExcluded(config: VrrpInstanceConfig): boolean {
  return (
    Math.min(leaseBound(config), fenceBound(config)) <= config.downTimerAdverts * config.advertInterval * (1 + DRIFT)
  );
}

/** Control replaces a keeper that is silent. */
export function silenceBound(configs: readonly VrrpInstanceConfig[]): number {
  return Math.max(2_000_000, longestInterval(configs)) + 2 * HEARTBEAT + SLACK;
}

/** After the last fault everything is where it belongs within this time. */
export function settleTime(configs: readonly VrrpInstanceConfig[]): number {
  let most = 0;
  for (const config of configs) {
    const lease = config.leaseSeconds === null ? 0 : leaseBound(config);
    const gates = (config.claimGate?.timeout ?? 0) * 2 + (config.releaseGate?.timeout ?? 0);
    const election = 2 * masterDown(config, 1, longestInterval(configs));
    most = Math.max(most, election + lease + gates + config.preemptDelay + config.garp.delay);
  }
  // A silent partner is noticed, a keeper started anew, a check run.
  return most + silenceBound(configs) + KEEPER_START + 4_000_000;
}

export function longestInterval(configs: readonly VrrpInstanceConfig[]): number {
  return configs.reduce((most, config) => Math.max(most, config.advertInterval), 0);
}
