import { expect, test } from "vitest";
import { EVENT, isEncrypted, isLog, logStart, readEvent, readHeader } from "./binlog.ts";

function header(type: number, length: number, end: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(19);
  const view = new DataView(bytes.buffer);
  view.setUint8(4, type);
  view.setUint32(9, length, true);
  view.setUint32(13, end, true);
  view.setUint16(17, flags, true);
  return bytes;
}

/** Schema "db", no status variables. */
function query(statement: string): Uint8Array {
  const head = [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0];
  return Uint8Array.from([...head, ...new TextEncoder().encode(`db\0${statement}`)]);
}

function roles(...events: readonly (readonly [number, Uint8Array?])[]): readonly string[] {
  let state = logStart("bin.000001");
  let end = 100;
  return events.map(([type, content = new Uint8Array()]) => {
    end += 50;
    const read = readHeader(header(type, 50, end));
    if (read === null) throw new Error("no header");
    const step = readEvent(state, read, content);
    state = step.state;
    return step.role;
  });
}

const standalone = Uint8Array.from([...new Array(12).fill(0), 1]);
const transaction = new Uint8Array(13);

test("MariaDB: a transaction ends with its Xid or COMMIT, a standalone statement with itself", () => {
  expect(roles([EVENT.mariadbGtid, transaction], [19], [23], [EVENT.xid])).toEqual(["begin", "part", "part", "end"]);
  expect(
    roles(
      [EVENT.mariadbGtid, transaction],
      [EVENT.query, query("INSERT INTO t VALUES (1)")],
      [EVENT.query, query("COMMIT")],
    ),
  ).toEqual(["begin", "part", "end"]);
  expect(roles([EVENT.mariadbGtid, standalone], [EVENT.query, query("CREATE TABLE t (a INT)")])).toEqual([
    "begin",
    "end",
  ]);
});

test("MySQL: BEGIN makes a transaction, any other statement is one; a payload event is whole", () => {
  expect(roles([EVENT.mysqlGtid], [EVENT.query, query("BEGIN")], [19], [30], [EVENT.xid])).toEqual([
    "begin",
    "part",
    "part",
    "part",
    "end",
  ]);
  expect(roles([EVENT.mysqlAnonymous], [EVENT.query, query("DROP TABLE t")])).toEqual(["begin", "end"]);
  expect(roles([EVENT.mysqlTaggedGtid], [EVENT.mysqlPayload])).toEqual(["begin", "end"]);
});

test("a rotate event names the master's next log and ends what was half", () => {
  const rotate = Uint8Array.from([4, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode("bin.000002")]);
  const state = { ...logStart("bin.000001"), inGroup: true };
  const read = readHeader(header(EVENT.rotate, 40, 0, 0x20));
  if (read === null) throw new Error("no header");
  const step = readEvent(state, read, rotate);
  expect(step).toMatchObject({ role: "other", at: null, state: { file: "bin.000002", inGroup: false } });
});

test("an event of the replica itself has no place in the master's log", () => {
  const own = readHeader(header(EVENT.format, 100, 120, 0x40));
  const masters = readHeader(header(EVENT.xid, 31, 231));
  if (own === null || masters === null) throw new Error("no header");
  expect(readEvent(logStart("a.1"), own, new Uint8Array(80)).at).toBeNull();
  expect(readEvent(logStart("a.1"), masters, new Uint8Array()).at).toEqual({ file: "a.1", offset: 200 });
});

test("what is no event, no log, or encrypted is seen", () => {
  expect(readHeader(new Uint8Array(18))).toBeNull();
  expect(readHeader(header(2, 5, 9))).toBeNull();
  expect(isLog(Uint8Array.from([0xfe, 0x62, 0x69, 0x6e]))).toBe(true);
  expect(isLog(Uint8Array.from([0xfd, 0x62, 0x69, 0x6e]))).toBe(false);
  expect(isEncrypted(Uint8Array.from([0xfd, 0x62, 0x69, 0x6e]))).toBe(true);
});
