/**
 * Waits for descriptors that Node's event loop cannot watch (inotify, netlink) on one thread of libuv's pool, and only while
 * there are any. For the control process: the keeper has its own loop (reactor.ts).
 */
import { assert } from "../core/lib/assert.ts";
import type { Arena } from "./arena.ts";
import { close, errnoName, pipe2, pollInBackground, read, write } from "./libc.ts";

export interface BackgroundPoll {
  /** Calls back whenever the descriptor can be read. */
  add(descriptor: number, onReadable: () => void): void;
  remove(descriptor: number): void;
}

const POLLFD_BYTES = 8;
const POLLIN = 1;
const WATCHED_MAX = 7;
const PIPE_FLAGS = 0o2004000;
/** The thread must come back now and then: a process that ends joins it. */
const LONGEST_MILLIS = 1_000;

export function createBackgroundPoll(arena: Arena): BackgroundPoll {
  return new Poll(arena);
}

class Poll implements BackgroundPoll {
  readonly #arena: Arena;
  readonly #watched = new Map<number, () => void>();
  #memory: number | null = null;
  #wake: { readonly read: number; readonly write: number } | null = null;
  #polling = false;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  add(descriptor: number, onReadable: () => void): void {
    assert(this.#watched.size < WATCHED_MAX, "too many descriptors for the background poll");
    this.#watched.set(descriptor, onReadable);
    if (this.#polling) this.#interrupt();
    else this.#poll();
  }

  remove(descriptor: number): void {
    if (this.#watched.delete(descriptor)) this.#interrupt();
  }

  #poll(): void {
    if (this.#watched.size === 0) {
      this.#closePipe();
      return;
    }
    this.#memory ??= this.#arena.allocate(POLLFD_BYTES * (WATCHED_MAX + 1) + POLLFD_BYTES);
    const offset = this.#memory;
    const descriptors = [this.#openPipe().read, ...this.#watched.keys()];
    for (const [at, descriptor] of descriptors.entries()) {
      this.#arena.view.setInt32(offset + at * POLLFD_BYTES, descriptor, true);
      this.#arena.view.setInt32(offset + at * POLLFD_BYTES + 4, POLLIN, true);
    }
    this.#polling = true;
    const count = descriptors.length;
    pollInBackground({ descriptors: this.#arena.at(offset), count, millis: LONGEST_MILLIS }, (ready) => {
      this.#polling = false;
      if (ready > 0) this.#tell(descriptors, offset);
      this.#poll();
    });
  }

  #tell(descriptors: readonly number[], offset: number): void {
    for (const [at, descriptor] of descriptors.entries()) {
      if (this.#arena.view.getInt16(offset + at * POLLFD_BYTES + 6, true) === 0) continue;
      if (at === 0) this.#drainPipe();
      else this.#watched.get(descriptor)?.();
    }
  }

  #openPipe(): { readonly read: number; readonly write: number } {
    if (this.#wake !== null) return this.#wake;
    const offset = this.#arena.allocate(8);
    const result = pipe2(this.#arena.at(offset), PIPE_FLAGS);
    const ends = { read: this.#arena.view.getInt32(offset, true), write: this.#arena.view.getInt32(offset + 4, true) };
    this.#arena.release(offset, 8);
    assert(result === 0, `pipe2: ${errnoName(result)}; raise the limit of open files`);
    this.#wake = ends;
    return ends;
  }

  #closePipe(): void {
    if (this.#wake === null) return;
    close(this.#wake.read);
    close(this.#wake.write);
    this.#wake = null;
  }

  #interrupt(): void {
    if (this.#wake !== null && this.#memory !== null) write(this.#wake.write, this.#arena.at(this.#scratch()), 1);
  }

  #drainPipe(): void {
    if (this.#wake !== null) read(this.#wake.read, this.#arena.at(this.#scratch()), POLLFD_BYTES);
  }

  /** Behind the pollfds. */
  #scratch(): number {
    return (this.#memory ?? 0) + POLLFD_BYTES * (WATCHED_MAX + 1);
  }
}
