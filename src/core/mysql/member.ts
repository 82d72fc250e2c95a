/**
 * What a takeover has to know of one server of a group, and the statements that tell it, for both products. Facts only: what follows from
 * them is takeover.ts.
 */
import { type Coordinates, coordinates } from "./coordinates.ts";
import { closedBy, isOwnChannel, type ReplicaFacts, replicaOf, type SqlRow } from "./facts.ts";
import type { MariadbGtids } from "./gtid.ts";
import { atLeast, replicaStatement, type ServerVersion, settingsStatement } from "./version.ts";

export interface ChannelFacts extends ReplicaFacts {
  readonly gtid: boolean;
  /** server_id of its source; "0" or "" before it was connected. */
  readonly sourceId: string;
  /** What was received and what was executed, in coordinates of the source. */
  readonly received: Coordinates | null;
  readonly executed: Coordinates | null;
  /** How it asks for GTIDs, in MariaDB's words ("slave_pos"); null on MySQL, and where it does not. */
  readonly usingGtid?: string | null;
  /** The connection to its source is encrypted. */
  readonly tls?: boolean;
}

export interface SemiSync {
  /** The server's word for the side that waits: master or, since MySQL 8.0.26, source. */
  readonly word: "master" | "source";
  readonly enabled: boolean;
  /** Replicas that acknowledge. */
  readonly clients: number;
  /** Commits that wait for one now. */
  readonly waiting: number;
  /** Commits acknowledged so far. */
  readonly acknowledged: number;
  /** As a replica it acknowledges itself. */
  readonly acknowledges: boolean;
}

export interface MemberFacts {
  readonly version: ServerVersion;
  readonly serverId: string;
  readonly closedBy: string | null;
  /** Where its binary log ends; null without one. */
  readonly end: Coordinates | null;
  readonly gtids: MemberGtids;
  readonly channels: readonly ChannelFacts[];
  /** Null when the plugin is not there. */
  readonly semiSync: SemiSync | null;
  /** Its event scheduler; "disabled" can only be changed by a restart. */
  readonly scheduler?: "on" | "off" | "disabled" | null;
}

export type MemberGtids =
  | ({ readonly product: "mariadb" /** gtid_binlog_pos. */; readonly position: string } & MariadbGtids)
  | {
      readonly product: "mysql";
      readonly executed: string;
      readonly on: boolean;
      /** server_uuid: whose GTIDs are its own. */
      readonly uuid?: string;
    };

/** Which of them asks for the end of the binary log. */
export const END = 2;

/** In this order; the answers go into memberOf in this order. */
export function memberStatements(version: ServerVersion): readonly string[] {
  return [
    settingsStatement(version),
    version.product === "mariadb"
      ? "SELECT @@global.server_id AS id, @@global.gtid_binlog_pos AS position, @@global.gtid_binlog_state AS state, @@global.gtid_slave_pos AS slave"
      : "SELECT @@global.server_id AS id, @@global.gtid_mode AS mode, @@global.gtid_executed AS executed, @@global.server_uuid AS uuid",
    endStatement(version),
    replicaStatement(version),
    "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'rpl_semi_sync%enabled' OR Variable_name = 'event_scheduler'",
    "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%'",
  ];
}

/** The transaction that has changed rows and runs for longest. */
export const OLDEST_WRITE =
  "SELECT trx_mysql_thread_id AS thread, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0 ORDER BY trx_started LIMIT 1";

export function oldestWriteOf(rows: readonly SqlRow[]): { readonly thread: string; readonly seconds: number } | null {
  const [row] = rows;
  return row === undefined ? null : { thread: row.thread ?? "", seconds: Number(row.seconds ?? "0") || 0 };
}

/** MySQL renamed it in 8.2 and took the old name away in 8.4. */
function endStatement(version: ServerVersion): string {
  return version.product === "mysql" && atLeast(version, 8, 2, 0) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
}

export function memberOf(version: ServerVersion, answers: readonly (readonly SqlRow[])[]): MemberFacts {
  const [settings, identity, end, replicas, variables, status] = answers;
  const id = identity?.[0] ?? {};
  const [where] = end ?? [];
  return {
    version,
    serverId: id.id ?? "",
    closedBy: closedBy(settings?.[0] ?? {}),
    end: coordinates(where?.File, where?.Position),
    gtids:
      version.product === "mariadb"
        ? { product: "mariadb", position: id.position ?? "", binlogState: id.state ?? "", slavePos: id.slave ?? "" }
        : {
            product: "mysql",
            executed: (id.executed ?? "").replaceAll(/\s/g, ""),
            on: id.mode === "ON",
            uuid: id.uuid ?? "",
          },
    channels: (replicas ?? []).map(channelOf).filter(isOwnChannel),
    semiSync: semiSyncOf(named(variables ?? []), named(status ?? [])),
    scheduler: schedulerOf(named(variables ?? []).get("event_scheduler")),
  };
}

function channelOf(row: SqlRow): ChannelFacts {
  const using = row.Using_Gtid;
  return {
    ...replicaOf(row),
    sourceId: row.Source_Server_Id ?? row.Master_Server_Id ?? "",
    gtid: using === undefined ? row.Auto_Position === "1" : using !== null && using !== "No",
    usingGtid: using === undefined || using === null || using === "No" ? null : using.toLowerCase(),
    tls: (row.Source_SSL_Allowed ?? row.Master_SSL_Allowed) === "Yes",
    received: coordinates(
      row.Source_Log_File ?? row.Master_Log_File,
      row.Read_Source_Log_Pos ?? row.Read_Master_Log_Pos,
    ),
    executed: coordinates(
      row.Relay_Source_Log_File ?? row.Relay_Master_Log_File,
      row.Exec_Source_Log_Pos ?? row.Exec_Master_Log_Pos,
    ),
  };
}

/** Variable_name, Value to a map; lower case, because the products do not agree on it. */
function named(rows: readonly SqlRow[]): ReadonlyMap<string, string> {
  return new Map(rows.map((row) => [(row.Variable_name ?? "").toLowerCase(), row.Value ?? ""]));
}

function schedulerOf(value: string | undefined): NonNullable<MemberFacts["scheduler"]> | null {
  const known = value?.toLowerCase();
  return known === "on" || known === "off" || known === "disabled" ? known : null;
}

const on = (value: string | undefined): boolean => /^(on|1)$/i.test(value ?? "");

function semiSyncOf(
  variables: ReadonlyMap<string, string>,
  status: ReadonlyMap<string, string>,
): MemberFacts["semiSync"] {
  const word = (["source", "master"] as const).find((one) => variables.has(`rpl_semi_sync_${one}_enabled`));
  if (word === undefined) return null;
  const counted = (what: string): number => Number(status.get(`rpl_semi_sync_${word}_${what}`) ?? "0") || 0;
  const replica = variables.get("rpl_semi_sync_replica_enabled") ?? variables.get("rpl_semi_sync_slave_enabled");
  return {
    word,
    enabled: on(variables.get(`rpl_semi_sync_${word}_enabled`)),
    clients: counted("clients"),
    waiting: counted("wait_sessions"),
    acknowledged: counted("yes_tx"),
    acknowledges: on(replica),
  };
}
