/**
 * Waits for the sockets of checkers with one epoll(7) instance. While something has just been begun it looks every SWEEP_MILLIS, so that
 * many answers cost one call; what takes longer is left to the background poll, so that an idle daemon does not wake up.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Arena } from "./arena.ts";
import type { BackgroundPoll } from "./background-poll.ts";
import { epollControl, epollCreate, epollWait, errnoName } from "./libc.ts";

export const EPOLL = { in: 1, out: 4, error: 8, hangup: 16, oneShot: 0x4000_0000 } as const;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;
/** struct epoll_event is packed on x86-64 only. */
const EVENT_BYTES = process.arch === "x64" ? 12 : 16;
const DATA = process.arch === "x64" ? 4 : 8;
const EVENTS_MAX = 512;
const SWEEP_MILLIS = 2;
/** So long after the last beginning it goes on sweeping. */
const SWEEPS_AFTER = 20;

export interface ProbeReactor {
  /** Calls back with each event of the descriptor until it is forgotten. */
  watch(descriptor: number, events: number, onEvent: (events: number) => void): Result<void, string>;
  again(descriptor: number, events: number): void;
  /** Before the descriptor is closed. */
  forget(descriptor: number): void;
}

export function createProbeReactor(arena: Arena, poll: BackgroundPoll): ProbeReactor {
  return new Reactor(arena, poll);
}

class Reactor implements ProbeReactor {
  readonly #arena: Arena;
  readonly #poll: BackgroundPoll;
  readonly #watched = new Map<number, (events: number) => void>();
  readonly #event: number;
  #events: number | null = null;
  #epoll: number | null = null;
  #sweep: NodeJS.Timeout | null = null;
  #sweepsLeft = 0;
  /** It is with the background poll. */
  #waiting = false;

  constructor(arena: Arena, poll: BackgroundPoll) {
    this.#arena = arena;
    this.#poll = poll;
    this.#event = arena.allocate(16);
  }

  watch(descriptor: number, events: number, onEvent: (events: number) => void): Result<void, string> {
    const epoll = this.#open();
    if (epoll < 0) return err(errnoName(epoll));
    const added = this.#control(epoll, EPOLL_CTL_ADD, descriptor, events);
    if (added < 0) return err(errnoName(added));
    this.#watched.set(descriptor, onEvent);
    this.#soon();
    return ok(undefined);
  }

  again(descriptor: number, events: number): void {
    if (this.#epoll !== null) this.#control(this.#epoll, EPOLL_CTL_MOD, descriptor, events);
    this.#soon();
  }

  forget(descriptor: number): void {
    this.#watched.delete(descriptor);
  }

  #open(): number {
    if (this.#epoll !== null) return this.#epoll;
    const opened = epollCreate(EPOLL_CLOEXEC);
    if (opened >= 0) this.#epoll = opened;
    return opened;
  }

  #control(epoll: number, operation: number, descriptor: number, events: number): number {
    this.#arena.view.setUint32(this.#event, events, true);
    this.#arena.view.setUint32(this.#event + DATA, descriptor, true);
    this.#arena.view.setUint32(this.#event + DATA + 4, 0, true);
    return epollControl(epoll, operation, descriptor, this.#arena.at(this.#event));
  }

  #soon(): void {
    this.#sweepsLeft = SWEEPS_AFTER;
    this.#sweep ??= setTimeout(() => this.#onSweep(), SWEEP_MILLIS);
  }

  #onSweep(): void {
    this.#sweep = null;
    this.#look();
    this.#sweepsLeft--;
    if (this.#watched.size === 0) {
      this.#sleep();
      return;
    }
    if (this.#sweepsLeft > 0) this.#sweep ??= setTimeout(() => this.#onSweep(), SWEEP_MILLIS);
    else if (!this.#waiting && this.#epoll !== null) {
      this.#waiting = true;
      this.#poll.add(this.#epoll, () => this.#look());
    }
  }

  /** Nothing is waited for: the thread of the background poll is given back. */
  #sleep(): void {
    if (this.#waiting && this.#epoll !== null) this.#poll.remove(this.#epoll);
    this.#waiting = false;
  }

  #look(): void {
    const epoll = this.#epoll;
    if (epoll === null) return;
    this.#events ??= this.#arena.allocate(EVENT_BYTES * EVENTS_MAX);
    const offset = this.#events;
    const count = epollWait(epoll, this.#arena.at(offset), EVENTS_MAX, 0);
    for (let at = 0; at < count; at++) {
      const events = this.#arena.view.getUint32(offset + at * EVENT_BYTES, true);
      const descriptor = this.#arena.view.getUint32(offset + at * EVENT_BYTES + DATA, true);
      this.#watched.get(descriptor)?.(events);
    }
    if (this.#watched.size === 0) this.#sleep();
  }
}
