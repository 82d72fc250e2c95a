import { expect, test } from "vitest";
import { type BinlogEvent, binlogEvent, executedBefore, rangesOf, transactionsOf } from "./binlog.ts";

/** As SHOW BINLOG EVENTS of MariaDB 10.11 and MySQL 9.7 has it: type, server, where it ends, info. */
function events(begin: number, rows: readonly (readonly [string, string, number, string])[]): readonly BinlogEvent[] {
  let from = begin;
  return rows.flatMap(([type, server, to, info]) => {
    const row = { Pos: String(from), Event_type: type, Server_id: server, End_log_pos: String(to), Info: info };
    from = to;
    return binlogEvent(row) ?? [];
  });
}

const MARIADB = events(4, [
  ["Format_desc", "1", 256, "Server ver: 10.11.18-MariaDB"],
  ["Gtid_list", "1", 285, "[0-1-5,0-2-7]"],
  ["Binlog_checkpoint", "1", 325, "m1-bin.000001"],
  ["Gtid", "2", 367, "BEGIN GTID 0-2-8 cid=3"],
  ["Table_map", "2", 438, "table_id: 18 (shop.orders)"],
  ["Write_rows_v1", "2", 543, "table_id: 18 flags: STMT_END_F"],
  ["Xid", "2", 574, "COMMIT /* xid=1 */"],
  ["Gtid", "1", 616, "GTID 0-1-9"],
  ["Query", "1", 700, "create table shop.t2 (a int)"],
  ["Binlog_checkpoint", "1", 740, "m1-bin.000001"],
  ["Gtid", "1", 780, "GTID 0-1-10"],
  ["Query", "1", 800, "drop table shop.t2"],
  ["Stop", "1", 823, ""],
]);

test("transactions of MariaDB, with whose they are and where they lie", () => {
  const found = transactionsOf("m1-bin.000001", MARIADB);
  expect(found.map(({ gtid, serverId, from, to }) => [gtid, serverId, from, to])).toEqual([
    ["0-2-8", "2", 325, 574],
    ["0-1-9", "1", 574, 700],
    ["0-1-10", "1", 740, 800],
  ]);
  expect(executedBefore(MARIADB)).toBe("0-1-5,0-2-7");
  expect(rangesOf(found).map(({ from, to }) => [from, to])).toEqual([
    [325, 700],
    [740, 800],
  ]);
});

const UUID = "bf4dd625-ea45-11f1-a817-02fc00000001";

test("transactions of MySQL, with and without GTIDs; half a one at the beginning belongs to nobody", () => {
  const rows = events(4, [
    ["Previous_gtids", "1", 158, `${UUID}:1-2,\naaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1`],
    ["Table_map", "1", 200, ""],
    ["Gtid", "1", 237, `SET @@SESSION.GTID_NEXT= '${UUID}:3'`],
    ["Query", "1", 308, "BEGIN"],
    ["Xid", "1", 440, "COMMIT /* xid=9 */"],
    ["Anonymous_Gtid", "3", 519, "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'"],
    ["Query", "3", 590, "use `shop`; truncate t2"],
    ["Rotate", "1", 640, "m1-bin.000002;pos=4"],
  ]);
  expect(transactionsOf("m1-bin.000001", rows)).toEqual([
    { file: "m1-bin.000001", from: 200, to: 440, gtid: `${UUID}:3`, serverId: "1" },
    { file: "m1-bin.000001", from: 440, to: 590, gtid: null, serverId: "3" },
  ]);
  expect(executedBefore(rows)).toBe(`${UUID}:1-2,aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1`);
});
