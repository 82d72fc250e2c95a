/** The checks of all `mysql` blocks of a configuration. Blocks that nobody tracks are not looked at. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { MysqlFacts, ReplicaFacts } from "../core/mysql/facts.ts";
import { versionInWords } from "../core/mysql/version.ts";
import type { DatabaseHost, SqlPort } from "../ports/sql.ts";
import {
  createDatabaseEngine,
  type DatabaseEngine,
  type DatabaseEngineOptions,
  type DatabaseStatus,
} from "./database-engine.ts";
import { WatchedMysql } from "./mysql-watch.ts";

export interface MysqlEngineOptions extends DatabaseEngineOptions<MysqlFacts> {
  readonly sql: SqlPort;
  readonly host: DatabaseHost;
}

export interface MysqlStatus extends DatabaseStatus {
  /** "MariaDB 10.11.19"; null while it cannot be asked. */
  readonly version: string | null;
  readonly replicas: readonly ReplicaFacts[];
}

export type MysqlEngine = DatabaseEngine<MysqlStatus>;

export const createMysqlEngine = (options: MysqlEngineOptions): MysqlEngine =>
  createDatabaseEngine<MysqlConfig, MysqlFacts, MysqlStatus>(
    {
      kind: "mysql",
      wanted: wantedServers,
      connect: (config, onLost) => new WatchedMysql(options, config, onLost),
      status: (common, facts) => ({
        ...common,
        version: facts === null ? null : versionInWords(facts.version),
        replicas: facts?.replicas ?? [],
      }),
    },
    options,
  );

function wantedServers(config: HoldfastConfig): ReadonlyMap<string, MysqlConfig> {
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
