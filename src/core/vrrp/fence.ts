/**
 * Arithmetic of `fence strict`: for how long after an advert the packet filter lets the addresses speak. The kernel counts that by its own
 * clock ticks, and never longer. A peer counts from the same advert: the fence excludes a second holder if it closes before the peer's
 * Master_Down_Interval is over. That is why it is renewed behind an advert that has left, and never without one.
 */
import type { Instant, Micros } from "../lib/units.ts";
import { after } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";

type FenceSettings = Pick<VrrpInstanceConfig, "advertInterval" | "downTimerAdverts">;

/**
 * How much later than counted a packet may pass: the kernel's clock tick comes late where a virtual processor waits for its host (up
 * to five ticks of 4 ms, then another processor counts), and two clocks differ by a thousandth.
 */
export const FENCE_LATENESS = 20_000 as Micros;

/** Times an advert interval: a fence that closes earlier would close whenever one advert is a little late. */
const SHORTEST = 1.5;

/**
 * How long the addresses stay open after an advert. No longer than their lifetime (`vip_lease`): when that is over the instance gives up
 * anyway, and the fence is exact where the kernel's removal is up to a second late.
 */
export function fenceSpan(config: FenceSettings & Pick<VrrpInstanceConfig, "leaseSeconds">): Micros {
  const patience = config.downTimerAdverts * config.advertInterval - FENCE_LATENESS;
  const lease = config.leaseSeconds === null ? Number.POSITIVE_INFINITY : config.leaseSeconds * 1_000_000;
  return Math.max(Math.min(patience, lease), SHORTEST * config.advertInterval) as Micros;
}

/** Whether the fence alone rules out two holders. */
export function fenceCoversPeers(config: FenceSettings & Pick<VrrpInstanceConfig, "fenceSpan">): boolean {
  if (config.fenceSpan === null) return false;
  return config.fenceSpan + FENCE_LATENESS <= config.downTimerAdverts * config.advertInterval;
}

/** When the fence closes after an advert that left no earlier than at `advertAt`. */
export function fenceEnd(span: Micros, advertAt: Instant, permitUntil: Instant | null): Instant {
  const end = after(advertAt, span);
  return permitUntil !== null && permitUntil < end ? permitUntil : end;
}
