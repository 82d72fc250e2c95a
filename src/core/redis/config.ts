/** What a `redis NAME { }` block says: one server and how its check counts. No password: that stays in the file it names. */
import type { Counts, Policy, ServerAddress, TlsConfig } from "../database/config.ts";
import type { Micros } from "../lib/units.ts";

/** What counts as trouble. */
export interface RedisRules {
  /** A replica takes no writes. */
  readonly readOnly: "fail" | "ignore";
  /** maxmemory is reached, and maxmemory-policy noeviction refuses writes. */
  readonly memoryFull: Counts;
  /** The last save has failed, and stop-writes-on-bgsave-error or the AOF refuse writes. */
  readonly misconf: Counts;
  /** A replica that has never been in step since it started, or is being filled just now. */
  readonly unsynced: Counts;
  /** A replica of a replica of itself. */
  readonly circle: Counts;
  /** Fewer good replicas than min-replicas-to-write wants. */
  readonly noReplicas: Counts;
  /** A replica that has heard nothing from its master for longer than `maxLag`. */
  readonly lag: Counts;
  /** Seconds. */
  readonly maxLag: number;
}

export interface RedisConfig {
  readonly name: string;
  readonly address: ServerAddress;
  /** Path of a file in the form of my.cnf, mode 0600, read at every connection; null: no password, the user "default". */
  readonly credentials: string | null;
  readonly tls: TlsConfig;
  readonly interval: Micros;
  readonly connectTimeout: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
  readonly rules: RedisRules;
  readonly group: RedisGroup;
}

/** What managing it needs beyond the check. */
export interface RedisGroup {
  /** The other servers, asked with the same credentials and TLS. */
  readonly peers: readonly ServerAddress[];
  /** Servers that follow one of the group and never take writes: pointed at the writer when their master is gone. */
  readonly replicas: readonly ServerAddress[];
  /** Where replicas find this host's server; null: where its daemon's connection to them comes from, with the port of `server`. */
  readonly knownAs: Pick<ServerAddress, "host" | "port"> | null;
  readonly policy: Policy;
  /** A claim that takes longer is refused. */
  readonly takeoverDeadline: Micros;
  /** min-replicas-max-lag while the writer has a replica; seconds. */
  readonly minReplicasMaxLag: number;
  /** masteruser and masterauth, from a file like `credentials`, set before a server is told to follow; null: as they are. */
  readonly replicationCredentials: string | null;
  /** What happens to a server that may have what the writer lacks: its data set is saved first, or nothing happens until somebody decides. */
  readonly onDivergence: "save" | "ask";
}

/**
 * A master nobody can reach: port 1 of the own host. A server that follows it is closed for writes, keeps its data set and its replicas
 * keep theirs. The same line in redis.conf, `replicaof 127.0.0.1 1`, makes a server start closed.
 */
export const NOBODY = { host: "127.0.0.1", port: 1 } as const;
