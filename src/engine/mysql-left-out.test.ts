/** The note of a peer without GTIDs is carried on while its binary log holds nothing but what this server has written. */
import { expect, it } from "vitest";
import { ok } from "../core/lib/result.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import { LeftOutNote } from "./mysql-left-out.ts";
import type { MysqlMember } from "./mysql-member.ts";
import { memoryNotes } from "./testing/managed-world.ts";

const PEER = "192.0.2.2:3306";
const UUID = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
const member = (serverId: string, uuid: string, changes: Partial<MemberFacts> = {}): MemberFacts => ({
  version: { product: "mysql", major: 9, minor: 7, patch: 0 },
  serverId,
  closedBy: "super_read_only",
  end: null,
  gtids: { product: "mysql", on: false, executed: "", uuid },
  channels: [],
  semiSync: null,
  ...changes,
});
const own = member("1", "3e11fa47-71ca-11e1-9e33-c80aa9429562", { closedBy: null });

const event = (type: string, serverId: string, from: number, to: number): SqlRow => ({
  Event_type: type,
  Server_id: serverId,
  Pos: String(from),
  End_log_pos: String(to),
  Info: "",
});

/** Answers SHOW BINLOG EVENTS from these. */
function logOf(files: Readonly<Record<string, readonly SqlRow[]>>): MysqlMember {
  const order = async (sql: string) => {
    if (sql === "SHOW BINARY LOGS") return ok(Object.keys(files).map((Log_name) => ({ Log_name })));
    const [, file = "", from = "0", count = "0"] = /IN '(.*)'(?: FROM (\d+))? LIMIT (\d+)/.exec(sql) ?? [];
    return ok((files[file] ?? []).filter(({ Pos }) => Number(Pos) >= Number(from)).slice(0, Number(count)));
  };
  return { order } as unknown as MysqlMember;
}

async function readOn(files: Readonly<Record<string, readonly SqlRow[]>>, theirs = member("2", UUID)) {
  const notes = memoryNotes();
  const note = new LeftOutNote(notes, "orders");
  await notes.write("left-out-orders", JSON.stringify([[PEER, `${UUID} m2-bin.000001:900`]]));
  const peers = [{ address: PEER, state: { kind: "up", facts: theirs } as const }];
  await note.readOn({ peer: () => logOf(files) }, { own, peers });
  return [(await note.known()).get(PEER), await notes.read("left-out-orders")];
}

const ECHO = [event("Anonymous_Gtid", "1", 900, 980), event("Query", "1", 980, 1_060), event("Xid", "1", 1_060, 1_090)];
const at = (place: string) => [`${UUID} ${place}`, JSON.stringify([[PEER, `${UUID} ${place}`]])];

it("over its own echo, also into the next file, and what a log says of itself", async () => {
  const before = [event("Query", "2", 4, 900)];
  expect(await readOn({ "m2-bin.000001": [...before, ...ECHO] })).toEqual(at("m2-bin.000001:1090"));
  const next = [event("Format_desc", "2", 4, 126), event("Previous_gtids", "2", 126, 157)];
  const files = { "m2-bin.000001": [...ECHO, event("Rotate", "2", 1_090, 1_130)], "m2-bin.000002": next };
  expect(await readOn(files)).toEqual(at("m2-bin.000002:157"));
  // More than a page holds.
  const many = Array.from({ length: 4_500 }, (_, one) => event("Query", "1", 900 + one, 901 + one));
  expect(await readOn({ "m2-bin.000001": many })).toEqual(at("m2-bin.000001:5400"));
});

it("not over a transaction of another server, of a log that is not there any more, of another server's log, or of an open one", async () => {
  const foreign = [...ECHO, event("Anonymous_Gtid", "2", 1_090, 1_170), event("Query", "2", 1_170, 1_250)];
  expect(await readOn({ "m2-bin.000001": foreign })).toEqual(at("m2-bin.000001:900"));
  expect(await readOn({ "m2-bin.000007": ECHO })).toEqual(at("m2-bin.000001:900"));
  const other = member("2", "5e11fa47-71ca-11e1-9e33-c80aa9429562");
  expect(await readOn({ "m2-bin.000001": ECHO }, other)).toEqual(at("m2-bin.000001:900"));
  expect(await readOn({ "m2-bin.000001": ECHO }, member("2", UUID, { closedBy: null }))).toEqual(
    at("m2-bin.000001:900"),
  );
});
