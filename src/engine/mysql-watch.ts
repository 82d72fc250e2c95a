/**
 * One server: its kept connection, when it is looked at, and what the looks add up to. The end of the socket is heard at once and
 * followed by one attempt to come back, so that a connection somebody killed is no dead server and a dead server needs no interval to
 * be noticed. Owns no words and no rules: core/mysql judges.
 */
import { err, type Result } from "../core/lib/result.ts";
import { after, type Instant, type Micros, micros, millis, seconds, toMillis } from "../core/lib/units.ts";
import { isLocal, type MysqlConfig } from "../core/mysql/config.ts";
import { carryLag, type MysqlFacts, type ReplicaFacts } from "../core/mysql/facts.ts";
import { isTooManyConnections, type SqlFailure, troubleOfFailure } from "../core/mysql/failure.ts";
import {
  isUndecided,
  type MysqlHealth,
  type MysqlStanding,
  NEVER_SEEN,
  recordVerdict,
} from "../core/mysql/standing.ts";
import { judgeFacts, judgeTrouble, type Verdict } from "../core/mysql/verdict.ts";
import type { DatabaseHost, SqlPort, SqlSession } from "../ports/sql.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import { identify, observe, type ServerIdentity } from "./mysql-observe.ts";

export interface MysqlWatchHost {
  readonly sql: SqlPort;
  readonly host: DatabaseHost;
  readonly timers: Timers;
  /** After every look. */
  readonly report: (watch: MysqlWatch, before: MysqlStanding | null) => void;
}

/** A dying server closes its sockets one after the other: what is accepted and dropped in between is asked again. */
const DYING_TRIES = 5;
const DYING_PAUSE = millis(20);
/** A result that contradicts the standing is looked at again this part of the interval after that look began. */
const HURRY = 4;
/** The longest pause before a server without a connection is tried again. */
const RETRY = seconds(1);

export class MysqlWatch {
  readonly #host: MysqlWatchHost;
  config: MysqlConfig;
  #health: MysqlHealth = NEVER_SEEN;
  #verdict: Verdict | null = null;
  #facts: MysqlFacts | null = null;
  /** As last seen, also before a connection broke. */
  #replicas: readonly ReplicaFacts[] = [];
  #identity: ServerIdentity | null = null;
  #session: SqlSession | null = null;
  #timer: Timer | null = null;
  #looking = false;
  /** The socket ended while a look ran: it must be followed by another. */
  #lostMeanwhile = false;
  #ended = false;
  #since: Instant | null = null;
  #lookedAt: Instant | null = null;

  constructor(host: MysqlWatchHost, config: MysqlConfig) {
    this.#host = host;
    this.config = config;
    this.#arm(micros(0));
  }

  get standing(): MysqlStanding | null {
    return this.#health.standing;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  get facts(): MysqlFacts | null {
    return this.#facts;
  }

  /** When the standing was entered. */
  get since(): Instant | null {
    return this.#since;
  }

  /** What its login will not survive; null: nothing. */
  get remark(): string | null {
    return this.#session?.remark ?? null;
  }

  get lookedAt(): Instant | null {
    return this.#lookedAt;
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#drop();
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
  }

  #arm(delay: Micros): void {
    this.#timer?.cancel();
    this.#timer = this.#host.timers.schedule(delay, () => void this.#look());
  }

  #lost(): void {
    this.#session = null;
    if (this.#ended) return;
    if (this.#looking) this.#lostMeanwhile = true;
    else void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#ended) return;
    this.#looking = true;
    this.#timer?.cancel();
    const start = this.#host.timers.now();
    const verdict = await this.#judge();
    this.#looking = false;
    // The compiler believes what was tested above; end() may have been called meanwhile.
    if (this.#ended as boolean) return this.#drop();
    this.#record(verdict);
    const again = this.#lostMeanwhile && this.#session === null && verdict.always === null;
    this.#lostMeanwhile = false;
    const due = after(start, this.#pauseAfter(verdict));
    this.#arm(again ? micros(0) : micros(Math.max(0, due - this.#host.timers.now())));
  }

  #pauseAfter(verdict: Verdict): Micros {
    const { interval } = this.config;
    if (isUndecided(this.#health, verdict)) return micros(interval / HURRY);
    // Without a connection nothing tells that it is back.
    return this.#session === null ? micros(Math.min(interval, RETRY)) : interval;
  }

  #record(verdict: Verdict): void {
    const before = this.#health.standing;
    this.#health = recordVerdict(this.config, this.#health, verdict);
    this.#verdict = verdict;
    this.#lookedAt = this.#host.timers.now();
    const now = this.#health.standing;
    const turned =
      before === null ||
      (before.always === null) !== (now?.always === null) ||
      (before.standby === null) !== (now?.standby === null);
    if (turned) this.#since = this.#lookedAt;
    this.#host.report(this, before);
  }

  async #judge(): Promise<Verdict> {
    const wasUp = this.#facts !== null;
    const { rules } = this.config;
    for (let tries = 1; ; tries++) {
      const facts = await this.#ask();
      if (facts.ok) {
        const replicas = carryLag(this.#replicas, facts.value.replicas);
        this.#replicas = replicas;
        this.#facts = { ...facts.value, replicas };
        return judgeFacts(this.#facts, rules);
      }
      const failure = facts.error;
      this.#drop();
      if (failure.kind === "lost" && tries < DYING_TRIES && !this.#ended) {
        if (tries > 1) await this.#pause(DYING_PAUSE);
        continue;
      }
      this.#facts = null;
      return judgeTrouble(
        troubleOfFailure(failure, { wasUp, processStarts: wasUp ? null : this.#processStarts() }),
        rules,
      );
    }
  }

  #processStarts(): boolean | null {
    if (!isLocal(this.config.address)) return null;
    return this.#host.host.serverStarts(this.#identity?.dataDirectory ?? null);
  }

  #pause(delay: Micros): Promise<void> {
    return new Promise((resolve) => {
      this.#host.timers.schedule(delay, resolve);
    });
  }

  async #ask(): Promise<Result<MysqlFacts, SqlFailure>> {
    const { address, rules, timeout } = this.config;
    const timeoutMillis = toMillis(timeout);
    if (this.#session === null) {
      const opened = await this.#open();
      if (!opened.ok) return opened;
      const identity = await identify(opened.value, timeoutMillis);
      if (!identity.ok) return identity;
      this.#identity = identity.value;
    }
    const [session, identity] = [this.#session as SqlSession | null, this.#identity];
    if (session === null || identity === null) return err({ kind: "lost", detail: "closed while it was asked" });
    return observe({ session, host: this.#host.host, address, rules, timeoutMillis }, identity);
  }

  /** By the reserved port where the ordinary one has no connection left. */
  async #open(): Promise<Result<SqlSession, SqlFailure>> {
    const { address } = this.config;
    const opened = await this.#openAt(address);
    if (opened.ok || address.reservedPort === null || !isTooManyConnections(opened.error)) return opened;
    const reserved = await this.#openAt({ ...address, socket: null, port: address.reservedPort });
    return reserved.ok ? reserved : opened;
  }

  async #openAt(address: MysqlConfig["address"]): Promise<Result<SqlSession, SqlFailure>> {
    const { credentials, tls, connectTimeout } = this.config;
    const target = { address, credentials, user: null, tls, connectTimeoutMillis: toMillis(connectTimeout) };
    const state: { gone: boolean; session: SqlSession | null } = { gone: false, session: null };
    const opened = await this.#host.sql.open(target, () => {
      state.gone = true;
      // Only the session in use: one that was dropped has nothing to say any more.
      if (state.session !== null && state.session === this.#session) this.#lost();
    });
    if (!opened.ok) return opened;
    if (state.gone) return err({ kind: "lost", detail: "closed by the server right after the login" });
    state.session = opened.value;
    this.#session = opened.value;
    return opened;
  }
}
