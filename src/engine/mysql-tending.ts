/**
 * Looks after a server that takes writes, once a second: acknowledgements, and a peer that has come back. What it decides is
 * core/mysql/tending.ts's; a trouble is told once until it is over.
 */

import { type Instant, millis, seconds, toMillis } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { MemberFacts, SemiSync } from "../core/mysql/member.ts";
import { barOrder, replicaOrder, schedulerOrder, semiSyncOrder, startOrders } from "../core/mysql/orders.ts";
import {
  ALONE_MILLIS,
  decideBar,
  decideTending,
  isAlone,
  type Tending,
  type TendingFacts,
  tendingInWords,
  tendingTrouble,
  troubleOfTending,
} from "../core/mysql/tending.ts";
import type { Timer } from "../ports/timers.ts";
import { Attaching } from "./mysql-attaching.ts";
import { enableEvents } from "./mysql-events.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { LeftOutNote } from "./mysql-left-out.ts";
import { PeerMemory } from "./mysql-peer-memory.ts";
import { type ReplicaContext, ReplicaWatch } from "./mysql-replicas.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface TendingHost {
  readonly tools: Pick<TakeoverTools, "sql" | "timers" | "gateway" | "logins" | "records">;
  readonly tell: ReplicaContext["tell"];
  readonly leftOut: LeftOutNote;
  readonly replicas: Omit<ReplicaContext, "tell">;
}

const EVERY = seconds(1);
/** A channel was left just now and would start with this server; replicas have followed nobody since the old writer died. */
const SOON = millis(50);
const ORDER_MILLIS = 3_000;
const GATEWAY_MILLIS = 1_000;
/** What is ordered of a peer; everything else of the own server. */
const ON_PEER: ReadonlySet<Tending["kind"]> = new Set(["follow", "part", "stop-events"]);
const UNACKNOWLEDGED = "degraded: no acker, commits are on this server alone (semi-sync off)";

export class MysqlTending {
  readonly #host: TendingHost;
  readonly #config: MysqlConfig;
  readonly #servers: MysqlServers;
  readonly #replicas: ReplicaWatch;
  readonly #attaching: Attaching;
  #timer: Timer | null = null;
  #ended = false;
  #before: SemiSync | null = null;
  #aloneSince: Instant | null = null;
  #told: string | null = null;
  #unacknowledged = false;
  #eventsEnabled = false;
  /** A channel was left just now: it is to be barred at once. */
  #left = false;
  /** Why the last order was not carried out. */
  #refused = "";
  readonly #memory: PeerMemory;

  constructor(host: TendingHost, config: MysqlConfig) {
    this.#host = host;
    this.#config = config;
    this.#servers = new MysqlServers(host.tools.sql, config);
    this.#memory = new PeerMemory(this.#servers, config);
    this.#replicas = new ReplicaWatch(this.#servers, config, {
      ...host.replicas,
      tell: host.tell,
      now: () => host.tools.timers.now(),
    });
    this.#attaching = new Attaching(this.#servers, config, {
      tell: host.tell,
      opening: host.replicas.opening,
      logins: host.tools.logins,
      records: host.tools.records,
      now: () => host.tools.timers.now(),
    });
    this.#arm(SOON);
  }

  /** What is wrong with the group as it was seen last. */
  get troubles(): readonly string[] {
    const told = this.#told === null ? [] : [this.#told];
    return [
      ...told,
      ...(this.#unacknowledged ? [UNACKNOWLEDGED] : []),
      ...this.#replicas.troubles,
      ...this.#attaching.troubles,
    ];
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#servers.close();
  }

  #arm(delay = EVERY): void {
    this.#timer = this.#host.tools.timers.schedule(delay, () => {
      void this.#look().finally(() => {
        if (this.#ended) this.#servers.close();
        else this.#arm(this.#left ? SOON : EVERY);
      });
    });
  }

  async #look(): Promise<void> {
    this.#left = false;
    this.#servers.askSilentAgain();
    const { own, peers } = await this.#servers.ask({ end: false, ownLast: true });
    // A writer that somebody has closed is mysql-stray.ts's.
    if (!own.ok || own.value.closedBy !== null || this.#ended) return;
    const aloneMillis = this.#aloneMillis(own.value.semiSync);
    const gateway = aloneMillis < ALONE_MILLIS ? null : await this.#host.tools.gateway.ask(GATEWAY_MILLIS);
    const { eventsFollow, replication, ring } = this.#config.group;
    const facts: TendingFacts = { own: own.value, peers, gateway, eventsFollow, replication, ring };
    if (ring) await this.#memory.note(facts);
    if (this.#ended) return;
    const bar = decideBar(facts, this.#memory);
    if (bar !== null) await this.#carryOut(bar, facts);
    this.#tellTrouble(facts);
    await this.#host.leftOut.see(facts, this.#memory.readTo);
    await this.#host.leftOut.readOn(this.#servers, facts);
    if (eventsFollow) await this.#enableEvents();
    if (this.#config.group.replicas.length > 0 || peers.length > 1) await this.#replicas.look(facts);
    if (!ring) await this.#attaching.look(facts);
    const what = decideTending(facts, aloneMillis, this.#memory);
    if (what !== null && !this.#ended) await this.#carryOut(what, facts);
  }

  #aloneMillis(semiSync: SemiSync | null): number {
    const { timers } = this.#host.tools;
    const alone = isAlone(semiSync, this.#before);
    this.#before = semiSync;
    this.#unacknowledged = semiSync?.enabled === false;
    this.#aloneSince = alone ? (this.#aloneSince ?? timers.now()) : null;
    return this.#aloneSince === null ? 0 : (timers.now() - this.#aloneSince) / 1_000;
  }

  /** Once for each opening: later ones do not come by replication. */
  async #enableEvents(): Promise<void> {
    if (this.#eventsEnabled) return;
    this.#eventsEnabled = true;
    await enableEvents(this.#servers.own, this.#host.tell);
  }

  async #carryOut(what: Tending, { own, peers }: TendingFacts): Promise<void> {
    const on = ON_PEER.has(what.kind) && "peer" in what ? peers.find(({ address }) => address === what.peer) : null;
    const member = on == null ? this.#servers.own : this.#servers.peer(on.address);
    const seen = on?.state.kind === "up" ? on.state.facts : own;
    const limit = Math.max(ORDER_MILLIS, toMillis(this.#config.timeout));
    if (what.kind === "follow") this.#memory.started(what.peer);
    const done = await member?.orderAll(statementsOf(what, seen), limit);
    this.#left = what.kind === "leave" && done?.ok === true;
    const detail = done === undefined || done.ok ? "" : failureInWords(done.error);
    // Tried again each second; told once.
    if (detail !== "" && detail === this.#refused) return;
    this.#refused = detail;
    this.#host.tell(tendingInWords(what), done?.ok === true ? "done" : "failed", detail);
  }

  #tellTrouble(facts: TendingFacts): void {
    const trouble = tendingTrouble(facts, this.#memory);
    const words = trouble === null ? null : troubleOfTending(trouble);
    if (words !== null && words !== this.#told) this.#host.tell(words, "trouble", "");
    this.#told = words;
  }
}

/** `seen`: the server that they are for. */
function statementsOf(what: Tending, { version, channels }: MemberFacts): readonly string[] {
  switch (what.kind) {
    case "resume":
    case "follow":
      return startOrders(version, channels.find(({ channel }) => channel === what.channel) ?? what);
    case "leave":
    case "unwanted":
    case "halt":
    case "part":
      return [replicaOrder(version, "STOP", { channel: what.channel, thread: null })];
    case "bar":
      return [barOrder(version, what.channel, what.user)];
    case "stop-events":
      return [schedulerOrder(false)];
    case "acknowledgements":
      return [semiSyncOrder(what.word, what.wanted)];
  }
}
