/**
 * MYSQL_CHECK over a kept connection: one look is two or three statements. What a look means is core/lvs/mysql-judgement.ts; here are the
 * session and its end. The source's death leaves the lag that was known last, until what was received is executed.
 */

import { troubleInWords } from "../../core/database/trouble.ts";
import { ok, type Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import type { MysqlChecker } from "../../core/lvs/checkers.ts";
import { judgeMysql, type MysqlLook } from "../../core/lvs/mysql-judgement.ts";
import { carryLag, closedBy, isOwnChannel, type ReplicaFacts, replicaOf } from "../../core/mysql/facts.ts";
import { isGrantError, type SqlFailure, troubleOfFailure } from "../../core/mysql/failure.ts";
import { replicaPrivilege, replicaStatement, type ServerVersion, settingsStatement } from "../../core/mysql/version.ts";
import type { Probe } from "../../ports/probes.ts";
import type { SqlPort, SqlSession } from "../../ports/sql.ts";
import { identify } from "../mysql-observe.ts";
import type { ProbeDone, ProbeResult } from "./probe.ts";

export interface MysqlProbeOrder {
  readonly wasUp: boolean;
  /** What the server weighs without lag. */
  readonly weight: number;
}

export class MysqlProbe {
  readonly #sql: SqlPort;
  readonly #checker: MysqlChecker;
  #session: SqlSession | null = null;
  #version: ServerVersion | null = null;
  #replicas: readonly ReplicaFacts[] = [];
  #ended = false;

  constructor(sql: SqlPort, checker: MysqlChecker) {
    this.#sql = sql;
    this.#checker = checker;
  }

  run(order: MysqlProbeOrder, done: ProbeDone): Probe {
    let cancelled = false;
    void this.#look().then((look) => {
      if (!cancelled && !this.#ended) done(this.#judge(look, order));
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  }

  end(): void {
    this.#ended = true;
    this.#drop();
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
    this.#version = null;
  }

  #judge(look: Result<MysqlLook, SqlFailure>, { wasUp, weight }: MysqlProbeOrder): ProbeResult {
    if (!look.ok) {
      const text = troubleInWords(troubleOfFailure(look.error, { wasUp, processStarts: null }));
      return { finding: { kind: "trouble", text }, weight: null };
    }
    const { finding, share } = judgeMysql(this.#checker, look.value, wasUp);
    return { finding, weight: share === 1 ? null : Math.max(Math.min(1, weight), Math.ceil(weight * share)) };
  }

  async #look(): Promise<Result<MysqlLook, SqlFailure>> {
    const looked = await this.#ask();
    // A connection that somebody killed is no dead server.
    if (looked.ok || looked.error.kind !== "lost" || this.#ended) return looked;
    this.#drop();
    return await this.#ask();
  }

  async #ask(): Promise<Result<MysqlLook, SqlFailure>> {
    const opened = await this.#open();
    if (!opened.ok) return opened;
    const { session, version } = opened.value;
    const limit = toMillis(this.#checker.connection.timeout);
    const settings = await session.query(settingsStatement(version), limit);
    if (!settings.ok) return this.#failed(settings.error);
    const replicas = await this.#askReplicas(session, version, limit);
    if (!replicas.ok) return this.#failed(replicas.error);
    const heartbeat = await this.#askHeartbeat(session, limit);
    if (!heartbeat.ok) return this.#failed(heartbeat.error);
    this.#replicas = carryLag(this.#replicas, replicas.value.replicas);
    return ok({
      closedBy: closedBy(settings.value[0] ?? {}),
      replicas: this.#replicas,
      blindFor: replicas.value.blindFor,
      heartbeatLag: heartbeat.value,
    });
  }

  #failed(error: SqlFailure): Result<never, SqlFailure> {
    this.#drop();
    return { ok: false, error };
  }

  async #open(): Promise<Result<{ session: SqlSession; version: ServerVersion }, SqlFailure>> {
    if (this.#session !== null && this.#version !== null) return ok({ session: this.#session, version: this.#version });
    const { connection, credentials, tls } = this.#checker;
    const connectTimeoutMillis = toMillis(connection.timeout);
    const address = { socket: null, host: connection.address, port: connection.port, reservedPort: null };
    const opened = await this.#sql.open({ address, credentials, user: null, tls, connectTimeoutMillis }, () => {
      this.#session = null;
      this.#version = null;
    });
    if (!opened.ok) return opened;
    if (this.#ended) opened.value.close();
    this.#session = opened.value;
    const identity = await identify(opened.value, connectTimeoutMillis);
    if (!identity.ok) return this.#failed(identity.error);
    this.#version = identity.value.version;
    return ok({ session: opened.value, version: identity.value.version });
  }

  async #askReplicas(
    session: SqlSession,
    version: ServerVersion,
    limit: number,
  ): Promise<Result<Pick<MysqlLook, "replicas" | "blindFor">, SqlFailure>> {
    if (this.#checker.role === "writer") return ok({ replicas: [], blindFor: null });
    const asked = await session.query(replicaStatement(version), limit);
    if (asked.ok) return ok({ replicas: asked.value.map(replicaOf).filter(isOwnChannel), blindFor: null });
    return isGrantError(asked.error) ? ok({ replicas: [], blindFor: replicaPrivilege(version) }) : asked;
  }

  /** The newest row of all writers; its ts is in the time zone of the session, as pt-heartbeat writes it. */
  async #askHeartbeat(session: SqlSession, limit: number): Promise<Result<number | null, SqlFailure>> {
    const { heartbeatTable, role } = this.#checker;
    if (heartbeatTable === null || role === "writer") return ok(null);
    // The configuration lets letters, digits, _ and $ through, nothing else.
    const [schema, table] = heartbeatTable.split(".");
    const text = `SELECT TIMESTAMPDIFF(SECOND, MAX(ts), NOW(6)) AS lag FROM \`${schema}\`.\`${table}\``;
    const asked = await session.query(text, limit);
    if (!asked.ok) return asked;
    const lag = asked.value[0]?.lag ?? null;
    return ok(lag === null ? null : Number(lag));
  }
}
