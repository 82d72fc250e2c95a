/**
 * The one place through which every event of both processes goes: log, journal, API and metrics subscribe here. It
 * stamps and hands on; it keeps nothing. A subscriber that throws does not keep the others from hearing the event.
 */
import type { HoldfastEvent, HoldfastEventBody, Origin } from "../core/events/vocabulary.ts";
import type { Instant } from "../core/lib/units.ts";
import type { Clock } from "../ports/clock.ts";

export type EventListener = (event: HoldfastEvent) => void;

export interface EventBus {
  /** `at` is given for events of the keeper, which stamps its own. */
  publish(origin: Origin, body: HoldfastEventBody, at?: Instant): void;
  /** Returns the way to unsubscribe. */
  subscribe(listener: EventListener): () => void;
}

export interface EventBusOptions {
  readonly clock: Clock;
  /** Milliseconds since the epoch. */
  readonly wallMillis: () => number;
  readonly onListenerError: (error: unknown) => void;
}

const JITTER_MILLIS = 2;

export function createEventBus(options: EventBusOptions): EventBus {
  const listeners = new Set<EventListener>();
  let last = { at: Number.NEGATIVE_INFINITY, time: 0 };
  return {
    publish(origin, body, at) {
      const now = options.clock.now();
      const stamp = at ?? now;
      // An event of the keeper happened a little before we hear of it: its wall time is put back by as much.
      const time = Math.round(options.wallMillis() - Math.max(0, now - stamp) / 1_000);
      // Two clocks read one after the other disagree by a millisecond: what came later is not shown as earlier for that.
      const jitter = stamp >= last.at && last.time - time > 0 && last.time - time <= JITTER_MILLIS;
      const event: HoldfastEvent = { at: stamp, time: jitter ? last.time : time, origin, body };
      last = event;
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          options.onListenerError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
