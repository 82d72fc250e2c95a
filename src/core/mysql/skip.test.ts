import { describe, expect, it, test } from "vitest";
import { type BinlogEvent, binlogEvent } from "./binlog.ts";
import type { ChannelFacts, MemberFacts, MemberGtids } from "./member.ts";
import { failingOf, relayEventsStatement, relayPlace, skipOrders } from "./skip.ts";

const UUID = "bf4dd625-ea45-11f1-a817-02fc00000001";
const CHANNEL: ChannelFacts = {
  channel: "",
  source: "192.0.2.1:3306",
  sourceId: "1",
  io: "running",
  sql: "stopped",
  lag: null,
  drained: false,
  ioError: null,
  sqlError: { number: 1062, text: "Duplicate entry" },
  gtid: true,
  received: { file: "m1-bin.000001", offset: 900 },
  executed: { file: "m1-bin.000001", offset: 500 },
};

function member(gtids: MemberGtids): MemberFacts {
  const mariadb = gtids.product === "mariadb";
  return {
    version: mariadb
      ? { product: "mariadb", major: 10, minor: 11, patch: 18 }
      : { product: "mysql", major: 9, minor: 7, patch: 4 },
    serverId: "2",
    closedBy: "read_only",
    end: null,
    gtids,
    channels: [CHANNEL],
    semiSync: null,
  };
}

const MARIADB = member({ product: "mariadb", position: "", binlogState: "", slavePos: "0-1-6,1-9-4" });
const SETS = member({ product: "mysql", executed: `${UUID}:1-7`, on: true });
const CLASSIC = member({ product: "mysql", executed: "", on: false });

const events = (...rows: readonly (readonly [string, string, number])[]): readonly BinlogEvent[] =>
  rows.flatMap(
    ([type, info, end], at) =>
      binlogEvent({ Pos: `${100 + at}`, Event_type: type, Server_id: "1", End_log_pos: `${end}`, Info: info }) ?? [],
  );

const GROUPS = (gtid: (number: number) => string): readonly BinlogEvent[] =>
  events(
    ["Gtid", gtid(7), 550],
    ["Query", "BEGIN", 560],
    ["Xid", "COMMIT", 600],
    ["Gtid", gtid(8), 650],
    ["Write_rows", "table_id: 18", 660],
    ["Xid", "COMMIT", 700],
  );
const OF_MYSQL = GROUPS((number) => `SET @@SESSION.GTID_NEXT= '${UUID}:${number}'`);
const OF_MARIADB = GROUPS((number) => `BEGIN GTID 0-1-${number}`);

describe("the transaction that a replica stands at", () => {
  it("is the first one in its relay log, of MySQL the first that it has not executed", () => {
    expect(failingOf(OF_MARIADB, CHANNEL, MARIADB)).toMatchObject({ transaction: "0-1-7", end: 600 });
    const later = failingOf(OF_MYSQL, CHANNEL, SETS);
    expect(later).toMatchObject({ transaction: `${UUID}:8`, end: 700 });
    expect(later?.events.map(({ type }) => type)).toEqual(["Gtid", "Write_rows", "Xid"]);
  });

  it("without a GTID is called by its place in the source's log", () => {
    const anonymous = events(["Anonymous_Gtid", "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'", 550], ["Query", "BEGIN", 560]);
    // Its end is in the next relay log.
    expect(failingOf(anonymous, CHANNEL, CLASSIC)).toMatchObject({
      transaction: "m1-bin.000001:500",
      gtid: null,
      end: null,
    });
    expect(failingOf([], CHANNEL, CLASSIC)).toBeNull();
  });
});

test.each<readonly [string, readonly BinlogEvent[], MemberFacts, Partial<ChannelFacts>, readonly string[]]>([
  [
    "an empty transaction under its GTID (MySQL)",
    OF_MYSQL,
    SETS,
    {},
    [
      `SET @@SESSION.gtid_next = '${UUID}:8'`,
      "BEGIN",
      "COMMIT",
      "SET @@SESSION.gtid_next = 'AUTOMATIC'",
      "START REPLICA SQL_THREAD FOR CHANNEL ''",
    ],
  ],
  [
    "the counter (MySQL by file and position)",
    OF_MYSQL,
    CLASSIC,
    {},
    ["SET GLOBAL sql_replica_skip_counter = 1", "START REPLICA SQL_THREAD FOR CHANNEL ''"],
  ],
  [
    "its number as the last one, other domains as they are (MariaDB)",
    OF_MARIADB,
    MARIADB,
    {},
    ["STOP SLAVE", "SET GLOBAL gtid_slave_pos = '1-9-4,0-1-7'", "START SLAVE"],
  ],
  [
    "the position behind it (MariaDB by file and position)",
    OF_MARIADB,
    MARIADB,
    { gtid: false },
    [
      "STOP SLAVE",
      "CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3306, MASTER_LOG_FILE = 'm1-bin.000001', MASTER_LOG_POS = 600",
      "START SLAVE",
    ],
  ],
])("it is passed over by %s", (...[, found, facts, changes, statements]) => {
  const failing = failingOf(found, { ...CHANNEL, ...changes }, facts);
  expect(failing === null ? null : skipOrders(failing, facts)).toEqual({ statements });
});

test("MariaDB receives anew for that, so nothing is passed over while the source is gone: it would lose the rest", () => {
  const failing = failingOf(OF_MARIADB, { ...CHANNEL, io: "connecting" }, MARIADB);
  expect(failing === null ? null : skipOrders(failing, MARIADB)).toMatchObject({
    refused: expect.stringContaining("throw away"),
  });
});

test("the relay log is asked for by the place that the status names, of the channel's own", () => {
  const place = relayPlace({ Relay_Log_File: "relay'.000002", Relay_Log_Pos: "2126" });
  expect(place === null ? null : relayEventsStatement(place, "c")).toBe(
    "SHOW RELAYLOG EVENTS IN 'relay''.000002' FROM 2126 LIMIT 500 FOR CHANNEL 'c'",
  );
});
