/**
 * One planned move of the writer away from this host: closes the own server, waits until whoever follows has everything, lets the address
 * go and watches the successor open. Until the address goes every failure ends with the server open again.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, elapsed, type Instant, type Micros, millis, seconds, toMillis, toSeconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { OLDEST_WRITE, oldestWriteOf } from "../core/mysql/member.ts";
import { closeStatement, OPEN_STATEMENT, schedulerOrder } from "../core/mysql/orders.ts";
import {
  CLOSE_STEP,
  decideSwitchover,
  HAND_OVER_STEP,
  planSwitchover,
  type SwitchoverFacts,
} from "../core/mysql/switchover.ts";
import type { Peer } from "../core/mysql/takeover.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { Timers } from "../ports/timers.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface SwitchoverOutcome {
  readonly moved: boolean;
  /** Of the new writer, as in the file; null when there is none. */
  readonly to: string | null;
  /** From the closing of the old writer until the new one was seen open; null when it was not closed. */
  readonly closedMillis: number | null;
  /** Why it has not moved; empty when it has. */
  readonly detail: string;
}

export interface SwitchoverHost {
  readonly tools: Pick<TakeoverTools, "sql"> & { readonly timers: Timers };
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
  /** Nothing else opens or closes the server while the action runs. */
  readonly alone: <T>(action: () => Promise<T>) => Promise<T>;
  readonly state: () => VrrpStateName;
  /** Null when this host is the writer and may give it up; otherwise why not. */
  readonly refused: () => string | null;
  readonly isWriter: () => boolean;
  /** From here on it may be closed. */
  readonly closing: () => void;
  readonly closed: () => void;
  readonly openedAgain: () => void;
  /** The instance is to let the address go. */
  readonly handOver: () => void;
}

/** Between two looks while clients wait, and before. */
const PAUSE = millis(5);
const IDLE_PAUSE = millis(200);
const ORDER_MILLIS = 3_000;
/** Beyond takeover_deadline: the hooks before the successor's claim, and its address. */
const CLAIM = seconds(10);

export class Switchover {
  readonly #host: SwitchoverHost;
  readonly #config: MysqlConfig;
  readonly #servers: MysqlServers;
  #closedAt: Instant | null = null;
  /** Of what is waited for now: first until it may begin, then until the followers have everything. */
  #deadline: Instant;

  constructor(host: SwitchoverHost, config: MysqlConfig) {
    this.#host = host;
    this.#config = config;
    this.#servers = new MysqlServers(host.tools.sql, config);
    this.#deadline = this.#soon();
  }

  async plan(): Promise<{ readonly steps: readonly string[]; readonly end: string }> {
    try {
      const refused = await this.#refused();
      if (refused !== null) return { steps: [], end: refused };
      const facts = await this.#ask();
      return facts.ok ? planSwitchover(facts.value) : { steps: [], end: facts.error };
    } finally {
      this.#servers.close();
    }
  }

  /** Whoever asks the wrong host is told the right one. */
  async #refused(): Promise<string | null> {
    const refused = this.#host.refused();
    if (refused === null || this.#host.isWriter()) return refused;
    const writer = await this.#openPeer();
    return writer === null
      ? `${refused}, and no peer that answers is open for writes: see \`holdfast status\` on each host`
      : `${refused}: ${writer} is, so run it on that host`;
  }

  async run(): Promise<SwitchoverOutcome> {
    try {
      const prepared = await this.#host.alone(() => this.#prepare());
      return prepared.ok ? await this.#handOver() : this.#notMoved(prepared.error);
    } finally {
      this.#servers.close();
    }
  }

  async #prepare(): Promise<Result<void, string>> {
    const refused = await this.#refused();
    if (refused !== null) return err(refused);
    this.#deadline = this.#soon();
    for (;;) {
      const turn = await this.#turn();
      if (turn === null) continue;
      if (!turn.ok && this.#closedAt !== null) await this.#rollBack();
      return turn;
    }
  }

  /** Null when another look is needed. */
  async #turn(): Promise<Result<void, string> | null> {
    const facts = await this.#ask();
    if (!facts.ok) return facts;
    const decision = decideSwitchover(facts.value);
    switch (decision.kind) {
      case "refuse":
        return err(decision.reason);
      case "close":
        return await this.#close(facts.value);
      case "not-yet":
        return await this.#wait(decision.reason, IDLE_PAUSE);
      case "wait":
        return await this.#wait(`it was waited until ${decision.what}`, PAUSE);
      case "hand-over":
        return ok(undefined);
    }
  }

  async #wait(what: string, pause: Micros): Promise<Result<void, string> | null> {
    if (this.#now < this.#deadline) return await this.#pause(pause);
    return err(`takeover_deadline (${toSeconds(this.#config.group.takeoverDeadline)} s) is over: ${what}`);
  }

  #soon(): Instant {
    return after(this.#now, this.#config.group.takeoverDeadline);
  }

  async #ask(): Promise<Result<SwitchoverFacts, string>> {
    const closed = this.#closedAt !== null;
    const { own, peers } = await this.#servers.ask({ end: closed, ownLast: !closed });
    if (!own.ok) return err(`the own server cannot be asked: ${failureInWords(own.error)}`);
    const { ring } = this.#config.group;
    if (closed) return ok({ own: own.value, peers, oldestWrite: null, unwatched: [], closed, ring });
    const writes = await this.#servers.own.order(OLDEST_WRITE, toMillis(this.#config.timeout));
    if (!writes.ok) return err(`the own server does not say what is being written: ${failureInWords(writes.error)}`);
    const unwatched = await this.#unwatched(peers);
    return ok({ own: own.value, peers, oldestWrite: oldestWriteOf(writes.value), unwatched, closed, ring });
  }

  async #unwatched(peers: readonly Peer[]): Promise<readonly string[]> {
    const up = peers.filter(({ state }) => state.kind === "up").map(({ address }) => address);
    const watched = await Promise.all(
      up.map((address) => this.#servers.peer(address)?.isWatched(toMillis(this.#config.timeout))),
    );
    return up.filter((_, at) => watched[at] === false);
  }

  async #close({ own }: SwitchoverFacts): Promise<Result<void, string> | null> {
    this.#host.tell(CLOSE_STEP, "begun", "");
    this.#closedAt = this.#now;
    this.#deadline = this.#soon();
    this.#host.closing();
    const statement = closeStatement(own.version);
    const closed = await this.#servers.own.closeForWrites(statement, toMillis(this.#config.timeout));
    if (closed.ok) {
      this.#host.closed();
      this.#host.tell(CLOSE_STEP, "done", closed.value === 0 ? "" : `${closed.value} sessions ended`);
      return null;
    }
    const detail = failureInWords(closed.error);
    this.#host.tell(CLOSE_STEP, "failed", detail);
    return err(`${CLOSE_STEP}: ${detail}`);
  }

  /** The address is still here, and nobody else was told to open; somebody who did so all the same is not opposed. */
  async #rollBack(): Promise<void> {
    const step = "open the own server for writes again";
    const other = await this.#openPeer();
    if (other !== null) {
      this.#host.tell(step, "failed", `${other} is open for writes`);
      return;
    }
    if (this.#config.group.eventsFollow) await this.#servers.own.order(schedulerOrder(true), ORDER_MILLIS);
    const opened = await this.#servers.own.order(OPEN_STATEMENT, ORDER_MILLIS);
    this.#host.openedAgain();
    this.#host.tell(step, opened.ok ? "done" : "failed", opened.ok ? "" : failureInWords(opened.error));
  }

  async #handOver(): Promise<SwitchoverOutcome> {
    this.#host.tell(HAND_OVER_STEP, "begun", "");
    this.#host.handOver();
    const deadline = after(this.#now, (this.#config.group.takeoverDeadline + CLAIM) as Micros);
    let left = false;
    while (this.#now < deadline) {
      const serving = this.#host.state() === "MASTER";
      if (left && serving) return this.#notMoved("no peer has taken over, and this host is the writer again");
      left ||= !serving;
      const to = left ? await this.#openPeer() : null;
      if (to !== null) {
        this.#host.tell(`${to} is open for writes`, "done", "");
        return { moved: true, to, closedMillis: this.#closedMillis, detail: "" };
      }
      await this.#pause(PAUSE);
    }
    if (left) return this.#notMoved("the address was let go, and no peer has opened for writes yet: see its explain");
    await this.#host.alone(() => this.#rollBack());
    return this.#notMoved("the instance did not let the address go");
  }

  async #openPeer(): Promise<string | null> {
    const peers = await this.#servers.askPeers();
    return peers.find(({ state }) => state.kind === "up" && state.facts.closedBy === null)?.address ?? null;
  }

  #notMoved(detail: string): SwitchoverOutcome {
    this.#host.tell("the writer stays here", "failed", detail);
    return { moved: false, to: null, closedMillis: this.#closedMillis, detail };
  }

  get #closedMillis(): number | null {
    return this.#closedAt === null ? null : Math.round(elapsed(this.#closedAt, this.#now) / 1_000);
  }

  get #now(): Instant {
    return this.#host.tools.timers.now();
  }

  #pause(delay: Micros): Promise<null> {
    return new Promise((resolve) => {
      this.#host.tools.timers.schedule(delay, () => resolve(null));
    });
  }
}
