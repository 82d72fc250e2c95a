/**
 * Asks one server for all facts that a verdict needs, over a session that is there. Each statement is bounded; the first that fails ends
 * the look. Knows no schedule and no verdict: `holdfast probe` and the daemon look with the same eyes.
 */

import { isLocal } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { MysqlAddress, MysqlRules } from "../core/mysql/config.ts";
import {
  closedBy,
  connectionsOf,
  type DiskFacts,
  isOwnChannel,
  type MysqlFacts,
  replicaOf,
  type SqlRow,
} from "../core/mysql/facts.ts";
import { isGrantError, type SqlFailure } from "../core/mysql/failure.ts";
import { homeOf, type ServerHome } from "../core/mysql/home.ts";
import {
  CONNECTIONS_STATEMENT,
  IDENTITY_STATEMENT,
  parseServerVersion,
  replicaPrivilege,
  replicaStatement,
  type ServerVersion,
  settingsStatement,
} from "../core/mysql/version.ts";
import type { DatabaseHost, SqlSession } from "../ports/sql.ts";

/** What does not change while a connection lasts. */
export interface ServerIdentity {
  readonly version: ServerVersion;
  readonly dataDirectory: string | null;
  /** Directories that the server writes to: data and binary log. */
  readonly directories: readonly string[];
  /** Where its binary log is; null without one. */
  readonly home: ServerHome | null;
}

export interface Observer {
  readonly session: SqlSession;
  readonly host: DatabaseHost;
  readonly address: MysqlAddress;
  readonly rules: MysqlRules;
  readonly timeoutMillis: number;
}

export async function identify(
  session: SqlSession,
  timeoutMillis: number,
): Promise<Result<ServerIdentity, SqlFailure>> {
  const asked = await session.query(IDENTITY_STATEMENT, timeoutMillis);
  if (!asked.ok) return asked;
  const row = asked.value[0] ?? {};
  const version = parseServerVersion(row.version ?? "", row.comment ?? "");
  if (version === null) {
    return err({
      kind: "setup",
      detail: `the server's version "${row.version ?? ""}" is not that of MySQL or MariaDB`,
    });
  }
  const dataDirectory = row.datadir ?? null;
  const binlog = row.binlog == null ? null : row.binlog.replace(/[^/]*$/, "");
  const directories = [...new Set([dataDirectory, binlog].filter((path) => path?.startsWith("/") === true))];
  return ok({ version, dataDirectory, directories: directories as string[], home: homeOf(row) });
}

export async function observe(
  { session, host, address, rules, timeoutMillis }: Observer,
  { version, directories, home }: ServerIdentity,
): Promise<Result<MysqlFacts, SqlFailure>> {
  const settings = await session.query(settingsStatement(version), timeoutMillis);
  if (!settings.ok) return settings;
  const status = await session.query(CONNECTIONS_STATEMENT, timeoutMillis);
  if (!status.ok) return status;
  const replicas = await askReplicas(session, version, { rules, timeoutMillis });
  if (!replicas.ok) return replicas;
  const values: SqlRow = settings.value[0] ?? {};
  return ok({
    version,
    closedBy: closedBy(values),
    connections: connectionsOf(values, status.value[0]),
    ...replicas.value,
    home: isLocal(address) ? home : null,
    disks: isLocal(address) && rules.minDiskFree > 0 ? await disksOf(host, directories) : [],
  });
}

type Replicas = Pick<MysqlFacts, "replicas" | "blindFor">;

async function askReplicas(
  session: SqlSession,
  version: ServerVersion,
  { rules, timeoutMillis }: Pick<Observer, "rules" | "timeoutMillis">,
): Promise<Result<Replicas, SqlFailure>> {
  // An account for a check that asks for nothing of this needs no privilege for it.
  if (rules.managed !== true && rules.brokenReplication === "ignore" && rules.lag === "ignore")
    return ok({ replicas: [], blindFor: null });
  const asked = await session.query(replicaStatement(version), timeoutMillis);
  if (asked.ok) return ok({ replicas: asked.value.map(replicaOf).filter(isOwnChannel), blindFor: null });
  if (!isGrantError(asked.error) || asked.error.kind !== "server") return asked;
  const detail = `error ${asked.error.number}: ${asked.error.detail}`;
  return ok({ replicas: [], blindFor: { privilege: replicaPrivilege(version), detail } });
}

async function disksOf(host: DatabaseHost, paths: readonly string[]): Promise<readonly DiskFacts[]> {
  const found = await Promise.all(paths.map(async (path) => ({ path, freeMib: await host.freeMib(path) })));
  return found.flatMap(({ path, freeMib }) => (freeMib === null ? [] : [{ path, freeMib }]));
}
