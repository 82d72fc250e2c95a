/**
 * One takeover of one server: asks, lets core/mysql/takeover.ts choose, carries out, and asks again, until the server is open or something
 * stands against it. Each step is told before and after; nothing opens before the journal is on the disk.
 */

import { addressInWords } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, type Instant, type Micros, millis, toMillis, toSeconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { closedBy } from "../core/mysql/facts.ts";
import type { MemberFacts, MemberGtids } from "../core/mysql/member.ts";
import { type Opening, openingOf, openingText, parseOpening } from "../core/mysql/opening.ts";
import { closeStatement, OPEN_STATEMENT, replicaOrder, schedulerOrder, semiSyncOrder } from "../core/mysql/orders.ts";
import { positionText } from "../core/mysql/position-text.ts";
import {
  decideTakeover,
  NOTHING_DONE,
  type Step,
  type TakeoverFacts,
  type TakeoverProgress,
  withTails,
} from "../core/mysql/takeover.ts";
import { expectedAfter, planTakeover, stepInWords, type TakeoverPlan } from "../core/mysql/takeover-plan.ts";
import { type ServerVersion, settingsStatement } from "../core/mysql/version.ts";
import type { BinlogExporter } from "../ports/binlog-export.ts";
import type { Notes } from "../ports/notes.ts";
import type { LoginReader, ServerCopy } from "../ports/server-copy.ts";
import type { SqlPort } from "../ports/sql.ts";
import type { TailTools } from "../ports/tail.ts";
import type { GatewayProbe, PositionFiles } from "../ports/takeover.ts";
import type { Timers } from "../ports/timers.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { LeftOutNote } from "./mysql-left-out.ts";
import type { MysqlMember } from "./mysql-member.ts";
import { TailFetch } from "./mysql-tail.ts";

export interface TakeoverTools {
  readonly sql: SqlPort;
  readonly timers: Timers;
  readonly gateway: GatewayProbe;
  readonly positions: PositionFiles;
  readonly exporter: BinlogExporter;
  readonly tails: TailTools;
  /** What must not outlive a start of the host. */
  readonly notes: Notes;
  readonly copies: ServerCopy;
  readonly logins: LoginReader;
  /** What must. */
  readonly records: Notes;
  /** Milliseconds since the epoch, for the name of a file. */
  readonly wallMillis: () => number;
  /** Everything told so far is on the disk; false when it is not. */
  readonly flush: () => Promise<boolean>;
}

export interface TakeoverContext {
  /** Of the opening before by this daemon; null: the records may have one. */
  readonly opening: Opening | null;
  readonly known: boolean;
  readonly followed: boolean;
  /** An operator has named this host the first writer. */
  readonly named: () => Promise<boolean>;
  /** What quarantined peers had too many when this server was the writer; a peer that is found open has none of it any more. */
  readonly leftOut: LeftOutNote;
  readonly consented: boolean;
  readonly cancelled: () => boolean;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
  /** Before the first step that cannot be taken back by facts: a channel is left, the server is opened. */
  readonly onLeft: () => void;
  /** What was left is received from again: the claim came to nothing. */
  readonly onReceiving: () => void;
  /** Neither a peer nor the gateway answers: a writer may go on without this server from now on. */
  readonly onCutOff: () => void;
  /** `gtids`: what the own server had then. */
  readonly onOpened: (opening: Opening, gtids: MemberGtids) => void;
  /** The server itself has refused to open. */
  readonly onNotOpened: () => void;
}

/** Between two looks while something has to be waited for. */
const PAUSE = millis(20);
const GATEWAY_MILLIS = 1_000;
/** How long one order may take, beyond `timeout`: a receiver that stops says farewell to a source that is gone. */
const ORDER = millis(3_000);
/** A step that is chosen again and again does not do what it says. */
const MOST_TRIES = 3;

/** Steps of which the answer says all there is to know: nobody has to be asked again before the next one. */
const PROVED_BY_ANSWER: ReadonlySet<Step["kind"]> = new Set(["record", "acknowledgements"]);

export class Takeover {
  readonly #tools: TakeoverTools;
  readonly #config: MysqlConfig;
  readonly #context: TakeoverContext;
  readonly #servers: MysqlServers;
  readonly #tries = new Map<string, number>();
  #progress: TakeoverProgress = NOTHING_DONE;
  /** The last order was answered with an error: what it asked for has certainly not happened. */
  #refusedByServer = false;
  #eventsTried = false;
  #proved: TakeoverFacts | null = null;
  readonly #closed = new Set<string>();
  /** Channels that this run has stopped, and which thread of them; null: both. */
  readonly #stopped = new Map<string, "IO_THREAD" | null>();
  #gateway: TakeoverFacts["gateway"] | "unasked" = "unasked";
  readonly #tails = new Map<string, Coordinates | null>();
  #deadline: Instant;

  constructor(tools: TakeoverTools, config: MysqlConfig, context: TakeoverContext) {
    this.#tools = tools;
    this.#config = config;
    this.#context = context;
    this.#servers = new MysqlServers(tools.sql, config);
    this.#deadline = after(tools.timers.now(), config.group.takeoverDeadline);
  }

  /** The error is the reason of the refusal. */
  async run(): Promise<Result<void, string>> {
    try {
      const ended = await this.#run();
      // A writer that still has its address must not stay closed because this server could not take over.
      if (!ended.ok && !this.#progress.opened) {
        await this.#openAgain();
        await this.#receiveAgain();
      }
      return ended;
    } finally {
      this.#servers.close();
    }
  }

  /** What run() would do now; nothing is changed. */
  async plan(): Promise<TakeoverPlan> {
    try {
      const facts = await this.#ask();
      if (!facts.ok) return { steps: [], end: facts.error };
      return facts.value === null ? { steps: [], end: "a peer ends just now; ask again" } : planTakeover(facts.value);
    } finally {
      this.#servers.close();
    }
  }

  async #run(): Promise<Result<void, string>> {
    this.#deadline = after(this.#tools.timers.now(), this.#config.group.takeoverDeadline);
    const unsettled = await this.#tail.settle();
    if (unsettled !== null) return err(unsettled);
    for (;;) {
      if (this.#context.cancelled()) return err("it is not wanted any more");
      const ended = await this.#turn(this.#deadline);
      if (ended !== null) return ended;
    }
  }

  /** One look and what follows from it; null when another is needed. */
  async #turn(deadline: Instant): Promise<Result<void, string> | null> {
    const facts = this.#proved === null ? await this.#ask() : ok(this.#proved);
    this.#proved = null;
    if (!facts.ok) return facts;
    if (facts.value === null) return await this.#wait("a peer that ends has ended", deadline);
    const decision = decideTakeover(facts.value);
    switch (decision.kind) {
      case "ready":
        return ok(undefined);
      case "refuse":
        return err(decision.consentHelps ? this.#withConsent(decision.reason) : decision.reason);
      case "wait":
        return await this.#wait(decision.what, deadline);
      case "step": {
        if (this.#tools.timers.now() >= deadline) return err(this.#late(`${stepInWords(decision.step)} was not begun`));
        const done = await this.#take(decision.step, facts.value);
        if (!done.ok) return done;
        return decision.step.kind === "open" ? await this.#isOpen(facts.value.own.version) : null;
      }
    }
  }

  /** What alone could still be wrong, so that nobody else has to be asked; null when everything is to be looked at again. */
  async #isOpen(version: ServerVersion): Promise<Result<void, string> | null> {
    const settings = await this.#servers.own.order(settingsStatement(version), toMillis(this.#config.timeout));
    return settings.ok && closedBy(settings.value[0] ?? {}) === null ? ok(undefined) : null;
  }

  async #wait(what: string, deadline: Instant): Promise<Result<void, string> | null> {
    if (this.#tools.timers.now() >= deadline) return err(this.#late(`it was waited until ${what}`));
    await this.#pause(PAUSE);
    return null;
  }

  #late(what: string): string {
    return `takeover_deadline (${toSeconds(this.#config.group.takeoverDeadline)} s) is over: ${what}`;
  }

  #withConsent(reason: string): string {
    return `${reason}; \`holdfast takeover ${this.#config.name} --accept-loss\` opens it all the same`;
  }

  #pause(delay: Micros): Promise<void> {
    return new Promise((resolve) => {
      this.#tools.timers.schedule(delay, resolve);
    });
  }

  /** Null while a peer is on its way down. */
  async #ask(): Promise<Result<TakeoverFacts | null, string>> {
    const { own, peers, ending } = await this.#servers.ask();
    if (!own.ok) return err(`the own server cannot be asked: ${failureInWords(own.error)}`);
    if (ending !== null) return ok(null);
    if (this.#gateway === "unasked" && peers.some(({ state }) => state.kind === "silent")) {
      this.#gateway = await this.#tools.gateway.ask(GATEWAY_MILLIS);
      if (this.#gateway === "unreachable") this.#context.onCutOff();
    }
    for (const { address, state } of peers)
      if (state.kind === "up" && state.facts.closedBy === null) await this.#context.leftOut.wasOpen(address);
    await this.#context.leftOut.readOn(this.#servers, { own: own.value, peers });
    return ok(
      withTails({
        own: own.value,
        peers,
        followed: this.#context.followed,
        leftOut: await this.#context.leftOut.known(),
        policy: this.#config.group.policy,
        gateway: this.#gateway === "unasked" ? null : this.#gateway,
        known: this.#context.known,
        named: await this.#context.named(),
        consented: this.#context.consented,
        progress: this.#progress,
        eventsFollow: this.#config.group.eventsFollow && !this.#eventsTried,
      }),
    );
  }

  async #take(step: Step, facts: TakeoverFacts): Promise<Result<void, string>> {
    const words = stepInWords(step);
    const tries = (this.#tries.get(words) ?? 0) + 1;
    this.#tries.set(words, tries);
    if (tries > MOST_TRIES) return err(`${words}: done ${MOST_TRIES} times without effect`);
    if (step.kind === "stop-receiver") this.#context.onLeft();
    this.#context.tell(words, "begun", "");
    if (step.kind === "open") {
      // What opens must be known even if the host dies in the next instant.
      if (!(await this.#tools.flush()))
        return this.#failed(words, "the journal cannot be written, so nothing is opened");
      if (this.#context.cancelled()) return err("it is not wanted any more");
      await this.#opening(facts);
      // From here on it may be open, whatever the answer to the order is.
      this.#progress = { ...this.#progress, opened: true };
    }
    const done = await this.#carryOut(step, facts);
    if (!done.ok && step.kind === "open" && this.#refusedByServer) {
      this.#progress = { ...this.#progress, opened: false };
      this.#context.onNotOpened();
    }
    if (!done.ok) return this.#failed(words, done.error);
    const expected = expectedAfter(facts, step);
    this.#progress = expected.progress;
    // While it was fetched, the dead server may have been started again: the next look asks everybody.
    if (step.kind === "fetch-tail") this.#progress = { ...this.#progress, tails: new Map(this.#tails) };
    if (PROVED_BY_ANSWER.has(step.kind)) this.#proved = expected;
    this.#context.tell(words, "done", done.value);
    return ok(undefined);
  }

  /** Noted before it is open: a replica in classic mode can be mapped by nothing else. */
  async #opening(facts: TakeoverFacts): Promise<void> {
    const note = `opening-${this.#config.name}`;
    const before = this.#context.opening ?? parseOpening(await this.#tools.records.read(note));
    const opening = openingOf(facts, before);
    const problem = await this.#tools.records.write(note, openingText(opening));
    if (problem !== null) this.#context.tell("note where replicas go on", "failed", problem);
    this.#context.onOpened(opening, facts.own.gtids);
  }

  #failed(words: string, detail: string): Result<void, string> {
    this.#context.tell(words, "failed", detail);
    return err(`${words}: ${detail}`);
  }

  /** In words what it has done beyond the step's own. */
  async #carryOut(step: Step, facts: TakeoverFacts): Promise<Result<string, string>> {
    const { own } = facts;
    const { version } = own;
    switch (step.kind) {
      case "close-own":
        return await this.#close(this.#servers.own, version);
      case "close-peer": {
        const peer = this.#servers.peer(step.peer);
        if (!peer?.version) return err("it cannot be asked any more");
        this.#closed.add(step.peer);
        return await this.#close(peer, peer.version);
      }
      case "start-applier":
        return await this.#order(replicaOrder(version, "START", { channel: step.channel, thread: "SQL_THREAD" }));
      case "stop-receiver":
        this.#stopped.set(step.channel, "IO_THREAD");
        return await this.#order(replicaOrder(version, "STOP", { channel: step.channel, thread: "IO_THREAD" }));
      case "stop-applier":
        this.#stopped.set(step.channel, null);
        return await this.#order(replicaOrder(version, "STOP", { channel: step.channel, thread: "SQL_THREAD" }));
      case "acknowledgements":
        return await this.#order(semiSyncOrder(step.word, step.wanted));
      case "fetch-tail":
        return await this.#fetchTail(step, own);
      case "record":
        return await this.#record(own);
      case "start-events": {
        // A scheduler that cannot be switched on is told; clients do not wait for that.
        this.#eventsTried = true;
        const started = await this.#order(schedulerOrder(true));
        return started.ok ? started : ok(`NOT DONE: ${started.error}`);
      }
      case "open":
        return await this.#order(OPEN_STATEMENT);
    }
  }

  async #fetchTail(
    { peer, channel: name }: Extract<Step, { kind: "fetch-tail" }>,
    own: MemberFacts,
  ): Promise<Result<string, string>> {
    const channel = own.channels.find((one) => one.channel === name);
    if (channel === undefined) return err("the channel is gone");
    const { cancelled } = this.#context;
    const isDown = () => this.#servers.isDown(peer);
    const fetched = await this.#tail.run({ channel, own, deadline: this.#deadline, cancelled, isDown });
    if (!fetched.ok) return fetched;
    this.#tails.set(peer, fetched.value.end);
    return ok(fetched.value.words);
  }

  get #tail(): TailFetch {
    return new TailFetch(this.#tools, this.#config, this.#servers.own);
  }

  /**
   * What this run has closed, while it is certain that the own server was not opened. Where somebody else takes writes, or more than one did, nothing is
   * opened from here: whoever has the address opens its own server again (core/mysql/stray.ts).
   */
  async #openAgain(): Promise<void> {
    const [name] = this.#closed;
    if (name === undefined) return;
    const step = `open ${[...this.#closed].join(" and ")} for writes again, as it was found`;
    const stands = this.#closed.size > 1 ? "more than one took writes" : await this.#someoneOpen();
    const opened = stands === null ? await this.#servers.peer(name)?.order(OPEN_STATEMENT, toMillis(ORDER)) : undefined;
    if (opened?.ok === true) this.#context.tell(step, "done", "");
    else this.#context.tell(step, "failed", stands ?? (opened === undefined ? "" : failureInWords(opened.error)));
  }

  async #someoneOpen(): Promise<string | null> {
    this.#servers.askSilentAgain();
    const { own, peers } = await this.#servers.ask({ end: false, ownLast: false });
    if (own.ok && own.value.closedBy === null) return "the own server is open for writes";
    const other = peers.find(({ state }) => state.kind === "up" && state.facts.closedBy === null);
    return other === undefined ? null : `${other.address} is open for writes`;
  }

  /**
   * What this run has stopped. A receiver alone is started while its applier runs; both only when everything was executed, because MariaDB
   * would throw away the rest (MDEV-4698). An applier that has broken meanwhile holds what a dead writer sent last: that is left as it is.
   */
  async #receiveAgain(): Promise<void> {
    // A channel that still names this daemon's source is pointed back first (mysql-home.ts).
    if (this.#stopped.size === 0 || (await this.#tail.isUnsettled())) return;
    const own = await this.#servers.own.facts({ end: false });
    if (!own.ok) return;
    const { channels, version } = own.value;
    let again = 0;
    for (const [channel, thread] of this.#stopped) {
      const now = channels.find((one) => one.channel === channel);
      if (now === undefined || (now.sql !== "running" && now.drained !== true)) continue;
      const order = replicaOrder(version, "START", { channel, thread });
      const started = await this.#servers.own.order(order, toMillis(ORDER));
      if (started.ok) again++;
      const step = "receive again from the peer, as before this claim";
      this.#context.tell(step, started.ok ? "done" : "failed", started.ok ? "" : failureInWords(started.error));
    }
    if (again === this.#stopped.size) this.#context.onReceiving();
  }

  async #close(member: MysqlMember, version: ServerVersion): Promise<Result<string, string>> {
    const closed = await member.closeForWrites(closeStatement(version), toMillis(this.#config.timeout));
    if (!closed.ok) return err(failureInWords(closed.error));
    return ok(closed.value === 0 ? "" : `${closed.value} sessions ended`);
  }

  async #order(statement: string): Promise<Result<string, string>> {
    const done = await this.#servers.own.order(statement, toMillis(ORDER));
    this.#refusedByServer = !done.ok && done.error.kind === "server";
    return done.ok ? ok("") : err(failureInWords(done.error));
  }

  async #record(own: MemberFacts): Promise<Result<string, string>> {
    const { name, address, group } = this.#config;
    if (group.recordPosition === null) return ok("");
    const time = new Date(this.#tools.wallMillis()).toISOString();
    const text = positionText(own, { name, server: addressInWords(address), time });
    const file = `${name.replaceAll(/[^\w.-]/g, "_")}-${time.replaceAll(":", "-")}.txt`;
    return await this.#tools.positions.write(group.recordPosition, file, text);
  }
}
