/**
 * The keeper's conversation with control: answering heartbeats, the silence limit, the order to stop. Pure bookkeeping
 * of times; main/keeper.ts waits and reads, this decides. Heartbeats are answered and never begun here: a wake-up of its
 * own for each would cost more than all adverts of a small site.
 */

import { after, elapsed, type Instant, type Micros, millis, toMillis } from "../core/lib/units.ts";
import type { KeeperSettings } from "../core/link/keeper-settings.ts";
import type { FromKeeper, ToKeeper } from "../core/link/messages.ts";
import { EXIT_DO_NOT_RESTART, LINK_VERSION, silenceLimitMillis } from "../core/link/messages.ts";
import type { VrrpEngine } from "./vrrp-engine.ts";

export interface KeeperLoop {
  handleMessage(message: ToKeeper, now: Instant): void;
  /** Notices silence; call on every wake-up, after what has come was read. */
  tick(now: Instant): void;
  /** When tick() must be called next even if nothing else happens; null when control has been given up. */
  nextDeadline(): Instant | null;
  /** Set when the process should end. */
  readonly exitCode: number | null;
}

export interface KeeperLoopOptions {
  readonly send: (message: FromKeeper) => void;
  readonly onSettings: (settings: KeeperSettings) => void;
  /** Control begins anew: nothing is said until onHello. */
  readonly onPause?: () => void;
  /** Answered first; then what was kept is told. */
  readonly onHello?: () => void;
}

export function createKeeperLoop(engine: VrrpEngine, options: KeeperLoopOptions): KeeperLoop {
  return new Loop(engine, options);
}

/** Whatever control asks for: nobody looks at checks meanwhile. */
const LONGEST_PAUSE_MILLIS = 30_000;
/** Noticing the silence this much too late means that we were stopped as well, so it proves nothing. */
const OWN_STALL = millis(500);

class Loop implements KeeperLoop {
  readonly #engine: VrrpEngine;
  readonly #send: (message: FromKeeper) => void;
  readonly #options: KeeperLoopOptions;
  /** Null before the first word: a keeper that is started ahead may wait long for it, and holds nothing meanwhile. */
  #heardAt: Instant | null = null;
  #silent = false;
  /** While control begins anew; null: the ordinary limit. */
  #patience: Micros | null = null;
  #exitCode: number | null = null;

  constructor(engine: VrrpEngine, options: KeeperLoopOptions) {
    this.#engine = engine;
    this.#send = options.send;
    this.#options = options;
  }

  get exitCode(): number | null {
    if (this.#exitCode !== null) return this.#exitCode;
    return this.#engine.finished ? 0 : null;
  }

  handleMessage(message: ToKeeper, now: Instant): void {
    this.#heardAt = now;
    this.#silent = false;
    if (message.type === "pause") this.#patience = millis(Math.min(message.forMillis, LONGEST_PAUSE_MILLIS));
    else if (message.type === "hello") this.#patience = null;
    this.#engine.controlBack();
    if (message.type === "hello") this.#options.onHello?.();
    if (message.type === "hello" && message.version !== LINK_VERSION) this.#exitCode = EXIT_DO_NOT_RESTART;
    if (message.type === "heartbeat") this.#send(HEARTBEAT);
    else if (message.type === "settings") this.#options.onSettings(message.settings);
    else if (message.type === "pause") this.#options.onPause?.();
    else this.#engine.handleControl(message);
  }

  tick(now: Instant): void {
    const heardAt = this.#heardAt;
    if (heardAt === null || this.#silent) return;
    const due = this.#silenceAt(heardAt);
    if (now < due) return;
    if (elapsed(due, now) > OWN_STALL) {
      // What control sent meanwhile was read before this; it said nothing, so it was stopped with us. Listen once more.
      this.#heardAt = now;
      return;
    }
    this.#silent = true;
    this.#engine.controlSilent(Math.round(toMillis(elapsed(heardAt, now))));
  }

  nextDeadline(): Instant | null {
    return this.#silent || this.#heardAt === null ? null : this.#silenceAt(this.#heardAt);
  }

  #silenceAt(heardAt: Instant): Instant {
    return after(heardAt, this.#patience ?? millis(silenceLimitMillis(this.#engine.longestInterval() / 1_000)));
  }
}

/** A socket's queue holds no more batches of adverts than this; a flood would go on for ever. */
const CATCH_UP_BATCHES = 32;

/**
 * Reads what a process that was stopped has slept through, before a BACKUP concludes from its deadline that the master is dead. A
 * process that was running looks once a wake-up: a flood must not keep it from taking over.
 */
export function catchUp(
  engine: Pick<VrrpEngine, "overslept">,
  adverts: { takeBacklog(): boolean },
  host: { now(): Instant; look(): void },
): void {
  for (let batch = 0; batch < CATCH_UP_BATCHES; batch++) {
    if (!adverts.takeBacklog() || !engine.overslept(host.now())) return;
    host.look();
  }
}

const HEARTBEAT: FromKeeper = { type: "heartbeat" };
