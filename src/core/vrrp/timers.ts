/**
 * The protocol's timers as pure formulas: Skew_Time and Master_Down_Interval of RFC 3768 (version 2) and RFC 9568
 * (version 3), and the grid on which adverts of many instances meet. Nothing here knows what time it is.
 */
import type { Instant, Micros } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";

type TimerSettings = Pick<VrrpInstanceConfig, "version" | "downTimerAdverts" | "advertInterval">;

/** RFC 3768 section 6.1: (256 - Priority) / 256 seconds. RFC 9568 section 6.1: the same share of the master's interval. */
export function skewTime(config: TimerSettings, priority: number, masterAdvertInterval: Micros): Micros {
  const unit = config.version === 2 ? 1_000_000 : masterAdvertInterval;
  return (((256 - priority) * unit) / 256) as Micros;
}

/** How long a BACKUP waits without adverts; the RFC's factor 3 is down_timer_adverts. */
export function masterDownInterval(config: TimerSettings, priority: number, masterAdvertInterval: Micros): Micros {
  return (config.downTimerAdverts * masterAdvertInterval + skewTime(config, priority, masterAdvertInterval)) as Micros;
}

/**
 * The soonest that any peer with our settings takes over after our last advert: Master_Down of the highest priority there is, or
 * that timer_expired_backup names.
 */
export function shortestPeerMasterDown(
  config: TimerSettings & Pick<VrrpInstanceConfig, "highestPeerPriority">,
): Micros {
  return masterDownInterval(config, config.highestPeerPriority, config.advertInterval);
}

/** Grid of advert phases: a sixteenth of the interval, not finer than 1 ms (a wake-up costs more than it would save). */
export function advertGrid(interval: Micros): Micros {
  return Math.max(1_000, interval / 16) as Micros;
}

/**
 * One interval from now, pulled earlier to the grid: never later, and by less than one grid step. Instances with one interval then
 * share their wake-ups, because the interval is a multiple of the grid.
 */
export function alignedDeadline(now: Instant, interval: Micros, grid: Micros): Instant {
  const latest = now + interval;
  const onGrid = Math.floor(latest / grid) * grid;
  return (onGrid > now ? onGrid : latest) as Instant;
}
