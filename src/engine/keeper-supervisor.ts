/**
 * The keeper's life, seen from control: start, hello, configure, heartbeats, end, restart (docs/socket-pair.md).
 * Its one hard rule: nobody speaks for a keeper that may still act. A silent keeper is killed, its end is awaited, and only
 * then are its addresses removed and priority 0 sent in its name.
 */
import type { LogLevel } from "../core/events/log-line.ts";
import { type Instant, instant, millis, seconds } from "../core/lib/units.ts";
import {
  EXIT_DO_NOT_RESTART,
  type FromKeeper,
  HEARTBEAT_MILLIS,
  type KeeperSetup,
  LINK_VERSION,
  type Standings,
  type ToKeeper,
} from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { KeeperProcess } from "../ports/keeper-process.ts";
import type { Timer } from "../ports/timers.ts";
import { createGuardBook, type GuardBook } from "./guard-orders.ts";
import type { KeeperCondition, KeeperHost, KeeperOrder, KeeperState, KeeperSupervisor } from "./keeper-contract.ts";
import { arrival, createLeaving, knownStandings, type LeftKeeper } from "./keeper-leaving.ts";
import { silenceLimit } from "./keeper-patience.ts";
import { createLineReader } from "./line-reader.ts";

/** Until the first word of a new keeper; Node itself takes a tenth of a second, on a busy host several. */
export const START_LIMIT_MILLIS = 10_000;
const STATUS_DEBOUNCE = millis(100);
const STATUS_LIMIT = seconds(1);
/** A keeper that lived this long starts the back-off anew. */
const STABLE = seconds(60);
const BACKOFF_MAX_SECONDS = 60;

export type { KeeperCondition, KeeperHost, KeeperState, KeeperSupervisor } from "./keeper-contract.ts";
export { SILENCE_LIMIT_MILLIS } from "./keeper-patience.ts";

interface PendingConfigure {
  readonly serial: number;
  readonly setup: KeeperSetup;
  readonly onDone: (error: string | null) => void;
}

export function createKeeperSupervisor(host: KeeperHost): KeeperSupervisor {
  return new Supervisor(host);
}

class Supervisor implements KeeperSupervisor {
  readonly #host: KeeperHost;
  readonly #book: GuardBook;
  readonly #leaving: ReturnType<typeof createLeaving>;
  readonly #statusWaiters = new Map<number, (statuses: readonly VrrpInstanceStatus[]) => void>();
  #setup: KeeperSetup = { instances: [], host: PLAIN_HOST };
  #process: KeeperProcess | null = null;
  #condition: KeeperCondition = "starting";
  #detail: string | null = null;
  /** Why its word is worth nothing any more; outlives whatever else is said of this keeper. */
  #distrusted: string | null = null;
  #since: Instant;
  #startedAt: Instant;
  #heardAt: Instant;
  #tickedAt: Instant;
  #greeted = false;
  #saidStopped = false;
  #ticker: Timer | null = null;
  #restartTimer: Timer | null = null;
  #statusTimer: Timer | null = null;
  #logLevel: LogLevel | null = null;
  #restarts = 0;
  #failures = 0;
  #serial = 0;
  #statusId = 0;
  #pending: PendingConfigure | null = null;
  #stopping = false;
  /** A keeper died: what it left is the next one's to find, or ours to remove. */
  #untidy = false;
  #onStopped: (() => void)[] = [];

  constructor(host: KeeperHost) {
    this.#host = host;
    this.#leaving = createLeaving(host.timers, (message) => this.#send(message));
    this.#book = createGuardBook(host.keys, host.timers);
    const now = host.timers.now();
    this.#since = this.#startedAt = now;
    this.#heardAt = this.#tickedAt = now;
  }

  start(setup: KeeperSetup, onDone: (error: string | null) => void): void {
    this.#accept(setup);
    this.#pending = { serial: ++this.#serial, setup, onDone };
    this.#launch();
  }

  configure(setup: KeeperSetup, onDone: (error: string | null) => void): void {
    if (this.#stopping) {
      onDone("the daemon is stopping");
    } else if (this.#pending !== null) {
      onDone("the keeper is still taking over the configuration before this one; try again");
    } else if (this.#process === null || !this.#greeted) {
      // No keeper to ask: the next one is configured with it.
      this.#accept(setup);
      onDone(null);
    } else {
      this.#pending = { serial: ++this.#serial, setup, onDone };
      this.#send({ type: "configure", serial: this.#serial, ...setup });
    }
  }

  tellStandings(standings: Standings, succeeded: readonly string[]): void {
    if (this.#greeted) this.#send({ type: "standings", standings, succeeded });
  }

  tellSettings(): void {
    const settings = this.#host.settings();
    if (settings !== null) this.#send({ type: "settings", settings });
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    if (this.#greeted) this.#send({ type: "log-level", level });
  }

  answerGate(answer: { instance: string; gate: number; opened: boolean; reason: string }): void {
    const { instance, gate, opened, reason } = answer;
    this.#send({ type: "gate", instance, gate, opened, reason });
  }

  order(order: KeeperOrder): void {
    if (this.#greeted) this.#send(order);
  }

  status(clear = false): Promise<readonly VrrpInstanceStatus[] | null> {
    if (!this.#greeted || this.#condition !== "running") return Promise.resolve(null);
    const id = ++this.#statusId;
    return new Promise((resolve) => {
      const finish = (statuses: readonly VrrpInstanceStatus[] | null): void => {
        timer.cancel();
        this.#statusWaiters.delete(id);
        resolve(statuses);
      };
      const timer = this.#host.timers.schedule(STATUS_LIMIT, () => finish(null));
      this.#statusWaiters.set(id, finish);
      this.#send(clear ? { type: "status", id, clear } : { type: "status", id });
    });
  }

  state(): KeeperState {
    const pid = this.#process?.pid ?? null;
    return { condition: this.#condition, pid, restarts: this.#restarts, since: this.#since, detail: this.#detail };
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#onStopped.push(resolve);
      if (this.#stopping && this.#process !== null) return;
      this.#stopping = true;
      this.#restartTimer?.cancel();
      if (this.#process === null) this.#stopped();
      else if (this.#greeted) this.#send({ type: "stop" });
      else this.#process.kill();
    });
  }

  kill(): void {
    this.#process?.kill();
  }

  async leave(): Promise<LeftKeeper | null> {
    const left = this.#process;
    if (left === null || this.#condition !== "running" || this.#pending !== null || this.#stopping) return null;
    this.#ticker?.cancel();
    const gone = await this.#leaving.pause(left);
    if (gone === null && this.#process === left) this.#tick();
    return gone;
  }

  #launch(): void {
    const { timers, launcher } = this.#host;
    const now = timers.now();
    this.#startedAt = now;
    this.#heardAt = now;
    this.#tickedAt = now;
    this.#greeted = false;
    this.#saidStopped = false;
    this.#distrusted = null;
    this.#enter("starting", null);
    const lines = createLineReader((line) => this.#line(line));
    const started = launcher.launch({
      onData: (text) => {
        if (!lines.push(text)) this.#distrust("a line of the keeper never ended");
      },
      onExit: (end) => this.#exited(started.pid, end),
    });
    this.#process = started;
    this.#send({ type: "hello", version: LINK_VERSION });
    this.#tick();
  }

  #tick(): void {
    const { timers } = this.#host;
    const now = timers.now();
    // If control itself was stopped, the keeper's words may lie unread in the socket: first read, then judge.
    if (now - this.#tickedAt > 1.5 * HEARTBEAT_MILLIS * 1_000) this.#heardAt = now;
    this.#tickedAt = now;
    const silentMillis = Math.round((now - this.#heardAt) / 1_000);
    const { instances } = this.#pending?.setup ?? this.#setup;
    const idle = this.#book.speaking().length === 0;
    const limit = this.#greeted ? silenceLimit(instances, idle) : START_LIMIT_MILLIS;
    if (silentMillis > limit && this.#condition !== "frozen") this.#frozen(silentMillis);
    this.#send({ type: "heartbeat" });
    this.#ticker = timers.schedule(millis(HEARTBEAT_MILLIS), () => this.#tick());
  }

  #frozen(silentMillis: number): void {
    const pid = this.#process?.pid ?? 0;
    this.#enter("frozen", `silent for ${silentMillis} ms`);
    this.#process?.kill();
    this.#host.publish({ kind: "keeper-frozen", pid, silentMillis });
  }

  /** It breaks the protocol: nothing it says can be believed any more. */
  #distrust(detail: string): void {
    this.#distrusted ??= detail;
    this.#process?.kill();
  }

  #line(line: string): void {
    if (this.#distrusted !== null) return;
    this.#heardAt = this.#host.timers.now();
    let message: FromKeeper;
    try {
      message = JSON.parse(line) as FromKeeper;
    } catch {
      this.#distrust(`the keeper wrote a line that is no JSON: ${line.slice(0, 80)}`);
      return;
    }
    this.#handle(message);
  }

  #handle(message: FromKeeper): void {
    switch (message.type) {
      case "hello":
        this.#hello(message.version, message.pid);
        return;
      case "configured":
        this.#configured(message.serial, message.error);
        return;
      case "event":
        if (message.body.kind === "vrrp") this.#book.report(message.body.instance, message.body.report);
        this.#host.publish(message.body, instant(message.at));
        this.#host.onMessage(message);
        if (message.body.kind === "vrrp") this.#askStatusSoon();
        return;
      case "ask-gate":
      case "cancel-gate":
        this.#host.onMessage(message);
        return;
      case "status":
        this.#book.observe(message.instances);
        this.#statusWaiters.get(message.id)?.(message.instances);
        return;
      case "stopped":
        this.#saidStopped = true;
        return;
      case "paused":
        this.#leaving.heard();
        return;
      case "heartbeat":
        return;
    }
  }

  #hello(version: number, pid: number): void {
    if (version !== LINK_VERSION) {
      this.#detail = `the keeper speaks version ${version} of the protocol, control version ${LINK_VERSION}`;
      this.#process?.kill();
      this.#stopping = true;
      this.#host.onFatal(`${this.#detail}; install one version of Holdfast completely, then start it again`);
      return;
    }
    this.#greeted = true;
    this.#enter("running", null);
    this.#host.publish(arrival(this.#process, pid, this.#restarts));
    const setup = this.#pending?.setup ?? this.#setup;
    const serial = this.#pending?.serial ?? ++this.#serial;
    this.tellSettings();
    if (this.#logLevel !== null) this.#send({ type: "log-level", level: this.#logLevel });
    this.#send({ type: "configure", serial, ...setup });
    this.#send({ type: "standings", standings: this.#standings(), succeeded: [] });
    if (this.#stopping) this.#send({ type: "stop" });
  }

  #configured(serial: number, error: string | null): void {
    const pending = this.#pending;
    if (pending?.serial === serial) {
      this.#pending = null;
      if (error === null) this.#accept(pending.setup);
      pending.onDone(error);
      if (error === null) this.tellStandings(this.#standings(), []);
    } else if (error !== null) {
      this.#host.publish({
        kind: "reload",
        outcome: "refused",
        detail: `the restarted keeper refuses the configuration: ${error}`,
      });
    }
    this.#askStatusSoon();
  }

  #standings(): Standings {
    const all = this.#host.standings();
    return this.#process?.adopted === true ? knownStandings(all) : all;
  }

  #accept(setup: KeeperSetup): void {
    this.#setup = setup;
    this.#book.configure(setup.instances);
  }

  /** Status carries the source addresses that the priority-0 adverts need; asked once per burst of reports. */
  #askStatusSoon(): void {
    this.#statusTimer ??= this.#host.timers.schedule(STATUS_DEBOUNCE, () => {
      this.#statusTimer = null;
      if (this.#greeted) this.#send({ type: "status", id: 0 });
    });
  }

  #exited(pid: number, end: { readonly code: number | null; readonly signal: string | null }): void {
    const clean = this.#stopping && this.#saidStopped && end.code === 0;
    const now = this.#host.timers.now();
    this.#process = null;
    this.#greeted = false;
    this.#ticker?.cancel();
    const ending = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`;
    const how = this.#distrusted === null ? ending : `${ending}, because ${this.#distrusted}`;
    // The network first, words afterwards: every millisecond here is one without an owner of the address.
    const released = clean ? null : this.#speakForIt(this.#stopping || end.code === EXIT_DO_NOT_RESTART);
    this.#enter(this.#stopping ? "stopped" : "lost", this.#distrusted === null ? (this.#detail ?? how) : how);
    if (!clean) this.#host.publish({ kind: "keeper-lost", pid, how });
    if (released !== null) this.#host.publish({ kind: "guard-released", ...released });
    this.#host.onLost();
    const pending = this.#pending;
    if (this.#restarts > 0 || pending?.setup !== this.#setup) {
      this.#pending = null;
      pending?.onDone("the keeper was lost while it took over the configuration");
    }
    if (end.code === EXIT_DO_NOT_RESTART) this.#fatal();
    else if (this.#stopping) this.#stopped();
    else this.#restartLater((now - this.#startedAt) as number);
  }

  #speakForIt(last: boolean): { instances: readonly string[]; addresses: VrrpInstanceStatus["addresses"] } {
    const instances = this.#book.speaking();
    // Static objects stay for the next keeper; with none to come they go now.
    const { statics } = last ? this.#setup.host : PLAIN_HOST;
    const { removed, errors } = this.#host.guard.release(this.#book.orders(), statics);
    this.#book.reset();
    this.#untidy = true;
    if (errors.length > 0) this.#detail = errors.map((error) => `${error.what}: ${error.errno}`).join("; ");
    return { instances, addresses: removed };
  }

  #fatal(): void {
    const reason =
      this.#detail ??
      `the keeper ended with code ${EXIT_DO_NOT_RESTART}: its settings or its version do not fit; its last lines say why`;
    this.#stopping = true;
    this.#enter("stopped", reason);
    this.#host.onFatal(reason);
    this.#stopped();
  }

  #stopped(): void {
    this.#enter("stopped", this.#detail);
    if (this.#untidy) this.#host.guard.tidy();
    this.#untidy = false;
    const waiting = this.#onStopped;
    this.#onStopped = [];
    for (const resolve of waiting) resolve();
  }

  #restartLater(livedMicros: number): void {
    if (livedMicros >= STABLE) this.#failures = 0;
    const delay = this.#failures === 0 ? 0 : Math.min(2 ** (this.#failures - 1), BACKOFF_MAX_SECONDS);
    this.#failures += 1;
    this.#restarts += 1;
    this.#restartTimer = this.#host.timers.schedule(seconds(delay), () => this.#launch());
  }

  #enter(condition: KeeperCondition, detail: string | null): void {
    if (condition !== this.#condition) this.#since = this.#host.timers.now();
    this.#condition = condition;
    this.#detail = detail;
  }

  #send(message: ToKeeper): void {
    this.#process?.send(`${JSON.stringify(message)}\n`);
  }
}
