import { describe, expect, it } from "vitest";
import { type ServerSettings, settingsOf } from "./settings.ts";
import { judgeSettings } from "./settings-rules.ts";

const MARIADB = { product: "mariadb", major: 10, minor: 11, patch: 19 } as const;
const MYSQL = { product: "mysql", major: 9, minor: 7, patch: 0 } as const;

const GOOD = {
  server_id: "1",
  log_bin: "ON",
  log_bin_basename: "/var/lib/mysql/m1-bin",
  log_slave_updates: "ON",
  binlog_format: "ROW",
  gtid_strict_mode: "ON",
  sync_binlog: "1",
  innodb_flush_log_at_trx_commit: "1",
  skip_slave_start: "OFF",
  slave_net_timeout: "4",
  auto_increment_increment: "1",
  auto_increment_offset: "1",
  event_scheduler: "OFF",
  lower_case_table_names: "0",
  rpl_semi_sync_master_timeout: "4294967295000",
  rpl_semi_sync_master_wait_point: "AFTER_SYNC",
  rpl_semi_sync_slave_enabled: "ON",
} as const;

type Variables = Partial<Record<string, string>>;

function server(address: string, changes: Variables = {}, rest: Partial<ServerSettings> = {}): ServerSettings {
  const entries = Object.entries<string | undefined>({ ...GOOD, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    address,
    role: "own",
    version: MARIADB,
    closedBy: "read_only",
    channels: [],
    variables: new Map(entries),
    clockAhead: 0,
    privileges: new Set(["ALL PRIVILEGES"]),
    ...rest,
  };
}

const one = (changes: Variables = {}, rest: Partial<ServerSettings> = {}) => server("db1:3306", changes, rest);
const two = (changes: Variables = {}, rest: Partial<ServerSettings> = {}) =>
  server(
    "db2:3306",
    { server_id: "2", log_bin_basename: "/var/lib/mysql/m2-bin", ...changes },
    { role: "peer", ...rest },
  );
const ids = (...servers: readonly ServerSettings[]): readonly string[] =>
  judgeSettings(servers).map(({ id, severity }) => `${severity} ${id}`);
const channel = (gtid: boolean) => [{ gtid }] as unknown as ServerSettings["channels"];

it("a pair that is set as the guide says has no findings", () => {
  expect(judgeSettings([one(), two()])).toEqual([]);
});

describe("one server", () => {
  it.each<readonly [string, Variables, Partial<ServerSettings>]>([
    ["error server-id", { server_id: "0" }, {}],
    ["error log-bin", { log_bin: "OFF" }, {}],
    ["warning log-updates", { log_slave_updates: "OFF" }, {}],
    ["warning log-updates", { log_slave_updates: undefined, log_replica_updates: "OFF" }, {}],
    ["warning binlog-format", { binlog_format: "MIXED" }, {}],
    ["warning durability", { sync_binlog: "0" }, {}],
    ["warning durability", { innodb_flush_log_at_trx_commit: "2" }, {}],
    ["warning gtid-strict", { gtid_strict_mode: "OFF" }, {}],
    ["note gtid-mode", { gtid_mode: "OFF" }, { version: MYSQL }],
    ["note skip-start", { skip_slave_start: "ON" }, {}],
    ["warning net-timeout", { slave_net_timeout: "60" }, {}],
    ["warning relay-recovery", { relay_log_recovery: "OFF" }, { version: MYSQL, channels: channel(false) }],
    ["note semi-sync", { rpl_semi_sync_master_timeout: undefined }, {}],
    ["warning semi-sync-acker", { rpl_semi_sync_slave_enabled: "OFF" }, {}],
    ["warning semi-sync-timeout", { rpl_semi_sync_master_timeout: "10000" }, {}],
    ["warning semi-sync-point", { rpl_semi_sync_master_wait_point: "AFTER_COMMIT" }, {}],
    ["warning clock", {}, { clockAhead: -7 }],
    ["error privileges", {}, { privileges: new Set(["PROCESS", "SLAVE MONITOR", "REPLICATION SLAVE"]) }],
  ])("%s", (expected, changes, rest) => {
    expect(ids(one(changes, rest))).toEqual([expected]);
  });

  it("names what is missing, and what to write", () => {
    const held = new Set([
      "READ_ONLY ADMIN",
      "REPLICATION SLAVE ADMIN",
      "SLAVE MONITOR",
      "CONNECTION ADMIN",
      "PROCESS",
    ]);
    const [finding] = judgeSettings([one({}, { privileges: held })]);
    expect(finding?.fix).toBe("GRANT REPLICATION MASTER ADMIN, BINLOG MONITOR ON *.* TO ...");
    const mysql = new Set([
      "SYSTEM_VARIABLES_ADMIN",
      "REPLICATION_SLAVE_ADMIN",
      "REPLICATION CLIENT",
      "REPLICATION SLAVE",
      "CONNECTION_ADMIN",
      "PROCESS",
    ]);
    const reading = new Set([...mysql].filter((name) => name !== "REPLICATION SLAVE"));
    expect(ids(one({}, { version: MYSQL, privileges: reading }))).toEqual(["warning binlog-privilege"]);
    expect(ids(one({}, { version: MYSQL, privileges: mysql }))).toEqual([]);
    expect(ids(one({}, { privileges: null }))).toEqual([]);
  });

  it("of a replica only what matters there counts", () => {
    const careless = { log_bin: "OFF", sync_binlog: "0", binlog_format: "MIXED", rpl_semi_sync_slave_enabled: "OFF" };
    expect(ids(one(careless, { role: "replica" }))).toEqual([]);
    expect(ids(one({ skip_slave_start: "ON" }, { role: "replica" }))).toEqual(["warning skip-start"]);
    expect(ids(one({}, { role: "replica", closedBy: null }))).toEqual(["error replica-open"]);
  });
});

describe("the group", () => {
  it.each<readonly [string, Variables, Partial<ServerSettings>]>([
    ["error server-id-shared", { server_id: "1" }, {}],
    ["note binlog-name", { log_bin_basename: "/data/m1-bin" }, {}],
    ["error binlog-name", { log_bin_basename: "/data/m1-bin" }, { channels: channel(false) }],
    ["warning versions", {}, { version: { ...MARIADB, minor: 6 } }],
    ["warning differs", { lower_case_table_names: "1" }, {}],
    ["warning differs", { event_scheduler: "ON" }, {}],
    ["note auto-increment", { auto_increment_increment: "2" }, {}],
  ])("%s", (expected, changes, rest) => {
    expect(ids(one(), two(changes, rest))).toEqual([expected]);
  });

  it("patch levels may differ", () => {
    expect(ids(one(), two({}, { version: { ...MARIADB, patch: 2 } }))).toEqual([]);
  });
});

it("reads what the server answers, in either case and product", () => {
  const facts = { version: MARIADB, closedBy: null, channels: [] } as unknown as Parameters<typeof settingsOf>[1];
  const read = settingsOf(
    { address: "db1:3306", role: "own" },
    facts,
    [
      [{ Variable_name: "Sync_Binlog", Value: "1" }],
      [{ clock: "1000.5" }],
      [
        { "Grants for h@%": "GRANT READ_ONLY ADMIN, PROCESS ON *.* TO `h`@`%` IDENTIFIED BY PASSWORD '*X'" },
        { "Grants for h@%": "GRANT SELECT ON `shop`.* TO `h`@`%`" },
      ],
    ],
    998,
  );
  expect(read.variables.get("sync_binlog")).toBe("1");
  expect(read.clockAhead).toBe(2.5);
  expect([...(read.privileges ?? [])]).toEqual(["READ_ONLY ADMIN", "PROCESS"]);
  expect(settingsOf({ address: "a", role: "own" }, facts, [null, null, null], 0)).toMatchObject({
    clockAhead: 0,
    privileges: null,
  });
});
