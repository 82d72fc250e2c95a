/**
 * All `mysql` blocks of a configuration: which are looked at, who is told. It decides nothing about instances: the keeper turns standings
 * into faults and weights. Blocks that nobody tracks are not looked at.
 */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { sameValue } from "../core/lib/same-value.ts";
import { type Instant, toMillis } from "../core/lib/units.ts";
import { addressInWords, type MysqlConfig } from "../core/mysql/config.ts";
import type { MysqlFacts, ReplicaFacts } from "../core/mysql/facts.ts";
import { type MysqlStanding, type StandingName, standingName } from "../core/mysql/standing.ts";
import { sameTrouble, type Trouble } from "../core/mysql/trouble.ts";
import type { Finding } from "../core/mysql/verdict.ts";
import { versionInWords } from "../core/mysql/version.ts";
import type { DatabaseHost, SqlPort } from "../ports/sql.ts";
import type { Timers } from "../ports/timers.ts";
import { MysqlWatch } from "./mysql-watch.ts";

export interface MysqlEngineOptions {
  readonly sql: SqlPort;
  readonly host: DatabaseHost;
  readonly timers: Timers;
  readonly publish: (body: HoldfastEventBody) => void;
  /** Standings that changed. */
  readonly tell: (servers: Readonly<Record<string, MysqlStanding>>) => void;
  /** After every look; null when the server could not be asked. */
  readonly looked?: (name: string, facts: MysqlFacts | null) => void;
}

export interface MysqlStatus {
  /** What is wrong with the group that it is in, from whoever looks after that. */
  readonly group?: readonly string[];
  readonly name: string;
  readonly server: string;
  /** "MariaDB 10.11.19"; null while it cannot be asked. */
  readonly version: string | null;
  readonly standing: StandingName | "unknown";
  /** What makes it fail, or unfit; null when neither. */
  readonly trouble: Trouble | null;
  /** How it got in, where that will not last. */
  readonly remark?: string | null;
  /** Everything the last look found, also what does not count. */
  readonly findings: readonly Finding[];
  readonly replicas: readonly ReplicaFacts[];
  readonly since: Instant | null;
  readonly lookedAt: Instant | null;
  readonly intervalMillis: number;
}

export interface MysqlEngine {
  /** Takes over a new configuration; unchanged blocks keep connection and standing. */
  configure(config: HoldfastConfig): void;
  /** Those that are known, for a keeper that has just started. */
  standings(): Readonly<Record<string, MysqlStanding>>;
  /** A trouble that no look can find, and since when; null when it is over. */
  override(name: string, trouble: Trouble | null, since?: Instant): void;
  /** An instance has become MASTER or is it no longer: what counts for it is another thing now. */
  repeat(): void;
  status(): readonly MysqlStatus[];
  stop(): void;
}

export function createMysqlEngine(options: MysqlEngineOptions): MysqlEngine {
  const watches = new Map<string, MysqlWatch>();
  const overrides = new Map<string, { readonly trouble: Trouble; readonly since: Instant }>();
  const withOverride = (name: string, standing: MysqlStanding | null): MysqlStanding | null => {
    const one = overrides.get(name);
    return one === undefined ? standing : { always: one.trouble, standby: standing?.standby ?? null };
  };

  const report = (watch: MysqlWatch, before: MysqlStanding | null): void => {
    const { name } = watch.config;
    const now = withOverride(name, watch.standing);
    if (now === null) return;
    const same = before !== null && sameTrouble(before.always, now.always) && sameTrouble(before.standby, now.standby);
    if (same) return;
    options.tell({ [name]: now });
    options.publish({
      kind: "mysql",
      name,
      server: addressInWords(watch.config.address),
      standing: standingName(now),
      trouble: now.always ?? now.standby,
    });
  };

  const looked = (watch: MysqlWatch, before: MysqlStanding | null): void => {
    options.looked?.(watch.config.name, watch.facts);
    report(watch, withOverride(watch.config.name, before));
  };

  const host = { sql: options.sql, host: options.host, timers: options.timers, report: looked };

  const standings = (): Readonly<Record<string, MysqlStanding>> => {
    const known: Record<string, MysqlStanding> = {};
    for (const [name, watch] of watches) {
      const standing = withOverride(name, watch.standing);
      if (standing !== null) known[name] = standing;
    }
    return known;
  };

  return {
    configure(config) {
      const wanted = wantedServers(config);
      for (const [name, watch] of watches) {
        const next = wanted.get(name);
        if (next !== undefined && sameValue(next, watch.config)) wanted.delete(name);
        else {
          watch.end();
          watches.delete(name);
        }
      }
      for (const [name, one] of wanted) watches.set(name, new MysqlWatch(host, one));
    },
    standings,
    override(name, trouble, since = options.timers.now()) {
      const watch = watches.get(name);
      if (watch === undefined) return;
      const before = withOverride(name, watch.standing);
      if (trouble === null) overrides.delete(name);
      else overrides.set(name, { trouble, since });
      report(watch, before);
    },
    repeat() {
      if (watches.size > 0) options.tell(standings());
    },
    status: () =>
      [...watches.values()].map((watch) => {
        const { name } = watch.config;
        return statusOf(watch, withOverride(name, watch.standing), overrides.get(name)?.since ?? watch.since);
      }),
    stop() {
      for (const watch of watches.values()) watch.end();
      watches.clear();
    },
  };
}

function wantedServers(config: HoldfastConfig): Map<string, MysqlConfig> {
  const used = new Set(config.instances.flatMap(({ vrrp }) => vrrp.trackMysql.map(({ key }) => key)));
  const managed = new Set(config.instances.map(({ managesMysql }) => managesMysql));
  return new Map(
    config.mysql
      .filter(({ name }) => used.has(name))
      .map(({ span: _place, flawed: _flawed, ...server }) => [
        server.name,
        { ...server, rules: { ...server.rules, managed: managed.has(server.name) } },
      ]),
  );
}

function statusOf(watch: MysqlWatch, standing: MysqlStanding | null, since: Instant | null): MysqlStatus {
  const { config, facts, verdict, lookedAt } = watch;
  return {
    name: config.name,
    server: addressInWords(config.address),
    version: facts === null ? null : versionInWords(facts.version),
    standing: standing === null ? "unknown" : standingName(standing),
    trouble: standing === null ? null : (standing.always ?? standing.standby),
    remark: watch.remark,
    findings: verdict?.findings ?? [],
    replicas: facts?.replicas ?? [],
    since,
    lookedAt,
    intervalMillis: toMillis(config.interval),
  };
}
