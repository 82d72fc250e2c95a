/** Joins the checks of database servers and the managing of them: what a look finds, the manager hears. */
import type { MysqlStanding } from "../core/mysql/standing.ts";
import type { DatabaseHost, SqlPort } from "../ports/sql.ts";
import type { Timers } from "../ports/timers.ts";
import type { EventBus } from "./event-bus.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { createMysqlEngine, type MysqlEngine } from "./mysql-engine.ts";
import { createMysqlManager, type MysqlManager } from "./mysql-manager.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface DatabaseOptions {
  readonly timers: Timers;
  readonly bus: EventBus;
  readonly sql: SqlPort;
  readonly databases: DatabaseHost;
  readonly takeover: Pick<TakeoverTools, "gateway" | "positions" | "flush">;
  /** Milliseconds since the epoch. */
  readonly wallMillis: () => number;
}

export interface DatabaseLinks {
  readonly tell: (servers: Readonly<Record<string, MysqlStanding>>) => void;
  readonly answer: (answer: GateAnswer) => void;
  readonly handOver: (instance: string) => void;
  readonly next: (question: GateQuestion) => void;
}

export function createDatabases(
  { timers, bus, sql, databases, takeover, wallMillis }: DatabaseOptions,
  { tell, answer, next, handOver }: DatabaseLinks,
): { readonly mysql: MysqlEngine; readonly managed: MysqlManager } {
  const managed = createMysqlManager({
    tools: { sql, timers, wallMillis, ...takeover },
    publish: (body) => bus.publish("vrrp", body),
    answer,
    next,
    handOver,
    isolate: (name, millis) => mysql.override(name, millis === null ? null : { kind: "isolated", forMillis: millis }),
  });
  const mysql = createMysqlEngine({
    sql,
    host: databases,
    timers,
    publish: (body) => bus.publish("vrrp", body),
    tell,
    looked: (name, facts) => managed.looked(name, facts),
  });
  return { mysql, managed };
}
