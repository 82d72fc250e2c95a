/**
 * Joins the checks of database servers and the managing of them: what a look finds, the manager hears. A gate of the keeper goes past
 * the gateways and a question for the addresses, through the managers one after the other, and then to the administrator's hook.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { Trouble } from "../core/database/trouble.ts";
import { type Instant, instant, millis } from "../core/lib/units.ts";
import type { Standings } from "../core/link/messages.ts";
import type { AddressProbe } from "../ports/address-probe.ts";
import type { ProbePort } from "../ports/probes.ts";
import type { RedisPort } from "../ports/redis.ts";
import type { DatabaseHost, SqlPort } from "../ports/sql.ts";
import type { FenceMarks } from "../ports/takeover.ts";
import type { Timers } from "../ports/timers.ts";
import type { EventBus } from "./event-bus.ts";
import { AddressGate } from "./evidence/address-gate.ts";
import { GatewayGate } from "./evidence/gateway-gate.ts";
import type { GateAnswer, GateQuestion } from "./hook-engine.ts";
import { createMysqlEngine, type MysqlEngine } from "./mysql-engine.ts";
import { Fences } from "./mysql-fence.ts";
import { createMysqlManager, type MysqlManager } from "./mysql-manager.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";
import type { Part } from "./part.ts";
import { createRedisEngine, type RedisEngine } from "./redis-engine.ts";
import { RedisManager } from "./redis-manager.ts";
import type { RedisTools } from "./redis-takeover.ts";

export interface DatabaseOptions {
  readonly timers: Timers;
  readonly bus: EventBus;
  readonly sql: SqlPort;
  readonly redis: RedisPort;
  readonly databases: DatabaseHost;
  readonly takeover: Pick<
    TakeoverTools,
    "gateway" | "positions" | "exporter" | "copies" | "logins" | "notes" | "records" | "flush"
  >;
  readonly fences: FenceMarks;
  /** How gateways are asked before a claim. */
  readonly probes: ProbePort;
  readonly addresses: AddressProbe;
  /** Of managed Redis servers: durable notes and copies of data sets. */
  readonly redisFiles: Pick<RedisTools, "marks" | "copies">;
  /** Milliseconds since the epoch. */
  readonly wallMillis: () => number;
}

export interface DatabaseLinks {
  readonly tell: (servers: Partial<Pick<Standings, "mysql" | "redis">>) => void;
  readonly answer: (answer: GateAnswer) => void;
  readonly handOver: (instance: string) => void;
  readonly next: (question: GateQuestion) => void;
}

export interface Databases extends Part {
  readonly mysql: MysqlEngine;
  readonly redis: RedisEngine;
  readonly managed: MysqlManager;
  readonly managedRedis: RedisManager;
  standings(): Pick<Standings, "mysql" | "redis">;
  /** Closes what is open without the address, before VRRP begins: whoever was the writer before this daemon. Null: nothing is managed. */
  guard(config: HoldfastConfig): Promise<void> | null;
  ask(question: GateQuestion): void;
  cancel(instance: string, gate: number): void;
  /** The keeper that asked is dead. */
  cancelAll(): void;
  /** An instance that is MASTER has heard another one. */
  rival(instance: string): void;
}

export function createDatabases(options: DatabaseOptions, links: DatabaseLinks): Databases {
  const servers = joinServers(options, links);
  const probing = new AddressGate({ ...options, answer: links.answer, next: (question) => servers.ask(question) });
  const gateways = new GatewayGate({ ...options, answer: links.answer, next: (question) => probing.ask(question) });
  return {
    ...servers,
    configure(config) {
      gateways.configure(config);
      probing.configure(config);
      servers.configure(config);
    },
    ask: (question) => gateways.ask(question),
    cancel(instance, gate) {
      gateways.cancel(instance, gate);
      probing.cancel(instance, gate);
      servers.cancel(instance, gate);
    },
    cancelAll() {
      gateways.cancelAll();
      probing.cancelAll();
      servers.cancelAll();
    },
  };
}

function joinServers(
  { timers, bus, sql, redis: redisPort, databases, takeover, fences: marks, redisFiles, wallMillis }: DatabaseOptions,
  { tell, answer, next, handOver }: DatabaseLinks,
): Databases {
  const isolated = new Map<string, { readonly trouble: Trouble; readonly since: Instant }>();
  const fences = new Fences(marks, (name) => overrule(name));
  const overrule = (name: string): void => {
    const cutOff = isolated.get(name);
    const fenced = fences.troubleOf(name);
    if (fenced === null && cutOff !== undefined) mysql.override(name, cutOff.trouble, cutOff.since);
    else mysql.override(name, fenced);
  };
  const managed = createMysqlManager({
    tools: { sql, timers, wallMillis, ...takeover },
    publish: (body) => bus.publish("vrrp", body),
    answer,
    next,
    handOver,
    fences,
    isolate(name, milliseconds) {
      if (milliseconds === null) isolated.delete(name);
      else {
        const since = instant(timers.now() - millis(milliseconds));
        isolated.set(name, { trouble: { kind: "isolated", forMillis: milliseconds }, since });
      }
      overrule(name);
    },
  });
  const mysql = createMysqlEngine({
    sql,
    host: databases,
    timers,
    publish: (body) => bus.publish("vrrp", body),
    tell: (servers) => tell({ mysql: servers }),
    looked: (name, facts) => managed.looked(name, facts),
  });
  const managedRedis = new RedisManager({
    tools: { redis: redisPort, timers, gateway: takeover.gateway, flush: takeover.flush, ...redisFiles },
    publish: (body) => bus.publish("vrrp", body),
    answer,
    next: (question) => managed.ask(question),
    handOver,
    isolate: (name, length) => redis.override(name, length === null ? null : { kind: "isolated", forMillis: length }),
  });
  const redis = createRedisEngine({
    redis: redisPort,
    timers,
    publish: (body) => bus.publish("vrrp", body),
    tell: (servers) => tell({ redis: servers }),
  });
  const managers = [managed, managedRedis];
  return {
    mysql,
    redis,
    managed,
    managedRedis,
    standings: () => ({ mysql: mysql.standings(), redis: redis.standings() }),
    configure(config) {
      managed.configure(config);
      managedRedis.configure(config);
      mysql.configure(config);
      redis.configure(config);
      for (const name of fences.names) overrule(name);
    },
    guard({ instances }) {
      const some = instances.some(({ managesMysql, managesRedis }) => managesMysql !== null || managesRedis !== null);
      return some ? Promise.all([managed.guard(), managedRedis.guard()]).then(() => undefined) : null;
    },
    ask: (question) => managedRedis.ask(question),
    cancel(instance, gate) {
      for (const one of managers) one.cancel(instance, gate);
    },
    cancelAll() {
      for (const one of managers) one.cancelAll();
    },
    rival: (instance) => managed.rival(instance),
    entered(instance, state) {
      mysql.repeat();
      redis.repeat();
      managed.entered(instance, state);
      managedRedis.entered(instance, state);
    },
    stop() {
      mysql.stop();
      redis.stop();
    },
    stopped: () => Promise.all([managed.stop(), managedRedis.stop()]).then(() => undefined),
  };
}
