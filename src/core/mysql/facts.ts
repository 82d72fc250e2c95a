/**
 * Rows of a server to facts, in one vocabulary for both products: MySQL says Replica_ and Source_ since 8.0.22, MariaDB and older
 * MySQL say Slave_ and Master_. All values arrive as texts.
 */
import { maskSecrets } from "../lib/secrets.ts";
import type { ServerHome } from "./home.ts";
import type { ServerVersion } from "./version.ts";

export type SqlRow = Readonly<Record<string, string | null>>;

export interface ReplicaFacts {
  /** Connection_name or Channel_Name; "" is the nameless one. */
  readonly channel: string;
  readonly source: string;
  /** "connecting": its source cannot be reached, which is no fault of this server. */
  readonly io: "running" | "connecting" | "stopped";
  readonly sql: "running" | "stopped";
  /** Seconds behind its source; null while the server does not know, which is so whenever its source is gone. */
  readonly lag: number | null;
  /** Everything that was received is executed; null when the server does not say. */
  readonly drained: boolean | null;
  readonly ioError: ThreadError | null;
  readonly sqlError: ThreadError | null;
  /** Whom it logs in as at its source, barred or not; not there where the server does not say. */
  readonly user?: string;
  /** It logs in under a name that nobody has, so nothing comes in, and counts as stopped; "runs": its threads are up and try in vain. */
  readonly barred?: "stands" | "runs";
}

export interface ThreadError {
  readonly number: number;
  readonly text: string;
}

export interface DiskFacts {
  readonly path: string;
  readonly freeMib: number;
}

export interface MysqlFacts {
  readonly version: ServerVersion;
  /** Variable that closes the server for writes; null: it is open. */
  readonly closedBy: string | null;
  readonly connections: { readonly used: number; readonly limit: number } | null;
  readonly replicas: readonly ReplicaFacts[];
  /** The privilege that is missing to see replicas; null: they were seen. */
  readonly blindFor: { readonly privilege: string; readonly detail: string } | null;
  readonly disks: readonly DiskFacts[];
  /** Where the files of a server on this host are; null or absent: it is elsewhere, or has no binary log. */
  readonly home?: ServerHome | null;
}

/** MariaDB 12 has read_only values of its own (NO_LOCK, NO_LOCK_NO_ADMIN): whatever does not mean "off" closes. */
const isOn = (value: string | null | undefined): boolean =>
  value !== undefined && value !== null && !/^(0|off|no|false|)$/i.test(value);

/** The strongest first: who opens the server must switch off that one. */
const CLOSERS = ["offline_mode", "innodb_read_only", "super_read_only", "read_only"] as const;

export const closedBy = (settings: SqlRow): string | null => CLOSERS.find((name) => isOn(settings[name])) ?? null;

function whole(value: string | null | undefined): number | null {
  return value !== undefined && value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

export function connectionsOf(settings: SqlRow, status: SqlRow | undefined): MysqlFacts["connections"] {
  const limit = whole(settings.max_connections);
  const used = whole(status?.Value);
  return limit === null || used === null ? null : { used, limit };
}

/** The first of these columns that the row has. */
const column = (row: SqlRow, ...names: readonly string[]): string => {
  for (const name of names) {
    const value = row[name];
    if (value !== undefined) return value ?? "";
  }
  return "";
};

/**
 * What stands before the account of a channel that must not start by itself: both products start all replication when a server starts. Everything else of
 * the channel, coordinates and password too, stays as it was.
 */
export const BAR = "quarantined:";

export function replicaOf(row: SqlRow): ReplicaFacts {
  const shown = shownOf(row);
  const account = column(row, "Source_User", "Master_User");
  if (account === "") return shown;
  if (!account.startsWith(BAR)) return { ...shown, user: account };
  const barred = shown.io === "stopped" && shown.sql === "stopped" ? "stands" : "runs";
  return { ...shown, io: "stopped", sql: "stopped", ioError: null, user: account.slice(BAR.length), barred };
}

function shownOf(row: SqlRow): ReplicaFacts {
  const io = column(row, "Replica_IO_Running", "Slave_IO_Running").toLowerCase();
  const sql = column(row, "Replica_SQL_Running", "Slave_SQL_Running").toLowerCase();
  return {
    channel: column(row, "Channel_Name", "Connection_name"),
    source: `${column(row, "Source_Host", "Master_Host")}:${column(row, "Source_Port", "Master_Port")}`,
    // MariaDB also says "Preparing" before it connects.
    io: io === "yes" ? "running" : io === "no" || io === "" ? "stopped" : "connecting",
    sql: sql === "yes" ? "running" : "stopped",
    lag: whole(column(row, "Seconds_Behind_Source", "Seconds_Behind_Master")),
    drained: drainedOf(row),
    ioError: threadError(row, "Last_IO_Errno", "Last_IO_Error"),
    sqlError: threadError(row, "Last_SQL_Errno", "Last_SQL_Error"),
  };
}

/** Received and executed, both in coordinates of the source: compared for equality only, so names need no order. */
function drainedOf(row: SqlRow): boolean | null {
  const received = [
    column(row, "Source_Log_File", "Master_Log_File"),
    column(row, "Read_Source_Log_Pos", "Read_Master_Log_Pos"),
  ];
  const executed = [
    column(row, "Relay_Source_Log_File", "Relay_Master_Log_File"),
    column(row, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"),
  ];
  // MySQL forgets where it was in its source's log when a channel by GTIDs is pointed elsewhere, and the relay log with it.
  if (received[0] === "" && executed[0] === "" && row.Retrieved_Gtid_Set === "" && row.Auto_Position === "1")
    return true;
  if ([...received, ...executed].includes("")) return null;
  return received.every((value, at) => value === executed[at]);
}

/** CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST, CR_SERVER_GONE_ERROR, CR_SERVER_LOST. */
const SOURCE_GONE: ReadonlySet<number> = new Set([2002, 2003, 2005, 2006, 2013]);

/** Its source could not be reached often enough (MySQL 9: ten times, unless SOURCE_RETRY_COUNT says another), so it tries no more. */
export const hasGivenUp = ({ io, sql, ioError }: ReplicaFacts): boolean =>
  io === "stopped" && sql === "running" && lostItsSource(ioError);

/** What the I/O thread last said was that its source is gone: no fault of its own, and kept after it was stopped. */
export const lostItsSource = (error: ThreadError | null): boolean => error !== null && SOURCE_GONE.has(error.number);

/** Rows that group replication shows of itself are no replication that somebody could mend. */
export const isOwnChannel = ({ channel }: ReplicaFacts): boolean => !channel.startsWith("group_replication_");

/**
 * The lag that a replica had when its source went away, until it has executed what it received: without this a standby would become fit by
 * the very death that it must not answer with old data.
 */
export function carryLag(before: readonly ReplicaFacts[], now: readonly ReplicaFacts[]): readonly ReplicaFacts[] {
  return now.map((replica) => {
    if (replica.lag !== null || replica.sql === "stopped") return replica;
    if (replica.drained === true) return { ...replica, lag: 0 };
    const known = before.find(({ channel }) => channel === replica.channel);
    return known === undefined ? replica : { ...replica, lag: known.lag };
  });
}

const LONGEST = 300;

/** The statement that failed may be `CREATE USER ... PASSWORD('...')`, and goes into log and journal with the error. */
function withoutStatement(text: string): string {
  const kept = text.replace(/\s*Query: '.*$/s, " (the statement is in the server's replica status)");
  return maskSecrets(kept.length > LONGEST ? `${kept.slice(0, LONGEST)} ...` : kept);
}

function threadError(row: SqlRow, numberName: string, textName: string): ThreadError | null {
  const number = whole(row[numberName]);
  return number === null || number === 0 ? null : { number, text: withoutStatement(row[textName] ?? "") };
}
