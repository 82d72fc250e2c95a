/**
 * Joins the checks of database servers and the managing of them: what a look finds, the manager hears. A gate of the keeper goes past
 * the gateways and a question for the addresses, through the managers one after the other, and then to the administrator's hook.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { Standings } from "../core/link/messages.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
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
import type { KeeperOrder } from "./keeper-contract.ts";
import { createMysqlEngine, type MysqlEngine } from "./mysql-engine.ts";
import { Fences } from "./mysql-fence.ts";
import { createMysqlManager, type MysqlManager } from "./mysql-manager.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";
import { createOverruling } from "./overrules.ts";
import type { Part } from "./part.ts";
import { QuorumGate, type QuorumGateOptions, type QuorumStatus } from "./quorum/quorum-gate.ts";
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
    "gateway" | "positions" | "exporter" | "tails" | "copies" | "logins" | "notes" | "records" | "flush"
  >;
  readonly fences: FenceMarks;
  /** How gateways are asked before a claim. */
  readonly probes: ProbePort;
  readonly addresses: AddressProbe;
  /** The store of `quorum_store`, and who this daemon is there. */
  readonly quorum: QuorumGateOptions["quorum"];
  /** Of managed Redis servers: durable notes and copies of data sets. */
  readonly redisFiles: Pick<RedisTools, "marks" | "copies">;
  /** Milliseconds since the epoch. */
  readonly wallMillis: () => number;
}

export interface DatabaseLinks {
  readonly tell: (servers: Partial<Pick<Standings, "mysql" | "redis">>) => void;
  readonly answer: (answer: GateAnswer) => void;
  readonly next: (question: GateQuestion) => void;
  /** A hook that was asked need not answer any more. */
  readonly withdraw: (instance: string, gate: number) => void;
  readonly order: (order: KeeperOrder) => void;
}

interface Servers extends Part {
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
  entered(instance: string, state: VrrpStateName): void;
  /** An instance that is MASTER has heard another one. */
  rival(instance: string): void;
  stopped(): Promise<void>;
}

interface Managers extends Servers {
  /** An instance must not serve, or may again (null). */
  forbid(instance: string, detail: string | null): void;
  closed(instance: string): Promise<void>;
}

export interface Databases extends Servers {
  /** The answer of a hook to a gate, on its way to the keeper. */
  answer(answer: GateAnswer): void;
  /** Null without `quorum_store`. */
  quorum(): QuorumStatus | null;
  readonly store: Pick<QuorumGate, "outlook" | "overrule">;
}

export function createDatabases(options: DatabaseOptions, links: DatabaseLinks): Databases {
  const answer = (one: GateAnswer): void => {
    links.answer(quorum.answered(one));
  };
  const servers = joinServers(options, { ...links, answer });
  // After the store, which may take its time: its answer is to be fresh. What it refuses gives the record back.
  const probing = new AddressGate({ ...options, answer, next: (question) => servers.ask(question) });
  const quorum = new QuorumGate({
    ...options,
    answer: links.answer,
    next: (question) => probing.ask(question),
    publish: (body) => options.bus.publish("vrrp", body),
    permit: (instance, until) => links.order({ type: "permit", instance, until }),
    retry: (instance) => links.order({ type: "retry-claim", instance }),
    forbid: (instance, detail) => servers.forbid(instance, detail),
    closed: (instance) => servers.closed(instance),
    withdraw(instance, gate) {
      probing.cancel(instance, gate);
      servers.cancel(instance, gate);
      links.withdraw(instance, gate);
    },
  });
  const gateways = new GatewayGate({ ...options, answer: links.answer, next: (question) => quorum.ask(question) });
  return {
    ...servers,
    answer,
    quorum: () => quorum.status(),
    store: quorum,
    configure(config) {
      gateways.configure(config);
      probing.configure(config);
      servers.configure(config);
      quorum.configure(config);
    },
    ask: (question) => gateways.ask(question),
    cancel(instance, gate) {
      gateways.cancel(instance, gate);
      probing.cancel(instance, gate);
      servers.cancel(instance, gate);
      quorum.cancel(instance, gate);
    },
    cancelAll() {
      gateways.cancelAll();
      probing.cancelAll();
      servers.cancelAll();
      quorum.cancelAll();
    },
    entered(instance, state) {
      servers.entered(instance, state);
      quorum.entered(instance, state);
    },
    stopped: () => servers.stopped().then(() => quorum.stop()),
  };
}

function joinServers(
  { timers, bus, sql, redis: redisPort, databases, takeover, fences: marks, redisFiles, wallMillis }: DatabaseOptions,
  { tell, answer, next, order }: DatabaseLinks,
): Managers {
  const handOver = (instance: string): void => order({ type: "hand-over", instance });
  const fences = new Fences(marks, (name) => overruling.mysql(name));
  let current: HoldfastConfig["instances"] = [];
  const managed = createMysqlManager({
    tools: { sql, timers, wallMillis, ...takeover },
    publish: (body) => bus.publish("vrrp", body),
    answer,
    next,
    handOver,
    fences,
    isolate: (name, length) => overruling.isolate("mysql", name, length),
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
    isolate: (name, length) => overruling.isolate("redis", name, length),
  });
  const redis = createRedisEngine({
    redis: redisPort,
    timers,
    publish: (body) => bus.publish("vrrp", body),
    tell: (servers) => tell({ redis: servers }),
  });
  const overruling = createOverruling({
    mysql,
    redis,
    fenced: (name) => fences.troubleOf(name),
    now: () => timers.now(),
  });
  const managers = [managed, managedRedis];
  return {
    mysql,
    redis,
    managed,
    managedRedis,
    standings: () => ({ mysql: mysql.standings(), redis: redis.standings() }),
    configure(config) {
      current = config.instances;
      managed.configure(config);
      managedRedis.configure(config);
      mysql.configure(config);
      redis.configure(config);
      for (const name of fences.names) overruling.mysql(name);
    },
    forbid(instance, detail) {
      const settings = current.find(({ vrrp }) => vrrp.name === instance);
      if (settings !== undefined) overruling.forbid(settings, detail);
    },
    closed: (instance) => Promise.all(managers.map((one) => one.settled(instance))).then(() => undefined),
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
      for (const one of [mysql, redis]) one.stop();
    },
    stopped: () => Promise.all([managed.stop(), managedRedis.stop()]).then(() => undefined),
  };
}
