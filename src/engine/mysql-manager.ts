/**
 * Servers that are managed: opened before their instance takes its address, closed before it gives it up, and closed whenever they are
 * found open without it. Stands between the keeper's gates and the hooks: a server is prepared before notify_claim runs and closed before
 * notify_release. One thing at a time for each instance.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { ok } from "../core/lib/result.ts";
import { after, elapsed, micros, seconds, toMillis } from "../core/lib/units.ts";
import type { MysqlFacts } from "../core/mysql/facts.ts";
import { closeStatement, replicaOrder } from "../core/mysql/orders.ts";
import type { ServerPositions } from "../core/mysql/positions.ts";
import type { TakeoverPlan } from "../core/mysql/takeover.ts";
import type { ServerVersion } from "../core/mysql/version.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { type DoctorReport, examine } from "./mysql-doctor.ts";
import { askPositions, failureInWords } from "./mysql-group.ts";
import { watchIsolation } from "./mysql-isolating.ts";
import { type Managed, type ManagedSettings, managedOf, newManaged, noteChannels, type Run } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import { Switchover, type SwitchoverHost, type SwitchoverOutcome } from "./mysql-switchover.ts";
import { Takeover, type TakeoverTools } from "./mysql-takeover.ts";
import { MysqlTending } from "./mysql-tending.ts";

export interface MysqlManagerOptions {
  readonly tools: TakeoverTools;
  readonly publish: (body: HoldfastEventBody) => void;
  readonly answer: (answer: GateAnswer) => void;
  /** A writer is cut off, so that it must not serve; null when that is over. */
  readonly isolate: (name: string, millis: number | null) => void;
  /** The instance is to let its address go, for another host. */
  readonly handOver: (instance: string) => void;
  /** The gate goes on with the administrator's hook. */
  readonly next: (question: GateQuestion) => void;
}

export interface MysqlManager {
  configure(config: HoldfastConfig): void;
  /** Closes what is managed, before VRRP begins; resolves when that is done or cannot be done now. */
  guard(): Promise<void>;
  /** Call with every gate: those of instances without a managed server go straight on. */
  ask(question: GateQuestion): void;
  cancel(instance: string, gate: number): void;
  cancelAll(): void;
  entered(instance: string, state: VrrpStateName): void;
  /** After every look at a server; null while it cannot be asked. */
  looked(name: string, facts: MysqlFacts | null): void;
  /** Where all servers of a managed block stand; null when nobody manages it. */
  positions(name: string): Promise<readonly ServerPositions[]> | null;
  /** What is wrong with a group that this host writes to, and stays so; empty elsewhere. */
  troubles(name: string): readonly string[];
  /** What is set on them that should not be; null when nobody manages it. */
  examine(name: string): Promise<DoctorReport> | null;
  /** What a claim would do now; null when nobody manages that server. */
  plan(name: string): Promise<TakeoverPlan> | null;
  /** The next claim within CONSENT may go on where only an operator can decide; false when nobody manages that server. */
  consent(name: string): boolean;
  /** Moves the writer away from this host; null when nobody manages that server. */
  switchover(name: string): Promise<SwitchoverOutcome> | null;
  /** What that would do. */
  planSwitchover(name: string): Promise<TakeoverPlan> | null;
  /** Resolves when what was being closed is closed. */
  stop(): Promise<void>;
}

/** Beyond takeover_deadline: other members of a sync group may still prepare. */
const UNWANTED = seconds(5);

/** How long an operator's consent waits for the claim that it is meant for. */
export const CONSENT = seconds(60);

export function createMysqlManager(options: MysqlManagerOptions): MysqlManager {
  return new Manager(options);
}

type What = Extract<HoldfastEventBody, { kind: "mysql-step" }>;

class Manager implements MysqlManager {
  readonly #options: MysqlManagerOptions;
  readonly #managed = new Map<string, Managed>();

  constructor(options: MysqlManagerOptions) {
    this.#options = options;
  }

  configure(config: HoldfastConfig): void {
    const wanted = managedOf(config);
    for (const [instance, managed] of this.#managed) {
      if (wanted.has(instance)) continue;
      managed.tending?.end();
      managed.isolation?.end();
      this.#managed.delete(instance);
    }
    for (const [instance, settings] of wanted) this.#adopt(instance, settings);
  }

  #adopt(instance: string, settings: ManagedSettings): void {
    const known = this.#managed.get(instance);
    if (known === undefined) {
      this.#managed.set(instance, newManaged(instance, settings));
      return;
    }
    Object.assign(known, settings);
    if (known.tending !== null) this.#tend(known);
  }

  async guard(): Promise<void> {
    await Promise.all([...this.#managed.values()].map((managed) => this.#close(managed, "guard")));
  }

  ask(question: GateQuestion): void {
    const managed = this.#managed.get(question.instance);
    if (managed === undefined) this.#options.next(question);
    else if (question.which === "claim") {
      const run = { gate: question.gate, cancelled: false };
      managed.runs.add(run);
      this.#queue(managed, () => this.#claim(managed, question, run));
    } else this.#queue(managed, () => this.#release(managed, question));
  }

  cancel(instance: string, gate: number): void {
    for (const run of this.#managed.get(instance)?.runs ?? []) if (run.gate === gate) run.cancelled = true;
  }

  cancelAll(): void {
    for (const { runs } of this.#managed.values()) for (const run of runs) run.cancelled = true;
  }

  entered(instance: string, state: VrrpStateName): void {
    const managed = this.#managed.get(instance);
    if (managed === undefined) return;
    managed.state = state;
    if (state !== "MASTER" && managed.open) this.#queue(managed, () => this.#close(managed, "release"));
  }

  looked(name: string, facts: MysqlFacts | null): void {
    for (const managed of this.#managed.values()) if (managed.config.name === name) this.#looked(managed, facts);
  }

  #looked(managed: Managed, facts: MysqlFacts | null): void {
    if (managed.runs.size > 0) return;
    if (managed.open) {
      this.#closeUnwanted(managed);
      return;
    }
    // A server that starts again has thrown away what it had received (MariaDB with GTIDs), or may have.
    if (facts === null) managed.known = false;
    else {
      const givenUp = noteChannels(managed, facts);
      if (givenUp !== undefined && !managed.resuming) this.#resume(managed, facts.version, givenUp.channel);
      if (facts.closedBy === null && managed.state !== "MASTER" && !managed.closing) {
        managed.closing = true;
        this.#queue(managed, async () => {
          if (!managed.open && managed.state !== "MASTER") await this.#close(managed, "guard");
          managed.closing = false;
        });
      }
    }
  }

  /** The gate was opened and nobody went through it: its claim was given up in that very moment. */
  #closeUnwanted(managed: Managed): void {
    const { state, openedAt, config, closing } = managed;
    const limit = micros(config.group.takeoverDeadline + UNWANTED);
    if (state === "MASTER" || closing || openedAt === null) return;
    if (elapsed(openedAt, this.#options.tools.timers.now()) < limit) return;
    managed.closing = true;
    this.#queue(managed, async () => {
      if (managed.open && managed.state !== "MASTER") await this.#close(managed, "release");
      managed.closing = false;
    });
  }

  #find(name: string): Managed | undefined {
    return [...this.#managed.values()].find(({ config }) => config.name === name);
  }

  plan(name: string): Promise<TakeoverPlan> | null {
    const managed = this.#find(name);
    if (managed === undefined) return null;
    return this.#takeover(managed, () => false).plan();
  }

  positions(name: string): Promise<readonly ServerPositions[]> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : askPositions(this.#options.tools.sql, managed.config);
  }

  troubles(name: string): readonly string[] {
    return this.#find(name)?.tending?.troubles ?? [];
  }

  examine(name: string): Promise<DoctorReport> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : examine(this.#options.tools, managed.config);
  }

  planSwitchover(name: string): Promise<TakeoverPlan> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : this.#switchover(managed).plan();
  }

  switchover(name: string): Promise<SwitchoverOutcome> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : this.#switchover(managed).run();
  }

  #switchover(managed: Managed): Switchover {
    const host: SwitchoverHost = {
      tools: this.#options.tools,
      tell: (step, outcome, detail) => this.#tell(managed, { what: "switchover", step, outcome, detail }),
      alone: (action) =>
        new Promise((resolve, reject) => {
          this.#queue(managed, () => action().then(resolve, reject));
        }),
      state: () => managed.state,
      refused: () => {
        const { state, open, config } = managed;
        if (state === "MASTER" && open) return managed.staysHere;
        return `this host is not the writer of ${config.name}: run it on the host that has the address`;
      },
      closing: () => {
        managed.open = false;
        managed.tending?.end();
        managed.tending = null;
      },
      closed: () => {
        managed.closed = true;
      },
      openedAgain: () => {
        managed.open = true;
        managed.closed = false;
        this.#tend(managed);
      },
      handOver: () => this.#options.handOver(managed.instance),
    };
    return new Switchover(host, managed.config);
  }

  /** It follows again when the peer is back; its applier runs, so nothing received is dropped. */
  #resume(managed: Managed, version: ServerVersion, channel: string): void {
    managed.resuming = true;
    this.#queue(managed, async () => {
      const { config } = managed;
      const member = new MysqlMember(this.#options.tools.sql, config.address, config);
      const order = replicaOrder(version, "START", { channel, thread: "IO_THREAD" });
      const done = managed.left ? ok([]) : await member.order(order, toMillis(config.timeout));
      member.close();
      managed.resuming = false;
      if (done.ok) return;
      const step = "start the I/O thread, which had given up";
      this.#tell(managed, { what: "guard", step, outcome: "failed", detail: failureInWords(done.error) });
    });
  }

  consent(name: string): boolean {
    const found = [...this.#managed.values()].filter(({ config }) => config.name === name);
    const until = after(this.#options.tools.timers.now(), CONSENT);
    for (const managed of found) managed.consentUntil = until;
    return found.length > 0;
  }

  async stop(): Promise<void> {
    this.cancelAll();
    for (const { tending, isolation } of this.#managed.values()) {
      tending?.end();
      isolation?.end();
    }
    await Promise.all([...this.#managed.values()].map(({ queue }) => queue));
  }

  #queue(managed: Managed, action: () => Promise<void>): void {
    managed.queue = managed.queue.then(action).catch((error: unknown) => {
      // Whatever it is: the next order must have its turn, above all one that closes.
      this.#tell(managed, { what: "guard", step: "an unexpected error", outcome: "failed", detail: String(error) });
    });
  }

  async #claim(managed: Managed, question: GateQuestion, run: Run): Promise<void> {
    try {
      if (!run.cancelled) await this.#prepare(managed, question, run);
    } finally {
      managed.runs.delete(run);
    }
  }

  async #prepare(managed: Managed, question: GateQuestion, run: Run): Promise<void> {
    const prepared = await this.#takeover(managed, () => run.cancelled).run();
    const step = prepared.ok ? "the server is ready" : "the claim is";
    this.#tell(managed, {
      what: "takeover",
      step,
      outcome: prepared.ok ? "ready" : "refused",
      detail: prepared.ok ? "" : prepared.error,
    });
    if (prepared.ok && !run.cancelled) {
      managed.known = true;
      this.#tend(managed);
      this.#options.next(question);
      return;
    }
    // What was opened and is not wanted, or not known to be open, does not stay so.
    if (managed.open) await this.#close(managed, "release");
    if (run.cancelled) return;
    const reason = `mysql ${managed.config.name}: ${prepared.ok ? "" : prepared.error}`;
    this.#options.answer({ instance: managed.instance, gate: question.gate, opened: false, reason });
  }

  #takeover(managed: Managed, cancelled: () => boolean): Takeover {
    return new Takeover(this.#options.tools, managed.config, {
      known: managed.known,
      consented: managed.consentUntil !== null && this.#options.tools.timers.now() < managed.consentUntil,
      cancelled,
      tell: (step, outcome, detail) => this.#tell(managed, { what: "takeover", step, outcome, detail }),
      onLeft: () => {
        managed.left = true;
      },
      onReceiving: () => {
        managed.left = false;
      },
      onNotOpened: () => {
        managed.open = false;
      },
      onOpened: (opening) => {
        managed.opening = opening;
        managed.open = true;
        managed.closed = false;
        managed.openedAt = this.#options.tools.timers.now();
      },
    });
  }

  async #release(managed: Managed, question: GateQuestion): Promise<void> {
    if (!managed.closed) await this.#close(managed, "release");
    managed.closed = false;
    this.#options.next(question);
  }

  #tend(managed: Managed): void {
    managed.tending?.end();
    const tell = (step: string, outcome: What["outcome"], detail: string): void =>
      this.#tell(managed, { what: "tending", step, outcome, detail });
    const { opening, virtualHosts } = managed;
    managed.tending = new MysqlTending(
      { tools: this.#options.tools, tell, replicas: { opening, virtualHosts } },
      managed.config,
    );
    watchIsolation(this.#options.tools, managed, this.#options.isolate);
  }

  /** Read-only and without sessions. A server that cannot be asked is told, and closed at the first look that finds it open. */
  async #close(managed: Managed, what: "guard" | "release"): Promise<void> {
    managed.tending?.end();
    managed.tending = null;
    const { config } = managed;
    const member = new MysqlMember(this.#options.tools.sql, config.address, config);
    try {
      const facts = await member.facts({ end: false });
      if (facts.ok && facts.value.closedBy !== null && !managed.open) return;
      const step = "close the own server for writes";
      const closed = facts.ok
        ? await member.closeForWrites(closeStatement(facts.value.version), toMillis(config.timeout))
        : facts;
      const detail = closed.ok
        ? closed.value === 0
          ? ""
          : `${String(closed.value)} sessions ended`
        : failureInWords(closed.error);
      this.#tell(managed, { what, step, outcome: closed.ok ? "done" : "failed", detail });
    } finally {
      member.close();
      if (managed.open) {
        managed.open = false;
        managed.known = false;
        managed.left = false;
        // Cut off it stays watched, because somebody has to tell when that is over.
        if (managed.isolation?.isolated === false) {
          managed.isolation.end();
          managed.isolation = null;
        }
      }
    }
  }

  #tell(managed: Managed, one: Pick<What, "what" | "step" | "outcome" | "detail">): void {
    const { instance, config } = managed;
    this.#options.publish({ kind: "mysql-step", name: config.name, instance, ...one });
  }
}
