/**
 * One planned move of a Redis writer away from this host: pauses its writes, waits until whoever follows has every byte, closes it, lets the
 * address go and watches the successor open. Until the address goes every failure ends with the server open again.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, elapsed, type Instant, type Micros, millis, seconds, toMillis, toSeconds } from "../core/lib/units.ts";
import { factsOfPeer, isOpen } from "../core/redis/peer.ts";
import {
  CLOSE_STEP,
  decideSwitchover,
  HAND_OVER_STEP,
  PAUSE_STEP,
  planSwitchover,
  type SwitchoverFacts,
} from "../core/redis/switchover.ts";
import { closeCommands, failureInWords, RedisServers, sessionsEnded } from "./redis-group.ts";
import type { ManagedRedis } from "./redis-managed.ts";
import type { RedisTools } from "./redis-takeover.ts";

export interface MoveOutcome {
  readonly moved: boolean;
  /** Of the new writer, as in the file; null when there is none. */
  readonly to: string | null;
  /** From the pause until the new writer was seen open; null when nothing was paused. */
  readonly closedMillis: number | null;
  /** Why it has not moved; empty when it has. */
  readonly detail: string;
}

export interface MoveHost {
  readonly tools: RedisTools;
  readonly managed: ManagedRedis;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
  /** Nothing else opens or closes the server while the action runs. */
  readonly alone: <T>(action: () => Promise<T>) => Promise<T>;
  readonly handOver: () => void;
}

/** Between two looks while clients wait, and before. */
const PAUSE = millis(1);
const IDLE_PAUSE = millis(200);
/** Clients wait that long if this daemon dies in between; then the server takes writes again, and still has its address. */
const PAUSE_LIMIT = seconds(5);
/** Beyond takeover_deadline: the hooks before the successor's claim, and its address. */
const CLAIM = seconds(10);

export class RedisSwitchover {
  readonly #host: MoveHost;
  readonly #servers: RedisServers;
  #pausedAt: Instant | null = null;
  #deadline: Instant;

  constructor(host: MoveHost) {
    this.#host = host;
    this.#servers = new RedisServers(host.tools.redis, host.managed.config);
    this.#deadline = this.#soon();
  }

  async plan(): Promise<{ readonly steps: readonly string[]; readonly end: string }> {
    try {
      const refused = this.#refused();
      if (refused !== null) return { steps: [], end: refused };
      const facts = await this.#ask();
      return facts.ok ? planSwitchover(facts.value) : { steps: [], end: facts.error };
    } finally {
      this.#servers.close();
    }
  }

  async run(): Promise<MoveOutcome> {
    const { managed } = this.#host;
    managed.moving = true;
    try {
      const prepared = await this.#host.alone(() => this.#prepare());
      return prepared.ok ? await this.#handOver() : this.#notMoved(prepared.error);
    } finally {
      managed.moving = false;
      this.#servers.close();
    }
  }

  #refused(): string | null {
    const { state, open, config, staysHere } = this.#host.managed;
    if (state === "MASTER" && open) return staysHere;
    return `this host is not the writer of ${config.name}: run it on the host that has the address`;
  }

  async #prepare(): Promise<Result<void, string>> {
    const refused = this.#refused();
    if (refused !== null) return err(refused);
    this.#deadline = this.#soon();
    for (;;) {
      const turn = await this.#turn();
      if (turn === null) continue;
      if (!turn.ok && this.#pausedAt !== null) await this.#openAgain();
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
      case "not-yet":
        return this.#pausedAt === null ? await this.#wait(decision.reason, IDLE_PAUSE) : err(decision.reason);
      case "pause":
        return await this.#pauseWrites();
      case "wait":
        return await this.#wait(`it was waited until ${decision.what}`, PAUSE);
      case "hand-over":
        return await this.#close();
    }
  }

  async #wait(what: string, pause: Micros): Promise<Result<void, string> | null> {
    if (this.#now < this.#deadline) return await this.#rest(pause);
    return err(`the time for it is over: ${what}`);
  }

  #soon(): Instant {
    return after(this.#now, this.#host.managed.config.group.takeoverDeadline);
  }

  async #ask(): Promise<Result<SwitchoverFacts, string>> {
    const { own, peers } = await this.#servers.ask();
    if (!own.ok) return err(`the own server cannot be asked: ${failureInWords(own.error)}`);
    return ok({ own: own.value, peers, paused: this.#pausedAt !== null });
  }

  async #pauseWrites(): Promise<Result<void, string> | null> {
    this.#host.tell(PAUSE_STEP, "begun", "");
    this.#pausedAt = this.#now;
    const half = (PAUSE_LIMIT / 2) as Micros;
    this.#deadline = after(this.#now, half);
    const done = await this.#servers.own.order([["CLIENT", "PAUSE", String(toMillis(PAUSE_LIMIT)), "WRITE"]]);
    this.#host.tell(PAUSE_STEP, done.ok ? "done" : "failed", done.ok ? `at most ${toSeconds(PAUSE_LIMIT)} s` : "");
    return done.ok ? null : err(`${PAUSE_STEP}: ${failureInWords(done.error)}`);
  }

  async #close(): Promise<Result<void, string>> {
    const { managed } = this.#host;
    this.#host.tell(CLOSE_STEP, "begun", "");
    managed.open = false;
    const closed = await this.#servers.own.order(closeCommands(managed.config, managed.virtualHosts));
    if (!closed.ok) {
      this.#host.tell(CLOSE_STEP, "failed", failureInWords(closed.error));
      return err(`${CLOSE_STEP}: ${failureInWords(closed.error)}`);
    }
    managed.closed = true;
    const ended = sessionsEnded(closed.value);
    this.#host.tell(CLOSE_STEP, "done", ended === 0 ? "" : `${ended} sessions ended`);
    return ok(undefined);
  }

  /** The address is still here, and nobody else was told to open; somebody who did so all the same is not opposed. */
  async #openAgain(): Promise<void> {
    const { managed } = this.#host;
    const step = "take writes again";
    const other = await this.#openPeer();
    if (other !== null) {
      this.#host.tell(step, "failed", `${other} takes writes`);
      return;
    }
    const opened = await this.#servers.own.order([
      ["REPLICAOF", "NO", "ONE"],
      ["CLIENT", "UNPAUSE"],
    ]);
    managed.open = true;
    managed.closed = false;
    this.#host.tell(step, opened.ok ? "done" : "failed", opened.ok ? "" : failureInWords(opened.error));
  }

  async #handOver(): Promise<MoveOutcome> {
    const { managed } = this.#host;
    const { knownRun } = managed;
    this.#host.tell(HAND_OVER_STEP, "begun", "");
    // From here on another server may have writes that this one lacks, until it has followed: a claim must not count on its data.
    managed.knownRun = null;
    this.#host.handOver();
    const deadline = after(this.#now, (managed.config.group.takeoverDeadline + CLAIM) as Micros);
    let left = false;
    while (this.#now < deadline) {
      const serving = managed.state === "MASTER";
      if (left && serving) return this.#notMoved("no peer has taken over, and this host is the writer again");
      left ||= !serving;
      const to = left ? await this.#openPeer() : null;
      if (to !== null) {
        this.#host.tell(`${to} takes writes`, "done", "");
        return { moved: true, to, closedMillis: this.#closedMillis, detail: "" };
      }
      await this.#rest(PAUSE);
    }
    if (left) return this.#notMoved("the address was let go, and no peer takes writes yet: see its explain");
    await this.#host.alone(() => this.#openAgain());
    if (managed.open) managed.knownRun = knownRun;
    return this.#notMoved("the instance did not let the address go");
  }

  async #openPeer(): Promise<string | null> {
    const peers = await this.#servers.askPeers();
    return peers.find((peer) => isOpen(factsOfPeer(peer) ?? CLOSED))?.address ?? null;
  }

  #notMoved(detail: string): MoveOutcome {
    this.#host.tell("the writer stays here", "failed", detail);
    return { moved: false, to: null, closedMillis: this.#closedMillis, detail };
  }

  get #closedMillis(): number | null {
    return this.#pausedAt === null ? null : Math.round(elapsed(this.#pausedAt, this.#now) / 1_000);
  }

  get #now(): Instant {
    return this.#host.tools.timers.now();
  }

  #rest(delay: Micros): Promise<null> {
    return new Promise((resolve) => {
      this.#host.tools.timers.schedule(delay, () => resolve(null));
    });
  }
}

/** Of a peer that does not answer. */
const CLOSED = {
  source: { address: "", up: false, downSeconds: null, everUp: false, syncing: false, silentSeconds: null },
  readOnly: true,
} as const;
