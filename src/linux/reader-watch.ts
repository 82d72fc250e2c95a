/**
 * Notices that whoever read one of our descriptors has left, although nothing is written: poll(2) reports the error of a
 * pipe without readers unasked. Node itself finds out at the next write, which may be hours away. Reads and writes nothing.
 */
import { createArena } from "./arena.ts";
import { ppoll } from "./libc.ts";

const POLLERR = 0x8;
const POLLHUP = 0x10;
const POLLNVAL = 0x20;
const GONE = POLLERR | POLLHUP | POLLNVAL;
const LOOK_MILLIS = 250;
const POLLFD_BYTES = 8;
const TIMESPEC_BYTES = 16;

/** Aborted within a quarter of a second after the last reader has left. Does not keep the process alive. */
export function watchReader(descriptor: number): AbortSignal {
  const arena = createArena(4096);
  const entry = arena.allocate(POLLFD_BYTES);
  // Zero seconds and zero nanoseconds: look, do not wait.
  const timeout = arena.allocate(TIMESPEC_BYTES);
  const left = new AbortController();
  const timer = setInterval(() => {
    arena.view.setInt32(entry, descriptor, true);
    arena.view.setUint32(entry + 4, 0, true);
    const ready = ppoll(arena.at(entry), 1, arena.at(timeout), 0);
    if (ready < 1 || (arena.view.getUint16(entry + 6, true) & GONE) === 0) return;
    clearInterval(timer);
    left.abort();
  }, LOOK_MILLIS);
  timer.unref();
  return left.signal;
}
