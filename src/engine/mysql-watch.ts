/** One MySQL or MariaDB server as its check sees it: the kept session, and what is asked over it. */
import { isLocal } from "../core/database/config.ts";
import type { Verdict } from "../core/database/verdict.ts";
import { err, type Result } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { carryLag, type MysqlFacts, type ReplicaFacts } from "../core/mysql/facts.ts";
import { isTooManyConnections, type SqlFailure, troubleOfFailure } from "../core/mysql/failure.ts";
import { judgeFacts, judgeTrouble } from "../core/mysql/verdict.ts";
import type { DatabaseHost, SqlPort, SqlSession } from "../ports/sql.ts";
import type { WatchedServer } from "./database-watch.ts";
import { identify, observe, type ServerIdentity } from "./mysql-observe.ts";

export interface MysqlWatchHost {
  readonly sql: SqlPort;
  readonly host: DatabaseHost;
}

export class WatchedMysql implements WatchedServer<MysqlFacts, SqlFailure> {
  readonly #host: MysqlWatchHost;
  readonly #config: MysqlConfig;
  readonly #onLost: () => void;
  /** As last seen, also before a connection broke. */
  #replicas: readonly ReplicaFacts[] = [];
  #identity: ServerIdentity | null = null;
  #session: SqlSession | null = null;

  constructor(host: MysqlWatchHost, config: MysqlConfig, onLost: () => void) {
    this.#host = host;
    this.#config = config;
    this.#onLost = onLost;
  }

  get connected(): boolean {
    return this.#session !== null;
  }

  /** What its login will not survive; null: nothing. */
  get remark(): string | null {
    return this.#session?.remark ?? null;
  }

  drop(): void {
    this.#session?.close();
    this.#session = null;
  }

  judge(facts: MysqlFacts): Verdict {
    return judgeFacts(facts, this.#config.rules);
  }

  judgeFailure(failure: SqlFailure, wasUp: boolean): Verdict {
    const processStarts = wasUp ? null : this.#processStarts();
    return judgeTrouble(troubleOfFailure(failure, { wasUp, processStarts }), this.#config.rules);
  }

  #processStarts(): boolean | null {
    if (!isLocal(this.#config.address)) return null;
    return this.#host.host.serverStarts(this.#identity?.dataDirectory ?? null);
  }

  async ask(): Promise<Result<MysqlFacts, SqlFailure>> {
    const facts = await this.#ask();
    if (!facts.ok) return facts;
    const replicas = carryLag(this.#replicas, facts.value.replicas);
    this.#replicas = replicas;
    return { ok: true, value: { ...facts.value, replicas } };
  }

  async #ask(): Promise<Result<MysqlFacts, SqlFailure>> {
    const { address, rules, timeout } = this.#config;
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
    const { address } = this.#config;
    const opened = await this.#openAt(address);
    if (opened.ok || address.reservedPort === null || !isTooManyConnections(opened.error)) return opened;
    const reserved = await this.#openAt({ ...address, socket: null, port: address.reservedPort });
    return reserved.ok ? reserved : opened;
  }

  async #openAt(address: MysqlConfig["address"]): Promise<Result<SqlSession, SqlFailure>> {
    const { credentials, tls, connectTimeout } = this.#config;
    const target = { address, credentials, user: null, tls, connectTimeoutMillis: toMillis(connectTimeout) };
    const state: { gone: boolean; session: SqlSession | null } = { gone: false, session: null };
    const opened = await this.#host.sql.open(target, () => {
      state.gone = true;
      // Only the session in use: one that was dropped has nothing to say any more.
      if (state.session === null || state.session !== this.#session) return;
      this.#session = null;
      this.#onLost();
    });
    if (!opened.ok) return opened;
    if (state.gone) return err({ kind: "lost", detail: "closed by the server right after the login" });
    state.session = opened.value;
    this.#session = opened.value;
    return opened;
  }
}
