import { expect, test } from "vitest";
import {
  attachOrder,
  barOrder,
  closeStatement,
  replicaOrder,
  semiSyncOrder,
  sessionsToEnd,
  sourceOrder,
  startOrders,
} from "./orders.ts";
import type { ServerVersion } from "./version.ts";

const version = (product: ServerVersion["product"], major: number, minor: number, patch = 0): ServerVersion => ({
  product,
  major,
  minor,
  patch,
});
const MARIADB = version("mariadb", 10, 11);

test("each product and version gets the statement it understands", () => {
  const io = { channel: "", thread: "IO_THREAD" } as const;
  expect(replicaOrder(MARIADB, "STOP", io)).toBe("STOP SLAVE IO_THREAD");
  expect(replicaOrder(version("mysql", 5, 7, 44), "STOP", io)).toBe("STOP SLAVE IO_THREAD FOR CHANNEL ''");
  expect(replicaOrder(version("mysql", 9, 7), "STOP", io)).toBe("STOP REPLICA IO_THREAD FOR CHANNEL ''");
  expect(replicaOrder(MARIADB, "START", { channel: "m1", thread: null })).toBe("START SLAVE 'm1'");
  expect(closeStatement(MARIADB)).toBe("SET GLOBAL read_only = 1");
  expect(closeStatement(version("mysql", 5, 6, 51))).toBe("SET GLOBAL read_only = 1");
  expect(closeStatement(version("mysql", 8, 4))).toBe("SET GLOBAL super_read_only = 1");
  expect(semiSyncOrder("source", true)).toBe("SET GLOBAL rpl_semi_sync_source_enabled = 1");
});

test("a channel's name is a string and nothing else", () => {
  const name = { channel: "a'; DROP TABLE t -- \\", thread: null } as const;
  expect(replicaOrder(MARIADB, "START", name)).toBe("START SLAVE 'a''; DROP TABLE t -- \\\\'");
});

test("a demotion ends clients, and neither replication nor the server's own threads nor the daemons", () => {
  const row = (Id: string | null, User: string, Command: string) => ({ Id, User, Command });
  const rows = [
    row("1", "system user", "Slave_IO"),
    row("2", "repl", "Binlog Dump"),
    row("3", "repl", "Binlog Dump GTID"),
    row("4", "event_scheduler", "Daemon"),
    row("5", "holdfast", "Query"),
    row("6", "app", "Sleep"),
    row("7", "root", "Query"),
    row(null, "app", "Sleep"),
    row("8; DROP", "app", "Sleep"),
  ];
  expect(sessionsToEnd(rows, "holdfast")).toEqual(["KILL 6", "KILL 7"]);
});

test("another source: the words of each product and version; names are quoted, and a position only where one is given", () => {
  const to = { host: "192.0.2.1", port: 3307, at: { file: "m2-bin.000001", offset: 500 } };
  expect(sourceOrder(version("mariadb", 10, 11, 19), "", { ...to, at: null })).toBe(
    "CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3307",
  );
  expect(sourceOrder(version("mariadb", 10, 11, 19), "it's", to)).toBe(
    "CHANGE MASTER 'it''s' TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3307, MASTER_LOG_FILE = 'm2-bin.000001', MASTER_LOG_POS = 500",
  );
  expect(sourceOrder(version("mysql", 8, 0, 22), "", { ...to, at: null })).toBe(
    "CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3307 FOR CHANNEL ''",
  );
  expect(sourceOrder(version("mysql", 9, 7, 0), "", to)).toBe(
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.0.2.1', SOURCE_PORT = 3307, SOURCE_LOG_FILE = 'm2-bin.000001', SOURCE_LOG_POS = 500 FOR CHANNEL ''",
  );
});

test("a new channel: account, mode and place in the words of each product", () => {
  const to = { host: "192.0.2.1", port: 3306, at: null, user: "repl", password: "it's" };
  expect(attachOrder(version("mariadb", 10, 11, 19), to)).toBe(
    "CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3306, MASTER_USER = 'repl', MASTER_PASSWORD = 'it''s', MASTER_CONNECT_RETRY = 2, MASTER_USE_GTID = slave_pos",
  );
  expect(attachOrder(version("mariadb", 10, 6, 0), to)).toContain("MASTER_USE_GTID = current_pos");
  expect(attachOrder(version("mysql", 9, 7, 0), { ...to, at: { file: "m2-bin.000001", offset: 500 } })).toBe(
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.0.2.1', SOURCE_PORT = 3306, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'it''s', SOURCE_CONNECT_RETRY = 2, SOURCE_LOG_FILE = 'm2-bin.000001', SOURCE_LOG_POS = 500, SOURCE_AUTO_POSITION = 0, GET_SOURCE_PUBLIC_KEY = 1",
  );
});

test("a channel is barred by its account alone, and gets it back before it is started or pointed elsewhere", () => {
  expect(barOrder(MARIADB, "", "repl")).toBe("CHANGE MASTER TO MASTER_USER = 'quarantined:repl'");
  expect(barOrder(version("mysql", 9, 7), "ring", "re'pl")).toBe(
    "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'quarantined:re''pl' FOR CHANNEL 'ring'",
  );
  const barred = { channel: "", user: "repl", barred: "stands" } as const;
  expect(startOrders(MARIADB, barred)).toEqual(["STOP SLAVE", "CHANGE MASTER TO MASTER_USER = 'repl'", "START SLAVE"]);
  expect(startOrders(MARIADB, { channel: "", user: "repl" })).toEqual(["START SLAVE"]);
  const to = { host: "192.0.2.1", port: 3307, at: null };
  expect(sourceOrder(version("mysql", 9, 7), barred, to)).toBe(
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.0.2.1', SOURCE_PORT = 3307, SOURCE_USER = 'repl' FOR CHANNEL ''",
  );
});
