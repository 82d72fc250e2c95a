/**
 * The keeper's conversation with control: heartbeats both ways, the silence limit, the order to stop. Pure bookkeeping
 * of times; main/keeper.ts waits and reads, this decides.
 */

import { after, elapsed, type Instant, millis, toMillis } from "../core/lib/units.ts";
import type { FromKeeper, ToKeeper } from "../core/link/messages.ts";
import { EXIT_DO_NOT_RESTART, HEARTBEAT_MILLIS, LINK_VERSION, silenceLimitMillis } from "../core/link/messages.ts";
import type { VrrpEngine } from "./vrrp-engine.ts";

export interface KeeperLoop {
  handleMessage(message: ToKeeper, now: Instant): void;
  /** Sends what is due and notices silence; call on every wake-up. */
  tick(now: Instant): void;
  /** When tick() must be called next even if nothing else happens. */
  nextDeadline(): Instant;
  /** Set when the process should end. */
  readonly exitCode: number | null;
}

export function createKeeperLoop(engine: VrrpEngine, send: (message: FromKeeper) => void, start: Instant): KeeperLoop {
  return new Loop(engine, send, start);
}

class Loop implements KeeperLoop {
  readonly #engine: VrrpEngine;
  readonly #send: (message: FromKeeper) => void;
  #heartbeatAt: Instant;
  #heardAt: Instant;
  #tickedAt: Instant;
  #exitCode: number | null = null;

  constructor(engine: VrrpEngine, send: (message: FromKeeper) => void, start: Instant) {
    this.#engine = engine;
    this.#send = send;
    this.#heartbeatAt = start;
    this.#heardAt = start;
    this.#tickedAt = start;
  }

  get exitCode(): number | null {
    if (this.#exitCode !== null) return this.#exitCode;
    return this.#engine.finished ? 0 : null;
  }

  handleMessage(message: ToKeeper, now: Instant): void {
    this.#heardAt = now;
    this.#engine.controlBack();
    if (message.type === "hello" && message.version !== LINK_VERSION) this.#exitCode = EXIT_DO_NOT_RESTART;
    this.#engine.handleControl(message);
  }

  tick(now: Instant): void {
    // If we ourselves were stopped, control had no chance to be heard: give it one limit from now.
    if (toMillis(elapsed(this.#tickedAt, now)) > silenceLimitMillis(0) / 2) this.#heardAt = now;
    this.#tickedAt = now;
    const silent = toMillis(elapsed(this.#heardAt, now));
    if (silent > this.#limitMillis()) this.#engine.controlSilent(Math.round(silent));
    if (now >= this.#heartbeatAt) {
      this.#send({ type: "heartbeat" });
      this.#heartbeatAt = after(now, millis(HEARTBEAT_MILLIS));
    }
  }

  nextDeadline(): Instant {
    return this.#heartbeatAt;
  }

  #limitMillis(): number {
    return silenceLimitMillis(this.#engine.longestInterval() / 1_000);
  }
}
