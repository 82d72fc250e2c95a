/**
 * Echoes: single announcements in the moments after a takeover of a virtual MAC. While the old master has not yet given the address
 * up, its kernel answers our gratuitous ARP, and the client's packets, from the same virtual MAC, and each such frame teaches the
 * switch the wrong port again. Whoever speaks last has the clients: so we speak once more until the other has surely gone.
 *
 * keepalived's next burst comes after 5 s, or its next advert after an interval. An instance without virtual MAC needs no echo: its
 * announcement changes the clients' tables, and nothing the other answers changes them back.
 */
import { after, type Instant, millis } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { Echo } from "./state.ts";

/** Milliseconds after the takeover: closer together than the 10 ms a client may wait, for as long as a daemon needs to yield. */
const MOMENTS = [2, 5, 9, 14, 20, 27, 35, 44, 60, 100, 200].map(millis);

export function startEchoes({ virtualInterfaces }: VrrpInstanceConfig, now: Instant): Echo | null {
  return virtualInterfaces.length === 0 ? null : { since: now, next: 0 };
}

export function echoAt(echo: Echo): Instant {
  return after(echo.since, MOMENTS[echo.next] ?? millis(0));
}

/** The one after those that are due. */
export function followingEcho(echo: Echo, now: Instant): Echo | null {
  let next = echo.next + 1;
  while (next < MOMENTS.length && echoAt({ ...echo, next }) <= now) next++;
  return next < MOMENTS.length ? { since: echo.since, next } : null;
}
