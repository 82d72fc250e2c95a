/**
 * The control process of one host: the production supervisor and the production hook engine over a simulated process
 * launcher and simulated programs; of its own only the check, which passes or fails as the host says. A frozen control
 * does everything later, in order: its sockets and timers keep what arrived.
 */

import type { HoldfastConfig } from "../core/config/model.ts";
import type { Instant } from "../core/lib/units.ts";
import { type FromKeeper, NO_STANDINGS, type ScriptStanding, type ToKeeper } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { isRival, tellHooks } from "../engine/control-messages.ts";
import type { DatabaseLinks, Databases } from "../engine/databases.ts";
import type { GateAnswer, HookEngine } from "../engine/hook-engine.ts";
import { createKeeperSupervisor, type KeeperSupervisor } from "../engine/keeper-supervisor.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperEvents, KeeperProcess } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";
import { CHECK } from "./configs.ts";
import { createHooks, type GateMood } from "./hook-model.ts";
import type { KeeperModel } from "./keeper-model.ts";
import type { Observer } from "./observer.ts";
import type { Prng } from "./prng.ts";

/** Databases of a host, where it has some: the production engines over model servers. */
export interface ModelDatabases
  extends Pick<
    Databases,
    "configure" | "guard" | "standings" | "ask" | "cancel" | "cancelAll" | "entered" | "rival" | "stop"
  > {
  /** Their control process is dead. */
  killed(): void;
}

/** How the databases of a host reach their control process. */
export interface DatabaseTools {
  readonly timers: Timers;
  /** Does it now, when the process is thawed, or never when it is dead. */
  readonly act: (action: () => void) => void;
  readonly dead: () => boolean;
}

export interface DatabaseEquipment {
  readonly config: HoldfastConfig;
  make(tools: DatabaseTools, links: DatabaseLinks): ModelDatabases;
}

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
  readonly databases: DatabaseEquipment | null;
  /** It may act on addresses from now on. */
  readonly onBegun: () => void;
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
  readonly #databases: ModelDatabases | null;
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
      answer: (answer) => this.#answerGate(answer),
    });
    this.#databases = this.#equip(timers);
    this.#supervisor = createKeeperSupervisor({
      timers,
      launcher: { launch: (events) => this.#launch(events) },
      guard: parts.guard,
      keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => timers.now() } },
      publish: () => undefined,
      onMessage: (message) => this.#read(message),
      settings: () => null,
      standings: () => ({
        ...NO_STANDINGS,
        scripts: { [CHECK]: this.#standing },
        ...this.#databases?.standings(),
      }),
      onLost: () => {
        this.#databases?.cancelAll();
        this.#hooks.cancelAll();
      },
      onFatal: () => this.kill(),
    });
    this.#begin();
    this.#after(parts.prng.between(20_000, 500_000), () => this.#runCheck());
  }

  /** As the control process does: what is open without the address is closed before VRRP begins. */
  #begin(): void {
    const start = (): void =>
      this.#run(() => {
        this.#parts.onBegun();
        this.#supervisor.start({ instances: this.#parts.configs, host: PLAIN_HOST }, () => undefined);
      });
    const config = this.#parts.databases?.config;
    if (config !== undefined) this.#databases?.configure(config);
    const guarded = config === undefined ? null : (this.#databases?.guard(config) ?? null);
    if (guarded === null) start();
    else void guarded.then(start);
  }

  #equip(timers: Timers): ModelDatabases | null {
    const { databases } = this.#parts;
    if (databases === null) return null;
    return databases.make(
      { timers, act: (action) => this.#run(action), dead: () => !this.#alive },
      {
        tell: (servers) => this.#supervisor.tellStandings({ ...NO_STANDINGS, ...servers }, []),
        answer: (answer) => this.#answerGate(answer),
        next: (question) => this.#hooks.ask(question),
        withdraw: (instance, gate) => this.#hooks.cancel(instance, gate),
        order: (order) => this.#supervisor.order(order),
      },
    );
  }

  #answerGate(answer: GateAnswer): void {
    const { observer, node } = this.#parts;
    observer.gate(node, answer.instance, answer.opened ? "opened" : "refused", answer.gate);
    this.#supervisor.answerGate(answer);
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
    this.#databases?.killed();
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
      void this.#databases?.stop();
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
      const { body } = message;
      tellHooks(this.#hooks, body);
      if (body.kind === "vrrp" && body.report.kind === "state") {
        this.#databases?.entered?.(body.instance, body.report.to);
      }
      if (isRival(body)) this.#databases?.rival(body.instance);
    } else if (message.type === "ask-gate") {
      this.#parts.observer.gate(this.#parts.node, message.instance, "asked", message.gate);
      (this.#databases ?? this.#hooks).ask(message);
    } else {
      this.#databases?.cancel(message.instance, message.gate);
      this.#hooks.cancel(message.instance, message.gate);
    }
  }

  #endIfStopped(): void {
    if (!this.#stopping || this.#supervisor.state().condition !== "stopped") return;
    this.#alive = false;
    this.#databases?.killed();
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
