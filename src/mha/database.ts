/** One database server of the application: its session, its facts and the orders a failover gives it. Decides nothing. */

import { err, ok, type Result } from "../core/lib/result.ts";
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import {
  endOfLogStatement,
  factStatements,
  factsOf,
  isDrained,
  type MhaFacts,
  type ReplicationFacts,
} from "../core/mha/facts.ts";
import {
  type LockName,
  lockStatement,
  type NewSource,
  pointStatement,
  resetStatement,
  unlockStatement,
} from "../core/mha/orders.ts";
import { provesLife } from "../core/mha/ping.ts";
import { type Coordinates, coordinates } from "../core/mysql/coordinates.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import type { SqlFailure } from "../core/mysql/failure.ts";
import { replicaOrder, type ThreadName } from "../core/mysql/orders.ts";
import { parseServerVersion, replicaStatement, type ServerVersion } from "../core/mysql/version.ts";
import type { SqlPort, SqlSession } from "../ports/sql.ts";
import { MhaError, pause } from "./environment.ts";

/** A statement that only asks. */
const ASK_MILLIS = 5_000;
/** A statement that changes threads may wait for one of them. */
export const ORDER_MILLIS = 30_000;
const CONNECT_MILLIS = 3_000;
/** The most that either product knows; bytes. */
const LARGEST_PACKET = 1_073_741_824;
/** So much longer a text is, with its line breaks. */
const BASE64 = 1.4;

export class Database {
  readonly server: MhaServer;
  readonly #sql: SqlPort;
  #session: SqlSession | null = null;
  #version: ServerVersion | null = null;
  #onLost: () => void = () => undefined;

  /** Path of a Unix socket instead of the server's address. */
  readonly #socket: string | null;

  constructor(sql: SqlPort, server: MhaServer, socket: string | null = null) {
    this.#sql = sql;
    this.server = server;
    this.#socket = socket;
  }

  get name(): string {
    return hostInfo(this.server);
  }

  get version(): ServerVersion {
    if (this.#version === null) throw new MhaError(`${this.name} has not been connected`);
    return this.#version;
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  onLost(action: () => void): void {
    this.#onLost = action;
  }

  async open(connectTimeoutMillis = CONNECT_MILLIS): Promise<Result<null, SqlFailure>> {
    this.close();
    const { ip, hostname, port, user, password } = this.server;
    const opened = await this.#sql.open(
      {
        address: { socket: this.#socket, host: ip ?? hostname, port, reservedPort: null },
        credentials: null,
        user,
        password,
        tls: { mode: "off", ca: null, cert: null, key: null },
        connectTimeoutMillis,
      },
      () => {
        this.#session = null;
        this.#onLost();
      },
    );
    if (!opened.ok) return opened;
    this.#session = opened.value;
    if (this.#version !== null) return ok(null);
    const asked = await this.query("SELECT @@version AS version, @@version_comment AS comment");
    if (!asked.ok) return asked;
    this.#version = parseServerVersion(asked.value[0]?.version ?? "", asked.value[0]?.comment ?? "");
    return this.#version === null ? err({ kind: "setup", detail: "its version is no number" }) : ok(null);
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }

  async query(statement: string, timeoutMillis = ASK_MILLIS): Promise<Result<readonly SqlRow[], SqlFailure>> {
    if (this.#session === null) return err({ kind: "lost", detail: "not connected" });
    const answer = await this.#session.query(statement, timeoutMillis);
    if (!answer.ok && answer.error.kind !== "server") this.close();
    return answer;
  }

  /** As query, but failing is the end of what is being done. The statement is not shown: it may hold a password. */
  async order(
    statement: string,
    { what, timeoutMillis = ORDER_MILLIS }: { readonly what: string; readonly timeoutMillis?: number },
  ): Promise<readonly SqlRow[]> {
    const answer = await this.query(statement, timeoutMillis);
    if (!answer.ok) throw new MhaError(`${what} on ${this.name} failed: ${failureWords(answer.error)}`);
    return answer.value;
  }

  async facts(): Promise<Result<MhaFacts, SqlFailure>> {
    const answers: (readonly SqlRow[])[] = [];
    for (const statement of factStatements(this.version)) {
      const answer = await this.query(statement);
      if (!answer.ok) return answer;
      answers.push(answer.value);
    }
    return ok(factsOf(this.version, answers));
  }

  async replication(): Promise<ReplicationFacts> {
    const rows = await this.order(replicaStatement(this.version), {
      what: "asking for the state of replication",
      timeoutMillis: ASK_MILLIS,
    });
    const facts = factsOf(this.version, [[], [], rows]).replication;
    if (facts === null) throw new MhaError(`${this.name} is no replica any more`);
    return facts;
  }

  /** Where its own binary log ends. */
  async end(): Promise<Coordinates> {
    const [row] = await this.order(endOfLogStatement(this.version), { what: "asking for the binary log's position" });
    const end = coordinates(row?.File, row?.Position);
    if (end === null) throw new MhaError(`${this.name} has no binary log`);
    return end;
  }

  async thread(verb: "START" | "STOP", channel: string, thread: ThreadName | null): Promise<void> {
    const what = `${verb} ${thread ?? "replication"}`;
    await this.order(replicaOrder(this.version, verb, { channel, thread }), { what });
  }

  /** Points it elsewhere and starts both threads. What it has received must be executed. */
  async follow(channel: string, to: NewSource): Promise<void> {
    await this.thread("STOP", channel, null);
    await this.order(pointStatement(this.version, channel, to), { what: "CHANGE MASTER" });
    await this.thread("START", channel, null);
  }

  async forgetSource(channel: string): Promise<void> {
    await this.thread("STOP", channel, null);
    await this.order(resetStatement(this.version, channel), { what: "RESET SLAVE ALL" });
  }

  /**
   * Until everything received is executed, however long that takes: the thread must run and make way. Half a transaction at the end of what
   * was received never becomes executed: without GTIDs that is taken for granted once the thread has said for a second that it is idle.
   */
  async drain(told: (text: string) => void): Promise<ReplicationFacts> {
    let idleSince: number | null = null;
    for (let look = 0; ; look++) {
      const facts = await this.replication();
      if (isDrained(facts, this.version.product)) return facts;
      if (facts.sql === "stopped") {
        throw new MhaError(
          `${this.name} does not execute what it has received: ${facts.sqlError ?? "its SQL thread is stopped"}`,
        );
      }
      const now = performance.now();
      if (!facts.idle) idleSince = null;
      else idleSince ??= now;
      if (!facts.byGtid && idleSince !== null && now - idleSince > 1_000) return facts;
      if (look > 0 && look % 500 === 0) told(`  ${this.name} still executes what it has received..`);
      await pause(look < 50 ? 10 : 20);
    }
  }

  /**
   * mysqlbinlog prints the rows of one statement as one BINLOG statement, in base64, however long. For replication slave_max_allowed_packet (1 GiB) is the limit,
   * for the client max_allowed_packet (16 MiB): what the replica would have executed must not fail for that. Bytes; set back afterwards.
   */
  async withPackets(bytes: number, action: () => Promise<void>): Promise<void> {
    const what = "max_allowed_packet";
    const [row] = await this.order("SELECT @@global.max_allowed_packet AS value", { what });
    const before = Number(row?.value);
    if (!(bytes * BASE64 >= before && before < LARGEST_PACKET)) return await action();
    await this.order(`SET GLOBAL max_allowed_packet = ${LARGEST_PACKET}`, { what });
    try {
      await action();
    } finally {
      await this.order(`SET GLOBAL max_allowed_packet = ${before}`, { what });
    }
  }

  async lock(name: LockName, seconds: number): Promise<boolean> {
    const [row] = await this.order(lockStatement(name, seconds), {
      what: "GET_LOCK",
      timeoutMillis: ASK_MILLIS + seconds * 1000,
    });
    return row?.value === "1";
  }

  async unlock(name: LockName): Promise<void> {
    await this.query(unlockStatement(name));
  }
}

export function failureWords(failure: SqlFailure): string {
  switch (failure.kind) {
    case "network":
    case "lost":
    case "setup":
      return failure.detail;
    case "timeout":
      return `no answer within ${failure.afterMillis} ms`;
    case "server":
      return `error ${failure.number} (${failure.detail})`;
  }
}

/** A server error that proves a live server, such as a denied login: its number; null otherwise. */
export const aliveError = (failure: SqlFailure): number | null =>
  failure.kind === "server" && provesLife(failure.number) ? failure.number : null;
