/**
 * CLOCK_MONOTONIC, read through the C library: the clock of ppoll(2) timeouts, of process.hrtime() and of every other
 * process on the host, so an instant may be handed from control to the keeper as it is.
 */
import { assert } from "../core/lib/assert.ts";
import { type Instant, instant } from "../core/lib/units.ts";
import type { Clock, WallClock } from "../ports/clock.ts";
import type { Arena } from "./arena.ts";
import { clockGettime } from "./libc.ts";

const CLOCK_MONOTONIC = 1;
const TIMESPEC_BYTES = 16;

export function createMonotonicClock(arena: Arena): Clock {
  const offset = arena.allocate(TIMESPEC_BYTES);
  const address = arena.at(offset);
  const { words } = arena;
  const seconds = offset >>> 2;
  const nanoseconds = seconds + 2;
  return {
    now(): Instant {
      const result = clockGettime(CLOCK_MONOTONIC, address);
      assert(result === 0, "clock_gettime(CLOCK_MONOTONIC) failed");
      // An uptime below 136 years fits the low word.
      return instant((words[seconds] as number) * 1e6 + (words[nanoseconds] as number) / 1e3);
    },
  };
}

const CLOCK_REALTIME = 0;

export function createWallClock(arena: Arena): WallClock {
  const offset = arena.allocate(TIMESPEC_BYTES);
  const address = arena.at(offset);
  const { words } = arena;
  const seconds = offset >>> 2;
  return {
    micros() {
      const result = clockGettime(CLOCK_REALTIME, address);
      assert(result === 0, "clock_gettime(CLOCK_REALTIME) failed");
      const whole = (words[seconds + 1] as number) * 2 ** 32 + (words[seconds] as number);
      return whole * 1e6 + (words[seconds + 2] as number) / 1e3;
    },
  };
}
