/**
 * Folds events, status snapshots and the configuration into what `status` and `explain` show.
 * Owns the numbering of events and a bounded ring of the latest ones. Decides nothing and asks nobody: snapshots
 * are brought to it.
 */
import type { Diagnostic, HoldfastConfig } from "../core/config/model.ts";
import { failureInWords, faultInWords } from "../core/events/explain.ts";
import { isTransient } from "../core/events/packet-events.ts";
import type { SplitBrainEventBody } from "../core/events/split-brain-events.ts";
import type { HoldfastEvent, HoldfastEventBody } from "../core/events/vocabulary.ts";
import { waitInWords } from "../core/quorum/words.ts";
import type { Fault } from "../core/vrrp/causes.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { CheckStatus } from "../engine/check-runner.ts";
import type { KeeperState } from "../engine/keeper-supervisor.ts";
import type { MysqlStatus } from "../engine/mysql-engine.ts";
import type { QuorumStatus } from "../engine/quorum/quorum-gate.ts";
import type { RedisStatus } from "../engine/redis-engine.ts";
import type { PeerState } from "../ports/peer-link.ts";
import { CheckBoard } from "./check-board.ts";
import type { EventEntry, HookView, InstanceView, KeeperView, StatusReply } from "./contract/types.ts";
import { mysqlView } from "./mysql-view.ts";
import { peerView } from "./peer-view.ts";
import { quorumView } from "./quorum-view.ts";
import { redisView } from "./redis-view.ts";
import { unwillingSiblings } from "./siblings.ts";

export interface ModelClock {
  /** CLOCK_MONOTONIC in microseconds. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallMillis(): number;
}

/** What the model needs of the event bus. */
export interface EventSource {
  subscribe(listener: (event: HoldfastEvent) => void): () => void;
}

export interface ReadModelOptions {
  readonly clock: ModelClock;
  readonly version: string;
  readonly pid: number;
  readonly configFile: string;
  readonly stateDir: string;
  /** Sequence number of the first event: one more than the journal's last. */
  readonly firstSequence?: number;
  /** Events kept in memory. */
  readonly ringSize?: number;
}

const RING_SIZE = 2_000;

export class ReadModel {
  readonly #options: ReadModelOptions;
  readonly #ringSize: number;
  readonly #startedAt: number;
  readonly #checks = new CheckBoard();
  readonly #hooks = new Map<string, Map<string, HookView>>();
  readonly #splitBrains = new Map<string, NonNullable<InstanceView["splitBrain"]>>();
  readonly #listeners = new Set<(entry: EventEntry) => void>();
  #ring: EventEntry[] = [];
  #nextSequence: number;
  #config: HoldfastConfig | null = null;
  #diagnostics: readonly Diagnostic[] = [];
  #mysql: readonly MysqlStatus[] = [];
  #redis: readonly RedisStatus[] = [];
  #peers: readonly PeerState[] = [];
  #quorum: QuorumStatus | null = null;
  #snapshot: readonly VrrpInstanceStatus[] = [];
  #stale = true;
  #keeper: KeeperView = { state: "starting", pid: null, restarts: 0, since: null, detail: null };
  #stopping = false;
  #lastReload: StatusReply["lastReload"] = null;
  #journal: { writable: boolean; detail: string | null } = { writable: true, detail: null };

  constructor(options: ReadModelOptions) {
    this.#options = options;
    this.#ringSize = options.ringSize ?? RING_SIZE;
    this.#nextSequence = options.firstSequence ?? 1;
    this.#startedAt = options.clock.wallMillis();
  }

  get config(): HoldfastConfig | null {
    return this.#config;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  get lastSequence(): number {
    return this.#nextSequence - 1;
  }

  /** Subscribes to the bus; returns the way out. */
  observe(source: EventSource): () => void {
    return source.subscribe((event) => void this.record(event));
  }

  /** Called with every event after it has been folded: journal and event streams listen here. */
  subscribe(listener: (entry: EventEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  record(event: HoldfastEvent): EventEntry {
    if (isTransient(event.body)) return this.#pass(event);
    const entry: EventEntry = { sequence: this.#nextSequence++, ...event };
    this.#ring.push(entry);
    // Cut in blocks: a shift per event would copy the ring each time.
    if (this.#ring.length > this.#ringSize * 1.25) this.#ring = this.#ring.slice(-this.#ringSize);
    this.#fold(event.body, event.time);
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** For those who watch; it has no number of its own, because nothing keeps it. */
  #pass(event: HoldfastEvent): EventEntry {
    const entry: EventEntry = { sequence: this.lastSequence, ...event };
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** Numbers what is in the ring anew, so that it follows a journal that was opened only now. */
  continueFrom(firstSequence: number): void {
    const shift = firstSequence - (this.#options.firstSequence ?? 1);
    this.#ring = this.#ring.map((entry) => ({ ...entry, sequence: entry.sequence + shift }));
    this.#nextSequence += shift;
  }

  setConfig(config: HoldfastConfig, diagnostics: readonly Diagnostic[]): void {
    this.#config = config;
    this.#diagnostics = diagnostics;
    this.#checks.configure(config);
  }

  setSnapshot(instances: readonly VrrpInstanceStatus[]): void {
    this.#snapshot = instances;
    this.#stale = false;
  }

  /** The keeper did not answer: what is shown is what was last seen. */
  markStale(): void {
    this.#stale = true;
  }

  setChecks(statuses: readonly CheckStatus[]): void {
    this.#checks.setStatuses(statuses, (at) => this.wallTime(at));
  }

  setRedis(statuses: readonly RedisStatus[]): void {
    this.#redis = statuses;
  }

  setMysql(statuses: readonly MysqlStatus[]): void {
    this.#mysql = statuses;
  }

  setPeers(states: readonly PeerState[]): void {
    this.#peers = states;
  }

  setQuorum(status: QuorumStatus | null): void {
    this.#quorum = status;
  }

  setKeeper(state: KeeperState): void {
    const { condition, pid, restarts, since, detail } = state;
    this.#keeper = { state: condition, pid, restarts, since: this.wallTime(since), detail };
  }

  /** Milliseconds since the epoch, of this moment. */
  now(): number {
    return this.#options.clock.wallMillis();
  }

  /** Of a time of the daemon's clock. */
  wallTime(monotonic: number): number {
    const { clock } = this.#options;
    return Math.round(clock.wallMillis() - (clock.now() - monotonic) / 1_000);
  }

  setJournal(writable: boolean, detail: string | null): void {
    this.#journal = { writable, detail };
  }

  /** Events in the ring, oldest first, after a sequence number. */
  recent(since = 0): readonly EventEntry[] {
    return since === 0 ? this.#ring : this.#ring.filter((entry) => entry.sequence > since);
  }

  status(): StatusReply {
    const { clock, version, pid, configFile, stateDir } = this.#options;
    const views = { config: this.#config, wallTime: (at: number) => this.wallTime(at) };
    return {
      api: 1,
      now: clock.wallMillis(),
      daemon: { version, pid, startedAt: this.#startedAt, configFile, stateDir, stopping: this.#stopping },
      keeper: this.#keeper,
      stale: this.#stale,
      instances: this.#snapshot.map((status) => this.#view(status)),
      checks: [...this.#checks.views()],
      mysql: this.#mysql.map((one) => mysqlView(one, views)),
      redis: this.#redis.map((one) => redisView(one, views)),
      peers: this.#peers.map((one) => peerView(one, (at) => this.wallTime(at))),
      quorum: quorumView(this.#quorum, { now: clock.now(), wallTime: views.wallTime }),
      lastReload: this.#lastReload,
      journal: { ...this.#journal, lastSequence: this.lastSequence },
      diagnostics: [...this.#diagnostics],
    };
  }

  #view(status: VrrpInstanceStatus): InstanceView {
    const now = this.#options.clock.now();
    const millisSince = (micros: number): number => Math.max(0, Math.round((now - micros) / 1_000));
    const forMillis = millisSince(status.since);
    const { master } = status;
    const hooks = [...(this.#hooks.get(status.name)?.values() ?? [])];
    return {
      name: status.name,
      interface: status.interface,
      virtualRouterId: status.virtualRouterId,
      version: status.version,
      state: status.state,
      phase: status.phase,
      cause: status.cause,
      since: this.#options.clock.wallMillis() - forMillis,
      forMillis,
      basePriority: status.basePriority,
      priority: status.priority,
      faults: [...status.faults],
      syncGroup: status.syncGroup,
      wantsMaster: status.wantsMaster,
      addresses: [...status.addresses],
      holding: status.holding,
      leaseRemainingMillis: remaining(status.leaseUntil, now),
      fenceRemainingMillis: remaining(status.fenceUntil ?? null, now),
      masterDownMillis: Math.round(status.timers.masterDown / 1_000),
      master:
        master === null
          ? null
          : { source: master.source, priority: master.priority, heardMillisAgo: millisSince(master.heardAt) },
      source: status.source,
      reason: this.#reason(status, hooks),
      splitBrain: this.#splitBrains.get(status.name) ?? null,
      counters: status.counters,
      hooks,
    };
  }

  #reason(status: VrrpInstanceStatus, hooks: readonly HookView[]): string | null {
    if (status.faults.length > 0) return status.faults.map((fault) => this.#faultWithDetail(fault)).join("; ");
    if (status.phase === "PREPARING" || status.phase === "CLAIMING")
      return this.#storeReason(status.name) ?? gateReason(hooks, "notify_claim");
    if (status.phase === "RELEASING") return gateReason(hooks, "notify_release");
    if (this.#stale && this.#keeper.state !== "running") return "its keeper is gone; the next one begins anew";
    if (status.phase === "INIT") return "waits for the first result of its checks";
    const siblings = unwillingSiblings(status, this.#snapshot);
    if (siblings !== null) return `waits for ${siblings} of sync group ${status.syncGroup} to want MASTER`;
    return null;
  }

  /** The store holds the claim up; the hook has not been asked yet. */
  #storeReason(instance: string): string | null {
    const group = this.#quorum?.groups.find((one) => one.instance === instance) ?? null;
    if (group === null || group.waitsUntil === null) return null;
    const millis = Math.max(0, (group.waitsUntil - this.#options.clock.now()) / 1_000);
    return `waits for the quorum store: ${waitInWords(group.holder, millis)}`;
  }

  #faultWithDetail(fault: Fault): string {
    const check = fault.kind === "script" ? this.#checks.find(fault.key) : undefined;
    if (check === undefined || check.outcome === null) return faultInWords(fault);
    return `${faultInWords(fault)}: ${failureInWords(check.outcome, check.lastError)}`;
  }

  #fold(body: HoldfastEventBody, time: number): void {
    switch (body.kind) {
      case "check":
        this.#checks.fold(body, time);
        break;
      case "hook-started":
      case "hook-ended":
        this.#foldHook(body, time);
        break;
      case "keeper-started":
        this.#keeper = { state: "running", pid: body.pid, restarts: body.restart, since: time, detail: null };
        break;
      case "keeper-lost":
        this.#keeper = { ...this.#keeper, state: "lost", since: time, detail: body.how };
        this.#startOver();
        break;
      case "guard-released":
        this.#released(body.instances);
        break;
      case "keeper-frozen":
        this.#keeper = { ...this.#keeper, state: "frozen", since: time, detail: `silent for ${body.silentMillis} ms` };
        break;
      case "reload":
        this.#lastReload = { at: time, outcome: body.outcome, detail: body.detail };
        break;
      case "split-brain":
        this.#foldSplitBrain(body, time);
        break;
      case "journal-unwritable":
        this.#journal = { writable: false, detail: body.detail };
        break;
      case "stopping":
        this.#stopping = true;
        break;
      default:
        break;
    }
  }

  /** A dead keeper has no state: every instance begins again with the next one. */
  #startOver(): void {
    const since = this.#options.clock.now();
    this.#snapshot = this.#snapshot.map((status) => ({
      ...status,
      state: "INIT",
      phase: "INIT",
      cause: { code: "start" },
      since,
      faults: [],
      master: null,
    }));
    this.#stale = true;
  }

  #released(instances: readonly string[]): void {
    this.#snapshot = this.#snapshot.map((status) =>
      instances.includes(status.name) ? { ...status, holding: false, leaseUntil: null, fenceUntil: null } : status,
    );
  }

  #foldSplitBrain(body: SplitBrainEventBody, time: number): void {
    const { instance, action, signs, yields, detail, forMillis } = body;
    if (action === "over") this.#splitBrains.delete(instance);
    else this.#splitBrains.set(instance, { since: time - forMillis, signs: [...signs], yields, detail });
  }

  #foldHook(body: Extract<HoldfastEventBody, { kind: "hook-started" | "hook-ended" }>, time: number): void {
    const ofInstance = this.#hooks.get(body.instance) ?? new Map<string, HookView>();
    this.#hooks.set(body.instance, ofInstance);
    const ended = body.kind === "hook-ended";
    ofInstance.set(body.hook, {
      hook: body.hook,
      command: body.command,
      running: !ended,
      startedAt: ended ? time - Math.round(body.durationMillis) : time,
      endedAt: ended ? time : null,
      outcome: ended ? body.outcome : null,
      lastError: ended ? body.lastError : null,
      durationMillis: ended ? body.durationMillis : null,
    });
  }
}

function gateReason(hooks: readonly HookView[], kind: HookView["hook"]): string {
  const hook = hooks.find((candidate) => candidate.hook === kind);
  return hook?.running === true ? `waits for ${kind}: ${hook.command}` : `waits for ${kind}`;
}

const remaining = (until: number | null, now: number): number | null =>
  until === null ? null : Math.max(0, Math.round((until - now) / 1_000));
