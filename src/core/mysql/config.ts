/** What a `mysql NAME { }` block says: one server and how its check counts. No password: that stays in the file it names. */
import type { Counts, Policy, ServerAddress, TlsConfig } from "../database/config.ts";
import type { Micros } from "../lib/units.ts";

/** Where a MySQL or MariaDB server is found. */
export interface MysqlAddress extends ServerAddress {
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

/** A program of the operator's, run as root and without a shell. */
export interface ServerCommand {
  readonly argv: readonly string[];
  /** As written, secrets masked. */
  readonly text: string;
}

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
  /** How servers follow each other; auto: by GTID where both have them. */
  readonly replication: "gtid" | "position" | "auto";
  /** Both receive from each other; false: only the other one from the writer. */
  readonly ring: boolean;
  /** Path of a my.cnf-style file with the account of replication, for a server that has no channel; null: none. */
  readonly replicationCredentials: string | null;
  /** The event scheduler is on at the writer and off at the others. */
  readonly eventsFollow: boolean;
  /** Path of mysqlbinlog or mariadb-binlog; null: found in PATH. */
  readonly mysqlbinlog: string | null;
  /** With what the own server is made anew. */
  readonly reseed: {
    readonly stop: ServerCommand | null;
    readonly start: ServerCommand | null;
    /** Writes a copy of the writer as mbstream; MariaDB only. */
    readonly copy: ServerCommand | null;
  };
}
