/** Timers in virtual time: nothing happens until the test says how much time passes. */
import { after, type Instant, instant, type Micros } from "../../core/lib/units.ts";
import type { Timers } from "../../ports/timers.ts";

export interface VirtualTimers extends Timers {
  /** Lets time pass, firing what falls due in order; promises settle in between. */
  advance(duration: Micros): Promise<void>;
  /** Time passes without anybody running: the process was stopped. */
  freeze(duration: Micros): void;
}

interface Entry {
  readonly at: Instant;
  readonly action: () => void;
}

export function createVirtualTimers(): VirtualTimers {
  let now = instant(1_000_000);
  const entries = new Set<Entry>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const next = (until: Instant): Entry | null => {
    let first: Entry | null = null;
    for (const entry of entries) if (entry.at <= until && (first === null || entry.at < first.at)) first = entry;
    return first;
  };
  return {
    now: () => now,
    schedule(delay, action) {
      const entry = { at: after(now, delay), action };
      entries.add(entry);
      return { cancel: () => void entries.delete(entry) };
    },
    async advance(duration) {
      const until = after(now, duration);
      await settle();
      for (let entry = next(until); entry !== null; entry = next(until)) {
        entries.delete(entry);
        if (entry.at > now) now = entry.at;
        entry.action();
        await settle();
      }
      now = until;
    },
    freeze(duration) {
      now = after(now, duration);
    },
  };
}
