/**
 * Redis servers that are managed: promoted before their instance takes its address, closed before it gives it up, and looked after all the
 * time in between (redis-keeping.ts). Stands between the keeper's gates and the hooks, as mysql-manager.ts does. One thing at a time for each
 * instance.
 */

import type { HoldfastConfig } from "../core/config/model.ts";
import { NAMING_STEP, type NamingOutcome, standsAgainst } from "../core/database/first-writer.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { after, elapsed, millis, seconds } from "../core/lib/units.ts";
import type { Peer } from "../core/redis/peer.ts";
import type { TakeoverPlan } from "../core/redis/takeover.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import { FirstWriter } from "./first-writer.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { closeCommands, failureInWords, RedisServers, sessionsEnded } from "./redis-group.ts";
import { RedisKeeping } from "./redis-keeping.ts";
import {
  type ManagedRedis,
  type RedisRun,
  type RedisSettings,
  type RedisStepEvent,
  redisSettingsOf,
} from "./redis-managed.ts";
import { MarkKeeper } from "./redis-mark.ts";
import { type MoveOutcome, RedisSwitchover } from "./redis-switchover.ts";
import { RedisTakeover, type RedisTools } from "./redis-takeover.ts";

export interface RedisManagerOptions {
  readonly tools: RedisTools;
  readonly publish: (body: HoldfastEventBody) => void;
  readonly answer: (answer: GateAnswer) => void;
  /** The gate goes on with the next manager. */
  readonly next: (question: GateQuestion) => void;
  /** The instance is to let its address go, for another host. */
  readonly handOver: (instance: string) => void;
  /** A writer is cut off, so that it must not serve; null when that is over. */
  readonly isolate: (name: string, millis: number | null) => void;
}

/** How long an operator's consent waits for the claim that it is meant for. */
const CONSENT = seconds(60);
/** What was silent at the last look need not be waited for again. */
const FRESH = millis(1_500);

export class RedisManager {
  readonly #options: RedisManagerOptions;
  readonly #managed = new Map<string, { readonly managed: ManagedRedis; keeping: RedisKeeping }>();

  constructor(options: RedisManagerOptions) {
    this.#options = options;
  }

  configure(config: HoldfastConfig): void {
    const wanted = redisSettingsOf(config);
    for (const [instance, { managed, keeping }] of this.#managed) {
      if (wanted.has(instance)) continue;
      keeping.end();
      managed.mark.end();
      this.#managed.delete(instance);
    }
    for (const [instance, settings] of wanted) this.#adopt(instance, settings);
  }

  #adopt(instance: string, settings: RedisSettings): void {
    const known = this.#managed.get(instance);
    if (known === undefined) {
      const { redis, marks } = this.#options.tools;
      const managed: ManagedRedis = {
        instance,
        ...settings,
        state: "INIT",
        open: false,
        openedAt: null,
        closed: false,
        knownRun: null,
        first: new FirstWriter(marks, `first-writer-redis-${settings.config.name}`),
        mark: new MarkKeeper(redis, marks, settings.config),
        runs: new Set(),
        moving: false,
        consentUntil: null,
        queue: Promise.resolve(),
        silent: null,
      };
      this.#managed.set(instance, { managed, keeping: this.#keep(managed) });
      return;
    }
    Object.assign(known.managed, settings);
    known.managed.mark.adopt(settings.config);
    known.keeping.end();
    known.keeping = this.#keep(known.managed);
  }

  #keep(managed: ManagedRedis): RedisKeeping {
    return new RedisKeeping(
      {
        tools: this.#options.tools,
        tell: (what, step, outcome, detail) => this.#tell(managed, { what, step, outcome, detail }),
        alone: (action) => this.#queue(managed, action),
        close: (what) => this.#close(managed, what),
        letGo: (why) => {
          this.#tell(managed, { what: "guard", step: "let the address go", outcome: "done", detail: why });
          this.#options.handOver(managed.instance);
        },
        isolate: (length) => this.#options.isolate(managed.config.name, length),
      },
      managed,
    );
  }

  /** Closes what is open without the address, before VRRP begins. */
  async guard(): Promise<void> {
    await Promise.all(
      [...this.#managed.values()].map(async ({ managed }) => {
        await managed.mark.load();
        await this.#close(managed, "guard");
      }),
    );
  }

  ask(question: GateQuestion): void {
    const managed = this.#managed.get(question.instance)?.managed;
    if (managed === undefined) this.#options.next(question);
    else if (question.which === "claim") this.#claim(managed, question);
    else this.#queue(managed, () => this.#release(managed, question));
  }

  #claim(managed: ManagedRedis, question: GateQuestion): void {
    const run: RedisRun = { gate: question.gate, cancelled: false };
    managed.runs.add(run);
    this.#queue(managed, async () => {
      try {
        if (!run.cancelled) await this.#prepare(managed, question, run);
      } finally {
        managed.runs.delete(run);
      }
    });
  }

  async #prepare(managed: ManagedRedis, question: GateQuestion, run: RedisRun): Promise<void> {
    await managed.mark.load();
    const prepared = await this.#takeover(managed, () => run.cancelled).run();
    const detail = prepared.ok ? "" : prepared.error;
    const [step, outcome] = prepared.ok
      ? (["the server is ready", "ready"] as const)
      : (["the claim is", "refused"] as const);
    this.#tell(managed, { what: "takeover", step, outcome, detail });
    if (prepared.ok && !run.cancelled) {
      // Told to the others at once, but nobody waits for it.
      void managed.mark.tell(managed.knownRun ?? "");
      this.#options.next(question);
      return;
    }
    // What was promoted and is not wanted, or not known to be, does not stay so.
    if (managed.open) await this.#close(managed, "release");
    if (run.cancelled) return;
    const reason = `redis ${managed.config.name}: ${detail}`;
    this.#options.answer({ instance: managed.instance, gate: question.gate, opened: false, reason });
  }

  #takeover(managed: ManagedRedis, cancelled: () => boolean): RedisTakeover {
    const { timers } = this.#options.tools;
    return new RedisTakeover(this.#options.tools, managed.config, {
      knownRun: managed.knownRun,
      named: () => managed.first.named(),
      consented: managed.consentUntil !== null && timers.now() < managed.consentUntil,
      markOf: (run) => managed.mark.of(run),
      virtualHosts: managed.virtualHosts,
      silent: this.#silentPeers(managed),
      cancelled,
      tell: (step, outcome, detail) => this.#tell(managed, { what: "takeover", step, outcome, detail }),
      write: (mark, run) => managed.mark.write(mark, run),
      onPromoting: (runId) => {
        managed.open = true;
        managed.closed = false;
        managed.openedAt = timers.now();
        managed.knownRun = runId;
        managed.first.forget();
      },
    });
  }

  #silentPeers({ silent }: ManagedRedis): readonly Peer[] {
    const fresh = silent !== null && elapsed(silent.at, this.#options.tools.timers.now()) < FRESH;
    return fresh ? silent.peers : [];
  }

  async #release(managed: ManagedRedis, question: GateQuestion): Promise<void> {
    if (!managed.closed) await this.#close(managed, "release");
    managed.closed = false;
    this.#options.next(question);
  }

  /** A server that cannot be asked is told, and closed at the first look that finds it open. */
  async #close(managed: ManagedRedis, what: "guard" | "release"): Promise<void> {
    const { config, virtualHosts } = managed;
    const servers = new RedisServers(this.#options.tools.redis, config);
    try {
      const facts = await servers.own.facts();
      if (facts.ok && (facts.value.sentinel || (facts.value.source !== null && facts.value.readOnly && !managed.open)))
        return;
      const step = "close the own server for writes (REPLICAOF 127.0.0.1 1)";
      const closed = facts.ok ? await servers.own.order(closeCommands(config, virtualHosts)) : facts;
      const ended = closed.ok ? sessionsEnded(closed.value) : 0;
      const detail = closed.ok ? (ended === 0 ? "" : `${ended} sessions ended`) : failureInWords(closed.error);
      this.#tell(managed, { what, step, outcome: closed.ok ? "done" : "failed", detail });
    } finally {
      servers.close();
      if (managed.open) {
        managed.open = false;
        managed.knownRun = null;
      }
    }
  }

  cancel(instance: string, gate: number): void {
    for (const run of this.#managed.get(instance)?.managed.runs ?? []) if (run.gate === gate) run.cancelled = true;
  }

  cancelAll(): void {
    for (const { managed } of this.#managed.values()) for (const run of managed.runs) run.cancelled = true;
  }

  entered(instance: string, state: VrrpStateName): void {
    const managed = this.#managed.get(instance)?.managed;
    if (managed === undefined) return;
    managed.state = state;
    if (state !== "MASTER" && managed.open) this.#queue(managed, () => this.#close(managed, "release"));
  }

  #find(name: string) {
    return [...this.#managed.values()].find(({ managed }) => managed.config.name === name);
  }

  manages(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  troubles(name: string): readonly string[] {
    return this.#find(name)?.keeping.troubles ?? [];
  }

  async plan(name: string): Promise<TakeoverPlan | null> {
    const managed = this.#find(name)?.managed;
    if (managed === undefined) return null;
    await managed.mark.load();
    return await this.#takeover(managed, () => false).plan();
  }

  consent(name: string): boolean {
    const managed = this.#find(name)?.managed;
    if (managed === undefined) return false;
    managed.consentUntil = after(this.#options.tools.timers.now(), CONSENT);
    return true;
  }

  /** The server may be the first writer although no peer can be asked; null when nobody manages it. */
  async nameWriter(name: string): Promise<NamingOutcome | null> {
    const managed = this.#find(name)?.managed;
    if (managed === undefined) return null;
    const servers = new RedisServers(this.#options.tools.redis, managed.config);
    const { own, peers } = await servers.ask();
    servers.close();
    const ownProblem = own.ok ? null : failureInWords(own.error);
    const against = standsAgainst({ open: managed.open, ownProblem }, peers);
    if (against !== null) return { named: false, detail: against };
    const written = await managed.first.name("");
    if (!written.ok) return { named: false, detail: written.error };
    this.#tell(managed, { what: "takeover", step: NAMING_STEP, outcome: "done", detail: "" });
    const silent = peers.map(({ address }) => address).join(", ");
    return { named: true, detail: `${silent} cannot be asked; the next claim goes on without that` };
  }

  switchover(name: string): Promise<MoveOutcome> | null {
    return this.#move(name)?.run() ?? null;
  }

  planSwitchover(name: string): Promise<TakeoverPlan> | null {
    return this.#move(name)?.plan() ?? null;
  }

  #move(name: string): RedisSwitchover | null {
    const managed = this.#find(name)?.managed;
    if (managed === undefined) return null;
    return new RedisSwitchover({
      tools: this.#options.tools,
      managed,
      tell: (step, outcome, detail) => this.#tell(managed, { what: "switchover", step, outcome, detail }),
      alone: (action) =>
        new Promise((resolve, reject) => {
          this.#queue(managed, () => action().then(resolve, reject));
        }),
      handOver: () => this.#options.handOver(managed.instance),
    });
  }

  /** Resolves when everything begun for that instance is done. */
  settled(instance: string): Promise<void> {
    return this.#managed.get(instance)?.managed.queue ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.cancelAll();
    for (const { keeping } of this.#managed.values()) keeping.end();
    await Promise.all([...this.#managed.values()].map(({ managed }) => managed.queue));
    for (const { managed } of this.#managed.values()) managed.mark.end();
  }

  #queue(managed: ManagedRedis, action: () => Promise<void>): void {
    managed.queue = managed.queue.then(action).catch((error: unknown) => {
      // Whatever it is: the next order must have its turn, above all one that closes.
      this.#tell(managed, { what: "guard", step: "an unexpected error", outcome: "failed", detail: String(error) });
    });
  }

  #tell(managed: ManagedRedis, one: Pick<RedisStepEvent, "what" | "step" | "outcome" | "detail">): void {
    const { instance, config } = managed;
    this.#options.publish({ kind: "redis-step", name: config.name, instance, ...one });
  }
}
