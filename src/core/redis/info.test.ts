import { describe, expect, test } from "vitest";
import type { RedisRules } from "./config.ts";
import { factsOf, parseInfo, type RedisFacts } from "./info.ts";
import { judgeFacts } from "./verdict.ts";

/** What Redis 7.0.15 says, cut down to what is read. */
const MASTER = `# Server
redis_version:7.0.15
run_id:83b5
# Memory
used_memory:900
maxmemory:1000
maxmemory_policy:noeviction
mem_not_counted_for_evict:50
# Persistence
loading:0
async_loading:0
rdb_last_bgsave_status:ok
aof_enabled:0
aof_last_write_status:ok
# Replication
role:master
connected_slaves:1
min_slaves_good_slaves:1
slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0
master_replid:aaaa
master_replid2:0000
master_repl_offset:1240
second_repl_offset:-1
repl_backlog_active:1
# Cluster
cluster_enabled:0
# Keyspace
db0:keys=3,expires=0,avg_ttl=0
db7:keys=2,expires=1,avg_ttl=0
`;

const with_ = (changes: Readonly<Record<string, string>>): string =>
  Object.entries(changes).reduce(
    (text, [name, value]) =>
      text.includes(`\n${name}:`)
        ? text.replace(new RegExp(`\n${name}:.*`), `\n${name}:${value}`)
        : `${text}${name}:${value}\n`,
    MASTER,
  );
const facts = (changes: Readonly<Record<string, string>> = {}): RedisFacts => {
  const found = factsOf(parseInfo(with_(changes).replaceAll("\n", "\r\n")));
  if (found === null) throw new Error("no facts");
  return found;
};

const REPLICA = {
  role: "slave",
  master_host: "10.0.0.1",
  master_port: "6379",
  master_link_status: "up",
  master_last_io_seconds_ago: "1",
  master_sync_in_progress: "0",
  slave_read_only: "1",
};

const RULES: RedisRules = {
  readOnly: "ignore",
  memoryFull: "fail",
  misconf: "fail",
  unsynced: "standby",
  circle: "fail",
  noReplicas: "fail",
  lag: "standby",
  maxLag: 10,
};
const judge = (changes: Readonly<Record<string, string>>, rules: Partial<RedisRules> = {}) =>
  judgeFacts(facts(changes), { circle: null }, { ...RULES, ...rules });

test("a master with a replica", () => {
  expect(facts()).toMatchObject({
    version: "Redis 7.0.15",
    source: null,
    history: { id: "aaaa", offset: 1240 },
    replicas: [{ address: "10.0.0.2:6379", online: true, offset: 1234, lag: 0 }],
    keys: 5,
    memory: { used: 850, limit: 1000, evicts: false },
  });
  expect(judge({}).always).toBeNull();
});

test("Valkey calls itself so, and says redis_version all the same", () => {
  expect(facts({ valkey_version: "8.0.1" }).version).toBe("Valkey 8.0.1");
});

test("what is not a server has no facts", () => {
  expect(factsOf(parseInfo("HTTP/1.1 400 Bad Request"))).toBeNull();
});

describe("what makes a server unfit", () => {
  test.each([
    ["loading", { loading: "1", loading_loaded_perc: "10.00", loading_eta_seconds: "9" }],
    ["memory-full", { used_memory: "1050" }],
    ["misconf", { rdb_last_bgsave_status: "err" }],
    ["misconf", { aof_enabled: "1", aof_last_write_status: "err" }],
    ["too-few-replicas", { min_slaves_good_slaves: "0" }],
  ])("%s for everybody", (kind, changes) => {
    expect(judge(changes).always).toMatchObject({ kind });
  });

  test.each([
    ["unsynced", { ...REPLICA, master_link_status: "down", master_link_down_since_seconds: "-1" }],
    ["unsynced", { ...REPLICA, master_link_status: "down", master_sync_in_progress: "1" }],
    ["behind", { ...REPLICA, master_last_io_seconds_ago: "11" }],
  ])("%s for a standby", (kind, changes) => {
    expect(judge(changes)).toMatchObject({ always: null, standby: { kind } });
  });

  test("an evicting server is never full", () => {
    expect(judge({ used_memory: "2000", maxmemory_policy: "allkeys-lru" }).always).toBeNull();
  });
});

test("a standby whose master has died is fit: that is when it is needed", () => {
  const lost = {
    ...REPLICA,
    master_link_status: "down",
    master_link_down_since_seconds: "3",
    master_last_io_seconds_ago: "-1",
  };
  expect(judge(lost)).toMatchObject({ always: null, standby: null });
});

test("a server that follows port 1 is closed, and not out of step", () => {
  const parked = { ...REPLICA, master_port: "1", master_link_status: "down", master_link_down_since_seconds: "-1" };
  expect(judge(parked)).toMatchObject({ always: null, standby: null });
  expect(judge(parked, { readOnly: "fail" }).always).toMatchObject({ kind: "replica" });
});

test("a circle fails both, whatever the links say", () => {
  const verdict = judgeFacts(facts(REPLICA), { circle: ["10.0.0.2:6379", "10.0.0.1:6379"] }, RULES);
  expect(verdict.always).toMatchObject({ kind: "circle" });
});
