/**
 * Which server answers: MySQL or MariaDB, and its version as numbers. Versions are never compared as texts ("10.4" is not
 * below "9.7"). Decides which statement a server understands; knows no connection.
 */

export type Product = "mysql" | "mariadb";

export interface ServerVersion {
  readonly product: Product;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * From `@@version` and `@@version_comment`. MariaDB before 11 says `5.5.5-10.4.30-MariaDB` where a replication protocol hack
 * leaks out of the greeting: that prefix is no version. Null when the text holds no number.
 */
export function parseServerVersion(version: string, comment: string): ServerVersion | null {
  const product: Product = /mariadb/i.test(version) || /mariadb/i.test(comment) ? "mariadb" : "mysql";
  const text = product === "mariadb" ? version.replace(/^5\.5\.5-(?=\d+\.\d)/, "") : version;
  const match = /^(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?/.exec(text);
  if (match === null) return null;
  return { product, major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

/** Whether it is at least that version. */
export function atLeast(version: ServerVersion, ...[major, minor, patch]: readonly [number, number, number]): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}

/** "MariaDB 10.11.19". */
export function versionInWords({ product, major, minor, patch }: ServerVersion): string {
  return `${product === "mariadb" ? "MariaDB" : "MySQL"} ${major}.${minor}.${patch}`;
}

/**
 * Every channel of replication. MariaDB shows all of them with ALL SLAVES only; MySQL renamed the statement in 8.0.22 and took
 * the old name away in 8.4.
 */
export function replicaStatement(version: ServerVersion): string {
  if (version.product === "mariadb") return "SHOW ALL SLAVES STATUS";
  return atLeast(version, 8, 0, 22) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}

/** The privilege that replicaStatement needs; MariaDB split it off REPLICATION CLIENT in 10.5.9. */
export function replicaPrivilege(version: ServerVersion): string {
  return version.product === "mariadb" && atLeast(version, 10, 5, 9) ? "SLAVE MONITOR" : "REPLICATION CLIENT";
}

/** Asked once per connection, before the version is known. */
export const IDENTITY_STATEMENT =
  "SELECT @@version AS version, @@version_comment AS comment, @@datadir AS datadir, @@log_bin_basename AS binlog, @@log_bin_index AS logs, @@server_id AS id";

/** What closes a server for writes, and how many connections it takes. super_read_only and offline_mode came with MySQL 5.7.8. */
export function settingsStatement(version: ServerVersion): string {
  const ofMysql = version.product === "mysql" && atLeast(version, 5, 7, 8);
  const names = ["read_only", "innodb_read_only", ...(ofMysql ? ["super_read_only", "offline_mode"] : [])];
  return `SELECT ${[...names, "max_connections"].map((name) => `@@global.${name} AS ${name}`).join(", ")}`;
}

export const CONNECTIONS_STATEMENT = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";
