/**
 * The control process of one host: the production supervisor and the production hook engine over a simulated process
 * launcher and simulated programs; of its own only the check, which passes or fails as the host says. A frozen control
 * does everything later, in order: its sockets and timers keep what arrived.
 */

import type { Instant } from "../core/lib/units.ts";
import { type FromKeeper, NO_STANDINGS, type ScriptStanding, type ToKeeper } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { tellHooks } from "../engine/control-messages.ts";
import type { HookEngine } from "../engine/hook-engine.ts";
import { createKeeperSupervisor, type KeeperSupervisor } from "../engine/keeper-supervisor.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperEvents, KeeperProcess } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";
import { CHECK } from "./configs.ts";
import { createHooks, type GateMood } from "./hook-model.ts";
import type { KeeperModel } from "./keeper-model.ts";
import type { Observer } from "./observer.ts";
import type { Prng } from "./prng.ts";

/** What a launched keeper tells its parent. */
export interface KeeperLine {
  readonly send: (message: FromKeeper) => void;
  readonly exited: (code: number | null) => void;
}

/** What control needs of its host; times are the host's own microseconds. */
export interface ControlParts {
  readonly node: number;
  readonly configs: readonly VrrpInstanceConfig[];
  readonly prng: Prng;
  readonly observer: Observer;
  readonly now: () => Instant;
  readonly after: (micros: number, action: () => void) => void;
  readonly nextPid: () => number;
  readonly startKeeper: (pid: number, line: KeeperLine) => KeeperModel;
  readonly guard: GuardPort;
  readonly checkPasses: () => boolean;
  readonly gateMood: () => GateMood;
}

/** Nearly all that passes between the two is this, so it is not put into words each time. */
const BEAT: ToKeeper & FromKeeper = { type: "heartbeat" };
const HEARTBEAT = `${JSON.stringify(BEAT)}\n`;
/** Through a socket and a scheduler. */
const SOCKET_DELAY = 30;
/** From fork to a keeper that reads its first message: Node needs 110 to 140 ms. */
const START_MIN = 100_000;
const START_MAX = 160_000;
const REAP_MIN = 200;
const REAP_MAX = 2_000;
const CHECK_INTERVAL = 2_000_000;

export class ControlModel {
  readonly #parts: ControlParts;
  readonly #hooks: HookEngine;
  readonly #supervisor: KeeperSupervisor;
  #alive = true;
  #frozen = false;
  #stopping = false;
  #waiting: (() => void)[] = [];
  #keeper: KeeperModel | null = null;
  #standing: ScriptStanding = { kind: "unknown" };

  constructor(parts: ControlParts) {
    this.#parts = parts;
    const timers = this.#makeTimers();
    this.#hooks = createHooks({
      node: parts.node,
      configs: parts.configs,
      prng: parts.prng,
      observer: parts.observer,
      timers,
      after: (micros, action) => this.#after(micros, action),
      gateMood: parts.gateMood,
      answer: (answer) => {
        parts.observer.gate(parts.node, answer.instance, answer.opened ? "opened" : "refused", answer.gate);
        this.#supervisor.answerGate(answer);
      },
    });
    this.#supervisor = createKeeperSupervisor({
      timers,
      launcher: { launch: (events) => this.#launch(events) },
      guard: parts.guard,
      keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => timers.now() } },
      publish: () => undefined,
      onMessage: (message) => this.#read(message),
      settings: () => null,
      standings: () => ({ ...NO_STANDINGS, scripts: { [CHECK]: this.#standing } }),
      onLost: () => this.#hooks.cancelAll(),
      onFatal: () => this.kill(),
    });
    this.#supervisor.start({ instances: parts.configs, host: PLAIN_HOST }, () => undefined);
    this.#after(parts.prng.between(20_000, 500_000), () => this.#runCheck());
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#waiting = [];
    const keeper = this.#keeper;
    if (keeper !== null) this.#parts.after(SOCKET_DELAY, () => keeper.controlGone());
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) this.#run(action);
  }

  /** SIGTERM: releases in order, then ends. */
  stop(): void {
    this.#run(() => {
      this.#stopping = true;
      void this.#supervisor.stop();
      this.#endIfStopped();
    });
  }

  #run(action: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen) this.#waiting.push(action);
    else action();
  }

  #after(micros: number, action: () => void): void {
    this.#parts.after(micros, () => this.#run(action));
  }

  #makeTimers(): Timers {
    return {
      now: this.#parts.now,
      schedule: (delay, action) => {
        let cancelled = false;
        this.#after(delay, () => {
          if (!cancelled) action();
        });
        return {
          cancel: () => {
            cancelled = true;
          },
        };
      },
    };
  }

  #launch(events: KeeperEvents): KeeperProcess {
    const { after, prng, nextPid, startKeeper } = this.#parts;
    const pid = nextPid();
    const unread: ToKeeper[] = [];
    let model: KeeperModel | null = null;
    let killed = false;
    const exited = (code: number | null): void => {
      const end = code === null ? { code, signal: "SIGKILL" } : { code, signal: null };
      this.#after(prng.between(REAP_MIN, REAP_MAX), () => {
        events.onExit(end);
        this.#endIfStopped();
      });
    };
    const hear = (message: FromKeeper): void => {
      const line = message.type === "heartbeat" ? HEARTBEAT : `${JSON.stringify(message)}\n`;
      this.#after(SOCKET_DELAY, () => events.onData(line));
    };
    after(prng.between(START_MIN, START_MAX), () => {
      if (killed || !this.#alive) return;
      model = startKeeper(pid, { send: hear, exited });
      this.#keeper = model;
      for (const message of unread) model.message(message);
    });
    return {
      pid,
      send: (text) => {
        const message = text === HEARTBEAT ? BEAT : (JSON.parse(text) as ToKeeper);
        after(SOCKET_DELAY, () => {
          if (model === null) unread.push(message);
          else model.message(message);
        });
      },
      kill: () => {
        if (model === null && !killed) exited(null);
        killed = true;
        model?.kill();
      },
    };
  }

  #read(message: Extract<FromKeeper, { type: "event" | "ask-gate" | "cancel-gate" }>): void {
    if (message.type === "event") {
      tellHooks(this.#hooks, message.body);
    } else if (message.type === "ask-gate") {
      this.#parts.observer.gate(this.#parts.node, message.instance, "asked", message.gate);
      this.#hooks.ask(message);
    } else this.#hooks.cancel(message.instance, message.gate);
  }

  #endIfStopped(): void {
    if (!this.#stopping || this.#supervisor.state().condition !== "stopped") return;
    this.#alive = false;
    this.#parts.observer.daemonGone(this.#parts.node);
  }

  #runCheck(): void {
    const passes = this.#parts.checkPasses();
    const kind = passes ? "ok" : "failed";
    if (kind !== this.#standing.kind || passes) {
      const changed = kind !== this.#standing.kind;
      this.#standing = { kind };
      const gated = this.#parts.configs.some((config) => config.claimGate !== null);
      if (changed || gated)
        this.#supervisor.tellStandings(
          { ...NO_STANDINGS, scripts: { [CHECK]: this.#standing } },
          passes ? [CHECK] : [],
        );
    }
    this.#after(CHECK_INTERVAL, () => this.#runCheck());
  }
}
