/**
 * The keeper's only place to sleep: ppoll(2) over the registered descriptors until an absolute instant. Handlers run
 * one after the other in the order of registration; a wake-up allocates nothing.
 *
 * It knows no protocol and reads no descriptor; a handler that does not drain its descriptor is called again.
 */
import { assert } from "../core/lib/assert.ts";
import type { Instant } from "../core/lib/units.ts";
import type { Clock } from "../ports/clock.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, errnoName, ppoll } from "./libc.ts";
import { setPreciseTimers } from "./process.ts";

/** Registration of descriptors; ports that own sockets take this and not the whole reactor. */
export interface Watcher {
  /** `ready` runs when the descriptor is readable, has an error, or was closed at the other end. */
  watch(descriptor: number, ready: () => void): void;
  unwatch(descriptor: number): void;
}

export interface Reactor extends Watcher {
  /** Runs `writable` once the descriptor takes data again; null ends the interest. The descriptor must be watched. */
  watchWritable(descriptor: number, writable: (() => void) | null): void;
  /**
   * Sleeps until a descriptor is ready or the instant has come (null: for ever; an instant that has passed: only looks), runs the
   * handlers, and returns how many descriptors were ready. A signal ends the wait early with 0.
   */
  wait(until: Instant | null): number;
}

const POLLIN = 0x1;
const POLLOUT = 0x4;
const POLLFD_BYTES = 8;
const TIMESPEC_BYTES = 16;
const DESCRIPTORS_MAX = 1024;
/** ppoll refuses absurd timespecs; a day is as good as for ever to a loop that looks again. */
const LONGEST_WAIT_MICROS = 86_400e6;

interface Entry {
  readonly descriptor: number;
  ready: () => void;
  writable: (() => void) | null;
}

export function createReactor(arena: Arena, clock: Clock): Reactor {
  setPreciseTimers();
  const table = arena.allocate(DESCRIPTORS_MAX * POLLFD_BYTES);
  const tableAddress = arena.at(table);
  const timeout = arena.allocate(TIMESPEC_BYTES);
  const timeoutAddress = arena.at(timeout);
  const { words, view } = arena;
  let entries: Entry[] = [];
  /** Counts changes of the table, so that a handler may watch and unwatch while others are pending. */
  let generation = 0;

  const rebuild = (next: Entry[]): void => {
    assert(next.length <= DESCRIPTORS_MAX, `more than ${DESCRIPTORS_MAX} descriptors in one reactor`);
    entries = next;
    generation++;
    for (const [position, entry] of entries.entries()) {
      const offset = table + position * POLLFD_BYTES;
      view.setInt32(offset, entry.descriptor, true);
      view.setUint16(offset + 4, entry.writable === null ? POLLIN : POLLIN | POLLOUT, true);
      view.setUint16(offset + 6, 0, true);
    }
  };

  const setTimeoutUntil = (until: Instant): void => {
    const micros = Math.min(Math.max(0, until - clock.now()), LONGEST_WAIT_MICROS);
    const seconds = Math.floor(micros / 1e6);
    words[timeout >>> 2] = seconds;
    // Rounded up: waking before the deadline would only mean another round.
    words[(timeout >>> 2) + 2] = Math.min(999_999_999, Math.ceil((micros - seconds * 1e6) * 1e3));
  };

  const dispatch = (entry: Entry, returned: number): void => {
    if ((returned & POLLOUT) !== 0) entry.writable?.();
    // POLLERR, POLLHUP and POLLNVAL are the reader's business too.
    if ((returned & ~POLLOUT) !== 0) entry.ready();
  };

  const dispatchAll = (ready: number): void => {
    const current = entries;
    const before = generation;
    let left = ready;
    for (let position = 0; position < current.length && left > 0; position++) {
      const returned = (words[(table + position * POLLFD_BYTES + 4) >>> 2] as number) >>> 16;
      if (returned === 0) continue;
      left--;
      dispatch(current[position] as Entry, returned);
      // The table was rewritten under us: what is still ready is ready again at once.
      if (generation !== before) return;
    }
  };

  return {
    watch(descriptor, ready) {
      assert(!entries.some((entry) => entry.descriptor === descriptor), `descriptor ${descriptor} is watched twice`);
      rebuild([...entries, { descriptor, ready, writable: null }]);
    },
    unwatch(descriptor) {
      rebuild(entries.filter((entry) => entry.descriptor !== descriptor));
    },
    watchWritable(descriptor, writable) {
      const entry = entries.find((candidate) => candidate.descriptor === descriptor);
      assert(entry !== undefined, `descriptor ${descriptor} is not watched`);
      const changes = (entry.writable === null) !== (writable === null);
      entry.writable = writable;
      if (changes) rebuild(entries);
    },
    wait(until) {
      if (until !== null) setTimeoutUntil(until);
      const ready = ppoll(tableAddress, entries.length, until === null ? 0 : timeoutAddress, 0);
      if (ready === -ERRNO.EINTR) return 0;
      assert(ready >= 0, `ppoll: ${errnoName(ready)}`);
      if (ready > 0) dispatchAll(ready);
      return ready;
    },
  };
}
