/**
 * INFO to facts, for Redis 6.2 to 8 and Valkey, which share its names. What each field really means, with the traps, is in docs/redis.md:
 * `role:master` says "replica of nobody" and nothing more, and offsets of two different replication ids cannot be compared.
 */

export interface SourceFacts {
  /** HOST:PORT as the server was told. */
  readonly address: string;
  readonly up: boolean;
  /** Seconds; null while the link is up, or has never been up since the server started. */
  readonly downSeconds: number | null;
  /** The link was up at some time since the server started: the data set is that master's, if an old one. */
  readonly everUp: boolean;
  /** A full resync runs: what is in memory is the old data set. */
  readonly syncing: boolean;
  /** Since the last word of the master; null without a link. */
  readonly silentSeconds: number | null;
}

export interface AttachedReplica {
  readonly address: string;
  readonly online: boolean;
  /** What it has acknowledged. */
  readonly offset: number;
  /** Seconds since its last acknowledgement; they come once a second. */
  readonly lag: number;
}

/** Where a data set stands in the streams it came from. */
export interface History {
  readonly id: string;
  readonly offset: number;
  /** The stream before the last promotion; forty zeros when there was none. */
  readonly formerId: string;
  /** First offset that is not valid for formerId; -1 when there is none. */
  readonly formerEnd: number;
  /** A backlog is kept. Without one the offset stands still, whatever is written (repl_backlog_active:0). */
  readonly counted: boolean;
}

export interface RedisFacts {
  /** "Redis 7.0.15" or "Valkey 8.0.1". */
  readonly version: string;
  /** Another one after every start. */
  readonly runId: string;
  readonly loading: { readonly percent: string; readonly etaSeconds: string } | null;
  /** Null: replica of nobody. */
  readonly source: SourceFacts | null;
  /** As a replica it refuses writes of clients. */
  readonly readOnly: boolean;
  readonly history: History;
  readonly replicas: readonly AttachedReplica[];
  /** Null when min-replicas-to-write is 0. */
  readonly goodReplicas: number | null;
  readonly memory: { readonly used: number; readonly limit: number; readonly evicts: boolean };
  /** Which of them refuses writes because its disk does. */
  readonly failedSave: "rdb" | "aof" | null;
  /** The last BGSAVE has failed, whatever the rules for saving say of it. */
  readonly dumpFailed?: boolean;
  readonly savesNow: boolean;
  readonly keys: number;
  readonly cluster: boolean;
}

export type InfoFields = ReadonlyMap<string, string>;

export function parseInfo(text: string): InfoFields {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at > 0 && !line.startsWith("#")) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  return fields;
}

const numberOf = (fields: InfoFields, name: string, fallback = 0): number => {
  const text = fields.get(name);
  return text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : fallback;
};

const on = (fields: InfoFields, name: string): boolean => fields.get(name) === "1";

/** Null when the text is not that of a server. */
export function factsOf(fields: InfoFields): RedisFacts | null {
  const redis = fields.get("redis_version");
  const runId = fields.get("run_id");
  if (redis === undefined || runId === undefined || !fields.has("role")) return null;
  const valkey = fields.get("valkey_version");
  const text = (name: string): string => fields.get(name) ?? "";
  return {
    version: valkey === undefined ? `Redis ${redis}` : `Valkey ${valkey}`,
    runId,
    loading:
      on(fields, "loading") || on(fields, "async_loading")
        ? { percent: text("loading_loaded_perc"), etaSeconds: text("loading_eta_seconds") }
        : null,
    source: fields.get("role") === "master" ? null : sourceOf(fields),
    readOnly: text("slave_read_only") !== "0",
    history: {
      id: text("master_replid"),
      offset: numberOf(fields, "master_repl_offset"),
      formerId: text("master_replid2"),
      formerEnd: numberOf(fields, "second_repl_offset", -1),
      counted: on(fields, "repl_backlog_active"),
    },
    replicas: [...fields].flatMap(([name, value]) => (/^slave\d+$/.test(name) ? [attachedOf(value)] : [])),
    goodReplicas: fields.has("min_slaves_good_slaves") ? numberOf(fields, "min_slaves_good_slaves") : null,
    memory: memoryOf(fields),
    failedSave: failedSaveOf(fields),
    ...(fields.get("rdb_last_bgsave_status") === "err" && { dumpFailed: true }),
    savesNow: on(fields, "rdb_bgsave_in_progress"),
    keys: keysOf(fields),
    cluster: on(fields, "cluster_enabled"),
  };
}

function sourceOf(fields: InfoFields): SourceFacts {
  const up = fields.get("master_link_status") === "up";
  const down = numberOf(fields, "master_link_down_since_seconds", -1);
  const silent = numberOf(fields, "master_last_io_seconds_ago", -1);
  return {
    address: `${fields.get("master_host") ?? ""}:${fields.get("master_port") ?? ""}`,
    up,
    downSeconds: up || down < 0 ? null : down,
    everUp: up || down >= 0,
    syncing: on(fields, "master_sync_in_progress"),
    silentSeconds: silent < 0 ? null : silent,
  };
}

/** ip=10.0.0.2,port=6379,state=online,offset=28,lag=0 */
function attachedOf(value: string): AttachedReplica {
  const parts = new Map(value.split(",").map((part) => part.split("=", 2) as [string, string]));
  return {
    address: `${parts.get("ip") ?? ""}:${parts.get("port") ?? ""}`,
    online: parts.get("state") === "online",
    offset: numberOf(parts, "offset"),
    lag: numberOf(parts, "lag", -1),
  };
}

function memoryOf(fields: InfoFields): RedisFacts["memory"] {
  return {
    // What is kept for replicas and the AOF does not count against the limit.
    used: numberOf(fields, "used_memory") - numberOf(fields, "mem_not_counted_for_evict"),
    limit: numberOf(fields, "maxmemory"),
    evicts: fields.get("maxmemory_policy") !== "noeviction",
  };
}

function failedSaveOf(fields: InfoFields): RedisFacts["failedSave"] {
  if (on(fields, "aof_enabled") && fields.get("aof_last_write_status") === "err") return "aof";
  return fields.get("rdb_last_bgsave_status") === "err" ? "rdb" : null;
}

/** db0:keys=1,expires=0,avg_ttl=0 */
function keysOf(fields: InfoFields): number {
  let keys = 0;
  for (const [name, value] of fields) if (/^db\d+$/.test(name)) keys += Number(/^keys=(\d+)/.exec(value)?.[1] ?? "0");
  return keys;
}
