/**
 * What a failover has to know of one server, and the statements that tell it, for MySQL and MariaDB. Facts only; what follows from them is
 * topology.ts and election.ts.
 */
import { type Coordinates, coordinates } from "../mysql/coordinates.ts";
import { closedBy, type SqlRow } from "../mysql/facts.ts";
import { mariadbContains, mysqlContains } from "../mysql/gtid.ts";
import { atLeast, replicaStatement, type ServerVersion } from "../mysql/version.ts";

export interface ReplicationFacts {
  readonly channel: string;
  readonly masterHost: string;
  readonly masterPort: number;
  readonly masterUser: string;
  readonly io: "running" | "connecting" | "stopped";
  readonly sql: "running" | "stopped";
  /** Seconds; null when the server does not know. */
  readonly lag: number | null;
  readonly received: Coordinates | null;
  readonly executed: Coordinates | null;
  readonly relayFile: string;
  /** It finds its place by GTID (MariaDB: Using_Gtid; MySQL: Auto_Position). */
  readonly byGtid: boolean;
  /** GTIDs it has received, and those that it has executed as a replica. */
  readonly retrieved: string;
  readonly applied: string;
  /** The thread that executes says that there is nothing more to read. */
  readonly idle: boolean;
  readonly ioError: string | null;
  readonly sqlError: string | null;
  /** Everything that filters, as `Name: value`. */
  readonly filters: readonly string[];
  /** Grows with every heartbeat; null where the server does not count. */
  readonly heartbeats: number | null;
}

export interface MhaFacts {
  readonly version: ServerVersion;
  readonly versionText: string;
  readonly serverId: string;
  readonly logBin: boolean;
  /** What it has from its master is in its own binary log, too. */
  readonly logUpdates: boolean;
  readonly readOnly: boolean;
  readonly relayPurge: boolean;
  readonly dataDirectory: string;
  /** GTIDs are written (MySQL: gtid_mode ON; MariaDB always does). */
  readonly gtid: boolean;
  /** gtid_executed, or gtid_current_pos of MariaDB. */
  readonly position: string;
  readonly end: Coordinates | null;
  readonly binlogFilters: readonly string[];
  /** Null: it is no replica. */
  readonly replication: ReplicationFacts | null;
  /** It replicates from several servers: more than this can lead. */
  readonly channels: number;
}

const modernStatus = (version: ServerVersion): boolean => version.product === "mysql" && atLeast(version, 8, 2, 0);
/** log_slave_updates was renamed in 8.0.26 and the old name is gone in 8.4. */
const updatesVariable = (version: ServerVersion): string =>
  version.product === "mysql" && atLeast(version, 8, 0, 26) ? "log_replica_updates" : "log_slave_updates";

export const endOfLogStatement = (version: ServerVersion): string =>
  modernStatus(version) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";

/** In this order; the answers go into factsOf in this order. */
export function factStatements(version: ServerVersion): readonly string[] {
  const { product } = version;
  const gtid =
    product === "mariadb"
      ? "'ON' AS gtid, @@global.gtid_current_pos AS position"
      : "@@global.gtid_mode AS gtid, @@global.gtid_executed AS position, @@global.super_read_only AS super_read_only";
  return [
    `SELECT @@version AS version, @@global.server_id AS id, @@global.log_bin AS log_bin, @@global.${updatesVariable(version)} AS updates, ` +
      `@@global.read_only AS read_only, @@global.relay_log_purge AS keep_no_relay, @@global.datadir AS datadir, ${gtid}`,
    endOfLogStatement(version),
    replicaStatement(version),
  ];
}

export function factsOf(version: ServerVersion, answers: readonly (readonly SqlRow[])[]): MhaFacts {
  const [settings, end, replicas] = answers;
  const row = settings?.[0] ?? {};
  const where = end?.[0];
  const rows = (replicas ?? []).filter((one) => text(one, "Master_Host", "Source_Host") !== "" && !isGroupChannel(one));
  const main = rows.find((one) => text(one, "Connection_name", "Channel_Name") === "") ?? rows[0];
  return {
    version,
    versionText: row.version ?? "",
    serverId: row.id ?? "",
    logBin: isOn(row.log_bin),
    logUpdates: isOn(row.updates),
    readOnly: closedBy(row) !== null,
    relayPurge: isOn(row.keep_no_relay),
    dataDirectory: row.datadir ?? "",
    gtid: row.gtid === "ON",
    position: (row.position ?? "").replaceAll(/\s/g, ""),
    end: coordinates(where?.File, where?.Position),
    binlogFilters: named(where ?? {}, ["Binlog_Do_DB", "Binlog_Ignore_DB"]),
    replication: main === undefined ? null : replicationOf(main),
    channels: rows.length,
  };
}

const isOn = (value: string | null | undefined): boolean => /^(1|on)$/i.test(value ?? "");
const isGroupChannel = (row: SqlRow): boolean => (row.Channel_Name ?? "").startsWith("group_replication_");

function text(row: SqlRow, ...names: readonly string[]): string {
  for (const name of names) {
    const value = row[name];
    if (value !== undefined) return value ?? "";
  }
  return "";
}

const whole = (value: string): number | null => (/^\d{1,15}$/.test(value) ? Number(value) : null);

const named = (row: SqlRow, names: readonly string[]): readonly string[] =>
  names.flatMap((name) => ((row[name] ?? "") === "" ? [] : [`${name}: ${row[name]}`]));

const FILTERS = [
  "Replicate_Do_DB",
  "Replicate_Ignore_DB",
  "Replicate_Do_Table",
  "Replicate_Ignore_Table",
  "Replicate_Wild_Do_Table",
  "Replicate_Wild_Ignore_Table",
  "Replicate_Rewrite_DB",
  "Replicate_Do_Domain_Ids",
  "Replicate_Ignore_Domain_Ids",
] as const;

export function replicationOf(row: SqlRow): ReplicationFacts {
  const io = text(row, "Replica_IO_Running", "Slave_IO_Running").toLowerCase();
  const using = row.Using_Gtid;
  return {
    channel: text(row, "Connection_name", "Channel_Name"),
    masterHost: text(row, "Source_Host", "Master_Host"),
    masterPort: whole(text(row, "Source_Port", "Master_Port")) ?? 3306,
    masterUser: text(row, "Source_User", "Master_User"),
    io: io === "yes" ? "running" : io === "no" || io === "" ? "stopped" : "connecting",
    sql: text(row, "Replica_SQL_Running", "Slave_SQL_Running").toLowerCase() === "yes" ? "running" : "stopped",
    lag: whole(text(row, "Seconds_Behind_Source", "Seconds_Behind_Master")),
    received: coordinates(
      text(row, "Source_Log_File", "Master_Log_File"),
      text(row, "Read_Source_Log_Pos", "Read_Master_Log_Pos"),
    ),
    executed: coordinates(
      text(row, "Relay_Source_Log_File", "Relay_Master_Log_File"),
      text(row, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"),
    ),
    relayFile: text(row, "Relay_Log_File"),
    byGtid: using === undefined ? row.Auto_Position === "1" : using !== null && using !== "No",
    retrieved: text(row, "Retrieved_Gtid_Set", "Gtid_IO_Pos").replaceAll(/\s/g, ""),
    applied: text(row, "Executed_Gtid_Set", "Gtid_Slave_Pos").replaceAll(/\s/g, ""),
    idle: /has read all relay log/i.test(
      text(row, "Replica_SQL_Running_State", "Slave_SQL_Running_State", "Slave_SQL_State"),
    ),
    ioError: errorOf(row, "IO"),
    sqlError: errorOf(row, "SQL"),
    filters: named(row, FILTERS),
    heartbeats: whole(text(row, "Slave_received_heartbeats")),
  };
}

function errorOf(row: SqlRow, thread: "IO" | "SQL"): string | null {
  const number = whole(row[`Last_${thread}_Errno`] ?? "");
  if (number === null || number === 0) return null;
  // The statement that failed may hold a password.
  return `error ${number}: ${(row[`Last_${thread}_Error`] ?? "").replace(/\s*Query: '.*$/s, "")}`;
}

/** Nothing received is left to execute: by coordinates, or by GTID where the last thing received is half a transaction. */
export function isDrained(facts: ReplicationFacts, product: ServerVersion["product"]): boolean {
  const { received, executed, retrieved, applied, byGtid } = facts;
  if (received === null || executed === null) return true;
  if (received.file === executed.file && received.offset === executed.offset) return true;
  if (!byGtid || retrieved === "") return false;
  return product === "mysql"
    ? mysqlContains(applied, retrieved)
    : mariadbContains({ binlogState: "", slavePos: applied }, retrieved);
}
