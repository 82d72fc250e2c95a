/**
 * Arithmetic of the kernel lease: the addresses carry a lifetime (valid_lft), the keeper renews it before its adverts.
 * The kernel counts whole seconds and ends a lifetime up to a second late: its timer is never set nearer than that, so when any
 * address of the host changes shortly before the end, the end waits for the timer after that (addrconf.c and devinet.c,
 * ADDRCONF_TIMER_FUZZ_MAX). Undisturbed it is 0.45 s at most. A lease excludes a second holder only if it has surely ended before the
 * peers' Master_Down_Interval has.
 */
import type { Instant, Micros } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";

type LeaseSettings = Pick<VrrpInstanceConfig, "advertInterval" | "downTimerAdverts">;

/** How much later than asked the kernel may remove an address. */
export const KERNEL_LATENESS = 1_000_000 as Micros;

/** Renewals are kept this far apart: each is a netlink write, and more of them buy nothing. */
export const RENEW_MIN = 500_000 as Micros;

/** A renewal is brought forward when the next advert would find less than this left of the lease. */
const RESERVE = 250_000 as Micros;

/** An advert may be this late before a lease of the minimum length is lost. */
const MARGIN = 100_000 as Micros;

/** The shortest lease that lives from one advert to the next; with less every renewal would come too late. */
export function minimumLeaseSeconds(config: LeaseSettings): number {
  return Math.max(1, Math.ceil((config.advertInterval + MARGIN) / 1_000_000));
}

/** Largest whole lease that ends before the peers take over; the minimum where there is none. */
export function defaultLeaseSeconds(config: LeaseSettings): number {
  const safe = Math.floor((config.downTimerAdverts * config.advertInterval - KERNEL_LATENESS) / 1_000_000);
  return Math.max(safe, minimumLeaseSeconds(config));
}

/** Whether the lease alone rules out two holders. True without a lease means nothing, so `vip_lease off` is false. */
export function leaseCoversPeers(config: LeaseSettings & Pick<VrrpInstanceConfig, "leaseSeconds">): boolean {
  if (config.leaseSeconds === null) return false;
  return config.leaseSeconds * 1_000_000 + KERNEL_LATENESS <= config.downTimerAdverts * config.advertInterval;
}

/**
 * Whole seconds to grant now: the configured lifetime, cut to an absolute deadline if there is one. Null when less than a second
 * is left: then the address is not renewed, it goes.
 */
export function grantedSeconds(configured: number, deadline: Instant | null, now: Instant): number | null {
  const left = deadline === null ? configured : Math.min(configured, (deadline - now) / 1_000_000);
  const whole = Math.floor(left);
  return whole < 1 ? null : whole;
}

/** When a lease granted now ends: never later than the kernel's own count, which starts after this instant. */
export function leaseEnd(now: Instant, seconds: number): Instant {
  return (now + seconds * 1_000_000) as Instant;
}

/** The whole seconds that a lease was granted for; null without one. */
export function lifetimeOf({
  leaseUntil,
  renewedAt,
}: {
  readonly renewedAt: Instant | null;
  readonly leaseUntil: Instant | null;
}): number | null {
  return leaseUntil === null || renewedAt === null ? null : Math.round((leaseUntil - renewedAt) / 1_000_000);
}

/** Whether the advert of this instant should carry a renewal with it. */
export function renewalDue(
  lease: { readonly renewedAt: Instant | null; readonly leaseUntil: Instant | null },
  now: Instant,
  advertInterval: Micros,
): boolean {
  if (lease.leaseUntil === null || lease.renewedAt === null) return false;
  return now - lease.renewedAt >= RENEW_MIN || lease.leaseUntil - (now + advertInterval) < RESERVE;
}
