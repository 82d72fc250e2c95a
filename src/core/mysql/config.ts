/** What a `mysql NAME { }` block says: one server and how its check counts. No password: that stays in the file it names. */
import type { Micros } from "../lib/units.ts";

/** Whether a finding counts: for everybody, for instances that are not MASTER, or for nobody. */
export type Counts = "fail" | "standby" | "ignore";

export type TlsMode = "off" | "required" | "verify-ca" | "verify-identity";

export interface TlsConfig {
  readonly mode: TlsMode;
  /** Paths of PEM files; null: the host's certificate authorities, no client certificate. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Where a server is found. */
export interface MysqlAddress {
  /** Path of a Unix socket; null: TCP. */
  readonly socket: string | null;
  readonly host: string;
  readonly port: number;
  /** extra_port of MariaDB, admin_port of MySQL: tried when all ordinary connections are taken. */
  readonly reservedPort: number | null;
}

/** What counts as trouble. */
export interface MysqlRules {
  readonly readOnly: "fail" | "ignore";
  readonly maxConnections: "fail" | "ignore";
  readonly brokenReplication: Counts;
  readonly lag: Counts;
  /** Seconds. */
  readonly maxLag: number;
  /** MiB that must be free where the data and the binary log are; 0: not looked at. */
  readonly minDiskFree: number;
  /**
   * An instance manages it: a thread of replication that stands without an error, as a claim leaves it, is the claim's own question, which
   * asks what the server has and lacks.
   */
  readonly managed?: boolean;
}

export interface MysqlConfig {
  readonly name: string;
  readonly address: MysqlAddress;
  /** Path of a my.cnf-style file, mode 0600, read at every connection; null: no password, the daemon's own user. */
  readonly credentials: string | null;
  readonly tls: TlsConfig;
  readonly interval: Micros;
  readonly connectTimeout: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
  readonly rules: MysqlRules;
  readonly group: MysqlGroup;
}

/** What may be lost when: docs/mysql.md says it for each. */
export type Policy = "availability" | "balanced" | "consistency";

/** What managing it needs beyond the check. */
export interface MysqlGroup {
  /** The other servers, asked with the same credentials and TLS. */
  readonly peers: readonly MysqlAddress[];
  /** Servers that follow one of the group and never take writes: pointed at the writer when their source is gone. */
  readonly replicas: readonly MysqlAddress[];
  /** Where replicas find this host's server; null: where its daemon's connection to them comes from, with the port of `server`. */
  readonly knownAs: Pick<MysqlAddress, "host" | "port"> | null;
  readonly policy: Policy;
  /** A claim that takes longer is refused. */
  readonly takeoverDeadline: Micros;
  /** Directory for a file with the own position at each takeover; null: only the journal has it. */
  readonly recordPosition: string | null;
  /** Path of mysqlbinlog or mariadb-binlog; null: found in PATH. */
  readonly mysqlbinlog: string | null;
}

export const addressInWords = ({ socket, host, port }: MysqlAddress): string =>
  socket ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/**
 * Why a certificate's name cannot be compared: the library compares it with a host name only, and with an address it would compare it with
 * "localhost". Null when nothing stands against it.
 */
export function tlsProblem({ socket, host }: MysqlAddress, mode: TlsMode): string | null {
  if (mode !== "verify-identity" || (socket === null && !/^[\d.]+$|:/.test(host))) return null;
  const what = socket === null ? `${host} is an address` : "a Unix socket has none";
  return `tls verify-identity compares the certificate with a host name, and ${what}; name the host, or use verify-ca`;
}

/** Only on this host the daemon can look at disks and processes. */
export function isLocal({ socket, host }: MysqlAddress): boolean {
  return socket !== null || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
