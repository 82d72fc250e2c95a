/**
 * The inequality that keeps two hosts from holding one record, and the one that keeps a healthy holder from losing it. All times are
 * lengths on one host's CLOCK_MONOTONIC; no clock is ever compared with another host's.
 *
 * The holder counts `ttl` from before it sent its write. It is silent at the latest `silence` later, because the kernel ends the addresses'
 * lifetimes whether or not the daemon runs. A challenger counts `wait` from after the answer that first showed it a revision, and only
 * a revision that has not changed by then can be replaced (compare and swap). Clocks may run apart by `rho`, so it is safe if
 *
 *     wait >= (1 + rho)^2 * (ttl + silence)
 *
 * The challenger's write succeeded, so the holder's last one was sent before the challenger first saw it: before `to`. The holder
 * is silent by to + (1 + rho) * (ttl + silence), both counted by its own clock, and the challenger begins no earlier than to + wait / (1 + rho).
 */
import { type Micros, micros } from "../lib/units.ts";
import { KERNEL_LATENESS } from "../vrrp/lease.ts";
import type { QuorumConfig } from "./config.ts";

/** NTP slews a clock by 500 ppm at most; twice that. */
export const CLOCK_RATE_BOUND = 0.001;

/** A holder that is late in noticing: the keeper's own wake-ups, and the batch in which it writes to the kernel. */
const LATENESS = 100_000;

/** From the end of a grant until the address surely answers no more: the kernel removes addresses up to that much late. */
export const SILENCE: Micros = micros(KERNEL_LATENESS + LATENESS);

/** How long a record must stand unchanged before another host may take its place. */
export function waitFor({ ttl, silence }: { readonly ttl: Micros; readonly silence: Micros }): Micros {
  const rate = 1 + CLOCK_RATE_BOUND;
  // One more than its ceiling: doubles round.
  return micros(Math.ceil(rate * rate * (ttl + silence)) + 1);
}

/**
 * The shortest ttl with which a holder survives one answer that is lost: it has written, waits for the next turn, waits in vain, is answered the
 * second time, and its addresses still have a lifetime that lasts from one advert to the next.
 */
export function shortestTtl({ renew, timeout }: Pick<QuorumConfig, "renew" | "timeout">, lease: Micros): Micros {
  return micros(renew + 2 * timeout + lease);
}

/** Looks come every `renew`, and one of them may be lost. */
export const gapOf = ({ renew, timeout }: Pick<QuorumConfig, "renew" | "timeout">): Micros =>
  micros(2 * renew + timeout);

/** How long a claim may wait for the store: for a record that nobody renews, and for the answers around it. */
export function longestClaim({ ttl, timeout, renew }: Pick<QuorumConfig, "ttl" | "renew" | "timeout">): Micros {
  return micros(waitFor({ ttl, silence: SILENCE }) + 2 * renew + 3 * timeout);
}
