/**
 * What the service manager hears: ready, reloading, stopping, a status line, and a sign of life that depends on the keeper's: a
 * frozen keeper must not look alive because control is. Knows the words, not the socket.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { millis } from "../core/lib/units.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import type { KeeperCondition } from "./keeper-contract.ts";

export interface ServiceStatusOptions {
  readonly timers: Timers;
  readonly tell: (...lines: readonly string[]) => void;
  readonly watchdogMillis: number | null;
  readonly keeper: () => KeeperCondition;
  readonly pid: number;
}

export interface ServiceStatus {
  ready(): void;
  /** Every event, in order. */
  hear(body: HoldfastEventBody): void;
  reloading(): void;
  reloaded(): void;
  stopping(): void;
  close(): void;
}

/** More often nobody can read it. */
const STATUS_PAUSE = millis(1_000);
const STATUS_INSTANCES = 8;

export function createServiceStatus(options: ServiceStatusOptions): ServiceStatus {
  const { timers, tell, watchdogMillis, keeper } = options;
  const states = new Map<string, VrrpStateName>();
  let statusTimer: Timer | null = null;
  let watchdogTimer: Timer | null = null;
  let stopping = false;
  const watch = (): void => {
    if (watchdogMillis === null) return;
    const condition = keeper();
    // Starting is limited by the supervisor, and a stop by the daemon's own limit.
    if (condition === "running" || condition === "starting" || stopping) tell("WATCHDOG=1");
    watchdogTimer = timers.schedule(millis(watchdogMillis), watch);
  };
  return {
    ready() {
      tell("READY=1", `MAINPID=${options.pid}`, `STATUS=${statusText(states)}`);
      watch();
    },
    hear(body) {
      if (body.kind !== "vrrp" || body.report.kind !== "state") return;
      const { instance, report } = body;
      if (report.to === "STOP") states.delete(instance);
      else states.set(instance, report.to);
      statusTimer ??= timers.schedule(STATUS_PAUSE, () => {
        statusTimer = null;
        if (!stopping) tell(`STATUS=${statusText(states)}`);
      });
    },
    // systemd compares the time with its own, so that an older READY does not end this reload (sd_notify(3)).
    reloading: () => tell("RELOADING=1", `MONOTONIC_USEC=${timers.now()}`),
    reloaded: () => tell("READY=1", `STATUS=${statusText(states)}`),
    stopping() {
      stopping = true;
      tell("STOPPING=1", "STATUS=releasing addresses");
    },
    close() {
      statusTimer?.cancel();
      watchdogTimer?.cancel();
    },
  };
}

/** "VI_1 MASTER, VI_2 BACKUP", or counts where there are many. */
function statusText(states: ReadonlyMap<string, VrrpStateName>): string {
  if (states.size === 0) return "no instance has a state yet";
  if (states.size <= STATUS_INSTANCES) return [...states].map(([name, state]) => `${name} ${state}`).join(", ");
  const counts = new Map<VrrpStateName, number>();
  for (const state of states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}
