/**
 * Joins the checks of database servers and the managing of them: what a look finds, the manager hears. A gate of the keeper goes through
 * the managers one after the other, and then to the administrator's hook.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import { instant, millis } from "../core/lib/units.ts";
import type { Standings } from "../core/link/messages.ts";
import type { MysqlStanding } from "../core/mysql/standing.ts";
import type { DatabaseHost, SqlPort } from "../ports/sql.ts";
import type { Timers } from "../ports/timers.ts";
import type { EventBus } from "./event-bus.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { createMysqlEngine, type MysqlEngine } from "./mysql-engine.ts";
import { createMysqlManager, type MysqlManager } from "./mysql-manager.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";
import type { Part } from "./part.ts";

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

export interface Databases extends Part {
  readonly mysql: MysqlEngine;
  readonly managed: MysqlManager;
  standings(): Pick<Standings, "mysql">;
  /** Closes what is open without the address, before VRRP begins: whoever was the writer before this daemon. Null: nothing is managed. */
  guard(config: HoldfastConfig): Promise<void> | null;
  ask(question: GateQuestion): void;
  cancel(instance: string, gate: number): void;
  /** The keeper that asked is dead. */
  cancelAll(): void;
}

export function createDatabases(
  { timers, bus, sql, databases, takeover, wallMillis }: DatabaseOptions,
  { tell, answer, next, handOver }: DatabaseLinks,
): Databases {
  const managed = createMysqlManager({
    tools: { sql, timers, wallMillis, ...takeover },
    publish: (body) => bus.publish("vrrp", body),
    answer,
    next,
    handOver,
    isolate: (name, milliseconds) => {
      if (milliseconds === null) mysql.override(name, null);
      else {
        const since = instant(timers.now() - millis(milliseconds));
        mysql.override(name, { kind: "isolated", forMillis: milliseconds }, since);
      }
    },
  });
  const mysql = createMysqlEngine({
    sql,
    host: databases,
    timers,
    publish: (body) => bus.publish("vrrp", body),
    tell,
    looked: (name, facts) => managed.looked(name, facts),
  });
  return {
    mysql,
    managed,
    standings: () => ({ mysql: mysql.standings() }),
    configure(config) {
      managed.configure(config);
      mysql.configure(config);
    },
    guard: ({ instances }) => (instances.every(({ managesMysql }) => managesMysql === null) ? null : managed.guard()),
    ask: (question) => managed.ask(question),
    cancel: (instance, gate) => managed.cancel(instance, gate),
    cancelAll: () => managed.cancelAll(),
    entered(instance, state) {
      mysql.repeat();
      managed.entered(instance, state);
    },
    stop: () => mysql.stop(),
    stopped: () => managed.stop(),
  };
}
