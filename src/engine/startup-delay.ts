/**
 * vrrp_startup_delay and vrrp_delay_after_boot: VRRP begins later than the daemon, and the log says so. Checks do not wait: their
 * results are there when it begins.
 */
import type { GlobalConfig } from "../core/config/model.ts";
import { millis } from "../core/lib/units.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import type { EventBus } from "./event-bus.ts";

export interface DelayHost {
  readonly timers: Timers;
  readonly bus: EventBus;
}

/** Calls `begin` when nothing delays it any more; null: it was called at once. */
export function delayStart(
  { timers, bus }: DelayHost,
  { startupDelay, delayAfterBoot }: Pick<GlobalConfig, "startupDelay" | "delayAfterBoot">,
  begin: () => void,
): Timer | null {
  // CLOCK_MONOTONIC counts from the boot.
  const delayMillis = Math.ceil(Math.max(startupDelay, delayAfterBoot - timers.now()) / 1_000);
  if (delayMillis <= 0) {
    begin();
    return null;
  }
  const tell = (over: boolean): void => bus.publish("vrrp", { kind: "startup-delay", delayMillis, over });
  tell(false);
  return timers.schedule(millis(delayMillis), () => {
    tell(true);
    begin();
  });
}
