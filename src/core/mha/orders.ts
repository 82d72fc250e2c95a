/** Statements of a failover and of a switch, for both products and their versions. Text that comes from a configuration is quoted. */
import { type Coordinates, coordinatesInWords } from "../mysql/coordinates.ts";
import { quoted } from "../mysql/orders.ts";
import { atLeast, type ServerVersion } from "../mysql/version.ts";

const modern = (version: ServerVersion): boolean => version.product === "mysql" && atLeast(version, 8, 0, 23);

export interface NewSource {
  readonly host: string;
  readonly port: number;
  /** Null: the one that is set. */
  readonly user: string | null;
  readonly password: string | null;
  /** "gtid": the server's own GTIDs say where it goes on. */
  readonly at: Coordinates | "gtid";
}

/** CHANGE MASTER TO. Its threads must stand; relay logs that are not executed are lost by it. */
export function pointStatement(version: ServerVersion, channel: string, to: NewSource): string {
  const word = modern(version) ? "SOURCE" : "MASTER";
  const parts = [`${word}_HOST=${quoted(to.host)}`, `${word}_PORT=${to.port}`];
  if (to.user !== null) parts.push(`${word}_USER=${quoted(to.user)}`);
  if (to.password !== null) parts.push(`${word}_PASSWORD=${quoted(to.password)}`);
  const auto = version.product === "mysql" ? `${word}_AUTO_POSITION` : null;
  if (to.at === "gtid") parts.push(auto === null ? "MASTER_USE_GTID=slave_pos" : `${auto}=1`);
  else {
    parts.push(`${word}_LOG_FILE=${quoted(to.at.file)}`, `${word}_LOG_POS=${to.at.offset}`);
    if (auto !== null) parts.push(`${auto}=0`);
  }
  // The password of an account with caching_sha2_password is sent with the server's public key where there is no TLS.
  if (modern(version)) parts.push("GET_SOURCE_PUBLIC_KEY=1");
  if (version.product === "mariadb") {
    return `CHANGE MASTER ${channel === "" ? "" : `${quoted(channel)} `}TO ${parts.join(", ")}`;
  }
  const verb = modern(version) ? "CHANGE REPLICATION SOURCE" : "CHANGE MASTER";
  return `${verb} TO ${parts.join(", ")} FOR CHANNEL ${quoted(channel)}`;
}

/** Forgets the source and its settings. */
export function resetStatement(version: ServerVersion, channel: string): string {
  if (version.product === "mariadb") return `RESET SLAVE ${channel === "" ? "" : `${quoted(channel)} `}ALL`;
  return `RESET ${atLeast(version, 8, 0, 22) ? "REPLICA" : "SLAVE"} ALL FOR CHANNEL ${quoted(channel)}`;
}

/** What an administrator would type to attach another replica, without its secret; for the log. */
export function pointInWords(host: string, port: number, at: Coordinates | "gtid"): string {
  return at === "gtid" ? `from ${host}:${port} by GTID` : `from ${host}:${port}, ${coordinatesInWords(at)}`;
}

/** 1: they are executed; -1 or null: not in time. */
export function gtidWaitStatement(version: ServerVersion, gtids: string, seconds: number): string {
  return version.product === "mariadb"
    ? `SELECT MASTER_GTID_WAIT(${quoted(gtids)}, ${seconds}) AS result`
    : `SELECT WAIT_FOR_EXECUTED_GTID_SET(${quoted(gtids)}, ${seconds}) AS result`;
}

/** Names of MHA 0.58, so that its programs and these keep out of each other's way. */
const LOCKS = {
  monitor: "MHA_Master_High_Availability_Monitor",
  failover: "MHA_Master_High_Availability_Failover",
} as const;
export type LockName = keyof typeof LOCKS;

export const lockStatement = (name: LockName, seconds: number): string =>
  `SELECT GET_LOCK('${LOCKS[name]}', ${seconds}) AS value`;
export const unlockStatement = (name: LockName): string => `SELECT RELEASE_LOCK('${LOCKS[name]}') AS value`;

/** Of ping_type INSERT: schema and table as MHA 0.58 has them. */
export const PING_INSERT: readonly string[] = [
  "CREATE DATABASE IF NOT EXISTS infra",
  "CREATE TABLE IF NOT EXISTS infra.chk_masterha (`key` tinyint NOT NULL primary key, `val` int unsigned NOT NULL DEFAULT '0')",
  "INSERT INTO infra.chk_masterha VALUES (1, unix_timestamp()) ON DUPLICATE KEY UPDATE val=unix_timestamp()",
];

/** Whether that account may replicate; on MySQL and MariaDB. */
export const replicationUserStatement = (user: string): string =>
  `SELECT Repl_slave_priv AS value FROM mysql.user WHERE user = ${quoted(user)}`;

/** Tables that are open with clients' versions; not in the binary log. Makes the lock quick. */
export const FLUSH_STATEMENT = "FLUSH NO_WRITE_TO_BINLOG TABLES";
export const LOCK_STATEMENT = "FLUSH TABLES WITH READ LOCK";

/** A master that becomes replica: MariaDB must be told that its own transactions count as received. */
export function demoteStatements(version: ServerVersion, mode: "gtid" | "position", gtids: string): readonly string[] {
  return version.product === "mariadb" && mode === "gtid" ? [`SET GLOBAL gtid_slave_pos = ${quoted(gtids)}`] : [];
}
