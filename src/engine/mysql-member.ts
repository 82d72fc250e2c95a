/**
 * One server of a group during a takeover: a session that facts are asked over, and another for orders, since an order may hang
 * (`SET GLOBAL read_only` behind a commit that waits). Owns no decision.
 */

import { addressInWords } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import type { MysqlAddress, MysqlConfig } from "../core/mysql/config.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import type { SqlFailure } from "../core/mysql/failure.ts";
import { END, type MemberFacts, memberOf, memberStatements } from "../core/mysql/member.ts";
import { SESSIONS_STATEMENT, schedulerOrder, semiSyncOrder, sessionsToEnd } from "../core/mysql/orders.ts";
import { IDENTITY_STATEMENT, parseServerVersion } from "../core/mysql/version.ts";
import type { SqlPort, SqlSession } from "../ports/sql.ts";
import { identify, type ServerIdentity } from "./mysql-observe.ts";

type Reach = Pick<MysqlConfig, "credentials" | "tls" | "connectTimeout" | "timeout"> & {
  readonly group?: Pick<MysqlConfig["group"], "eventsFollow">;
  /** How long its host may be silent; milliseconds, connect_timeout when it is not given. */
  readonly reachMillis?: number;
};

/** Tries to close a server: the second one with its sessions ended, because one of them may be what the first one hung behind. */
const CLOSING_TRIES = 2;
/** Whoever was connecting while the list was read is on the next one. */
const ENDING_PASSES = 2;
/** No such thread: it has ended by itself. */
const ER_NO_SUCH_THREAD = 1094;

export class MysqlMember {
  readonly address: MysqlAddress;
  readonly #sql: SqlPort;
  readonly #reach: Reach;
  #session: SqlSession | null = null;
  /** For what may hang; facts are asked over the other one meanwhile. */
  #orders: SqlSession | null = null;
  #identity: ServerIdentity | null = null;

  constructor(sql: SqlPort, address: MysqlAddress, reach: Reach) {
    this.#sql = sql;
    this.address = address;
    this.#reach = reach;
  }

  get name(): string {
    return addressInWords(this.address);
  }

  get dataDirectory(): string | null {
    return this.#identity?.dataDirectory ?? null;
  }

  get version(): ServerIdentity["version"] | null {
    return this.#identity?.version ?? null;
  }

  /** As known, or asked for; null when it does not answer. */
  async versionOver(timeoutMillis: number): Promise<ServerIdentity["version"] | null> {
    if (this.#identity !== null) return this.#identity.version;
    const asked = await this.order(IDENTITY_STATEMENT, timeoutMillis);
    const row = asked.ok ? asked.value[0] : undefined;
    return row === undefined ? null : parseServerVersion(row.version ?? "", row.comment ?? "");
  }

  /** How this server sees the own host; null while it is not connected, or over a Unix socket. */
  get seenAs(): string | null {
    return this.#session?.localAddress ?? null;
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
    this.#orders?.close();
    this.#orders = null;
  }

  /**
   * Without the end of its binary log where that is not needed: a commit that waits for an acknowledgement holds the statement for it up
   * (MariaDB), and such a server is exactly one that has to be closed or looked after.
   */
  async facts({ end }: { readonly end: boolean } = { end: true }): Promise<Result<MemberFacts, SqlFailure>> {
    const facts = await this.#facts(end);
    if (!facts.ok) this.close();
    return facts;
  }

  async #facts(end: boolean): Promise<Result<MemberFacts, SqlFailure>> {
    const timeout = toMillis(this.#reach.timeout);
    if (this.#session === null) {
      const opened = await this.#open(() => this.close());
      if (!opened.ok) return opened;
      this.#session = opened.value;
      const identity = await identify(opened.value, timeout);
      if (!identity.ok) return identity;
      this.#identity = identity.value;
    }
    // The compiler believes what was tested above; the end of the socket may have been heard meanwhile.
    const session = this.#session as SqlSession | null;
    if (session === null || this.#identity === null) return err({ kind: "lost", detail: "closed while it was asked" });
    const { version } = this.#identity;
    const answers: (readonly SqlRow[])[] = [];
    for (const [at, statement] of memberStatements(version).entries()) {
      const answer = at === END && !end ? ok([]) : await session.query(statement, timeout);
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
    return ok(memberOf(version, answers));
  }

  #open(onLost: () => void): Promise<Result<SqlSession, SqlFailure>> {
    const { credentials, tls, connectTimeout, reachMillis } = this.#reach;
    const target = {
      address: this.address,
      credentials,
      user: null,
      tls,
      connectTimeoutMillis: toMillis(connectTimeout),
      ...(reachMillis !== undefined && { reachTimeoutMillis: reachMillis }),
    };
    return this.#sql.open(target, onLost);
  }

  /** One statement over the session for orders; rows, if it has any. A session that failed is not used again. */
  async order(statement: string, timeoutMillis: number): Promise<Result<readonly SqlRow[], SqlFailure>> {
    if (this.#orders === null) {
      const opened = await this.#open(() => {
        this.#orders = null;
      });
      if (!opened.ok) return opened;
      this.#orders = opened.value;
    }
    const answer = await this.#orders.query(statement, timeoutMillis);
    if (!answer.ok && answer.error.kind !== "server") {
      this.#orders?.close();
      this.#orders = null;
    }
    return answer;
  }

  /** One after the other, until one fails. */
  async orderAll(statements: readonly string[], timeoutMillis: number): Promise<Result<void, SqlFailure>> {
    for (const statement of statements) {
      const done = await this.order(statement, timeoutMillis);
      if (!done.ok) return done;
    }
    return ok(undefined);
  }

  /**
   * Whether somebody else is logged in there as the daemons are: the daemon of its own host keeps a connection. Null when that cannot be
   * seen.
   */
  async isWatched(timeoutMillis: number): Promise<boolean | null> {
    const me = await this.order("SELECT USER() AS user", timeoutMillis);
    const sessions = await this.order(SESSIONS_STATEMENT, timeoutMillis);
    const [, user, host] = /^(.*)@([^@]*)$/.exec((me.ok && me.value[0]?.user) || "") ?? [];
    if (user === undefined || !sessions.ok) return null;
    return sessions.value.some((row) => row.User === user && (row.Host ?? "").replace(/:\d+$/, "") !== host);
  }

  /** Read-only, and without the sessions that were there: whoever held one must find the new writer. */
  async closeForWrites(statement: string, timeoutMillis: number): Promise<Result<number, SqlFailure>> {
    let ended = 0;
    // What it cannot do, the writer's daemon tells: a closed server with its scheduler on.
    if (this.#reach.group?.eventsFollow === true) await this.order(schedulerOrder(false), timeoutMillis);
    for (let tries = 1; ; tries++) {
      const closed = await this.order(statement, timeoutMillis);
      const hung = !closed.ok && closed.error.kind === "timeout" && closed.error.phase === "query";
      if (!closed.ok && (!hung || tries >= CLOSING_TRIES)) return closed;
      const killed = await this.#endSessions(timeoutMillis);
      if (!killed.ok) return killed;
      ended += killed.value;
      if (closed.ok) return ok(ended);
      await this.#releaseWaiters(timeoutMillis);
    }
  }

  /**
   * A commit that waits for an acknowledgement holds read_only up, also when its session has been ended. It is in the binary log
   * already, and nobody can be told any more that it is committed: it stays here alone, and is found when this server is compared.
   */
  async #releaseWaiters(timeoutMillis: number): Promise<void> {
    const status = await this.order("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%wait_sessions'", timeoutMillis);
    if (!status.ok) return;
    for (const { Variable_name: name, Value: waiting } of status.value) {
      const word = /_(master|source)_/i.exec(name ?? "")?.[1]?.toLowerCase();
      if ((word !== "master" && word !== "source") || Number(waiting) === 0) continue;
      // Whether it has worked, the next try to close shows.
      await this.order(semiSyncOrder(word, false), timeoutMillis);
    }
  }

  async #endSessions(timeoutMillis: number): Promise<Result<number, SqlFailure>> {
    const opened = await this.#open(() => undefined);
    if (!opened.ok) return opened;
    try {
      const me = await opened.value.query("SELECT USER() AS user", timeoutMillis);
      if (!me.ok) return me;
      const user = (me.value[0]?.user ?? "").replace(/@[^@]*$/, "");
      let ended = 0;
      for (let pass = 0; pass < ENDING_PASSES; pass++) {
        const once = await endOnce(opened.value, user, timeoutMillis);
        if (!once.ok) return once;
        ended += once.value;
      }
      return ok(ended);
    } finally {
      opened.value.close();
    }
  }
}

async function endOnce(session: SqlSession, user: string, timeoutMillis: number): Promise<Result<number, SqlFailure>> {
  const rows = await session.query(SESSIONS_STATEMENT, timeoutMillis);
  if (!rows.ok) return rows;
  let ended = 0;
  for (const kill of sessionsToEnd(rows.value, user)) {
    const killed = await session.query(kill, timeoutMillis);
    if (killed.ok) ended++;
    else if (killed.error.kind !== "server" || killed.error.number !== ER_NO_SUCH_THREAD) return killed;
  }
  return ok(ended);
}
