import { crc32 } from "node:zlib";
import { beforeEach, expect, it } from "vitest";
import { EVENT, HEADER_LENGTH } from "../mha/binlog.ts";
import { type Answer, SourceDialogue } from "./source-dialogue.ts";
import { concat, latin1, PacketReader, packetsOf, textOf } from "./source-packets.ts";
import { LogFileModel } from "./tail.suite.ts";
import { cutTail } from "./tail.ts";

const log = new LogFileModel(crc32);
const from = log.transaction(7);
log.rotate("m1-bin.000002");
const next = new LogFileModel(crc32, { file: "m1-bin.000002" });
next.transaction(8);
const tail = cutTail([log.part(from), next.part()], { crc32, ownServerId: 2 });
if (!tail.ok) throw new Error(tail.error);

let taken = false;
const take = (): boolean => {
  const first = !taken;
  taken = true;
  return first;
};
beforeEach(() => {
  taken = false;
});

const dialogueOf = (product: "mariadb" | "mysql") =>
  new SourceDialogue({
    take,
    tail: tail.value,
    product,
    gtid: true,
    scramble: new Uint8Array(20).fill(7),
    unixSeconds: 1_700_000_000,
    crc32,
  });

function payloads(
  chunks: Iterable<Uint8Array>,
): readonly { readonly sequence: number; readonly payload: Uint8Array }[] {
  return new PacketReader(1 << 24).push(concat([...chunks])) ?? [];
}

function loggedIn(product: "mariadb" | "mysql") {
  const dialogue = dialogueOf(product);
  const welcome = dialogue.hear({ sequence: 1, payload: Uint8Array.of(1, 2, 3) });
  const ask = (query: string): Answer =>
    dialogue.hear({ sequence: 0, payload: concat([Uint8Array.of(3), latin1(query)]) });
  const value = (query: string): string => {
    const heard = payloads(ask(query).send).map(({ payload }) => payload);
    if (heard.length > 1 && heard.at(-2)?.[0] === 0xfe) return "none";
    return heard[0]?.[0] === 0xff
      ? "error"
      : heard.length === 1
        ? "ok"
        : textOf(heard.at(-2) ?? new Uint8Array()).slice(1);
  };
  return { dialogue, welcome: payloads(welcome.send).map(({ payload }) => [...payload]), value };
}

it("greets as the dead server did, and lets a receiver in without its password", () => {
  expect(textOf(concat([...dialogueOf("mariadb").greeting]))).toMatch(
    /5\.5\.5-10\.11\.18-MariaDB-log\0.*mysql_native_password\0$/s,
  );
  expect(loggedIn("mariadb").welcome).toEqual([[0, 0, 0, 2, 0, 0, 0]]);
  expect(textOf(concat([...dialogueOf("mysql").greeting]))).toMatch(/\n10\.11.*caching_sha2_password\0$/s);
  expect(loggedIn("mysql").welcome).toEqual([
    [1, 3],
    [0, 0, 0, 2, 0, 0, 0],
  ]);
});

it.each([
  ["mariadb", "SELECT UNIX_TIMESTAMP()", "1700000000"],
  ["mariadb", "SELECT @@GLOBAL.SERVER_ID", "1"],
  ["mariadb", "SET @master_binlog_checksum= @@global.binlog_checksum", "ok"],
  ["mariadb", "SELECT @master_binlog_checksum", "CRC32"],
  ["mariadb", "SELECT @@GLOBAL.gtid_domain_id", "0"],
  ["mariadb", "SELECT binlog_gtid_pos('m1-bin.000001',549)", "error"],
  ["mysql", "SELECT @source_binlog_checksum", "CRC32"],
  ["mysql", "SELECT @@GLOBAL.GTID_MODE", "ON"],
  ["mysql", "SELECT @@GLOBAL.SERVER_UUID", "00000000-0000-0000-0000-000000000001"],
  ["mysql", "SELECT @@global.rpl_semi_sync_source_enabled", "error"],
  ["mysql", "DROP TABLE shop.orders", "error"],
] as const)("a receiver of %s that asks %s hears %s", (product, query, heard) => {
  expect(loggedIn(product).value(query)).toBe(heard);
});

it("SHOW VARIABLES has a name and a value, and no row for semi-sync: its receivers would want other frames", () => {
  const { value } = loggedIn("mariadb");
  expect(value("SHOW VARIABLES LIKE 'SERVER_ID'")).toBe("SERVER_ID\u00011");
  expect(value("SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'")).toBe("none");
});

it("hands out where it begins, what describes it, and then every event with sound checksums and consecutive numbers", () => {
  const { dialogue } = loggedIn("mariadb");
  const dump = dialogue.hear({ sequence: 0, payload: Uint8Array.of(18) });
  expect(dump.handsOut).toBe(true);
  const heard = payloads(dump.send);
  expect(heard.map(({ sequence }) => sequence)).toEqual(heard.map((_, at) => at + 1));
  const events = heard.map(({ payload }) => Buffer.from(payload.subarray(1)));
  expect(heard.every(({ payload }) => payload[0] === 0)).toBe(true);
  expect(events.map((event) => event[4])).toEqual([
    ...[EVENT.rotate, EVENT.format, EVENT.mariadbGtid, 19, EVENT.xid, EVENT.rotate],
    ...[EVENT.rotate, EVENT.format, EVENT.mariadbGtid, 19, EVENT.xid],
  ]);
  const [rotate, format, gtid] = events;
  expect(rotate?.readUInt32LE(HEADER_LENGTH)).toBe(from);
  expect(textOf(rotate?.subarray(HEADER_LENGTH + 8, -4) ?? new Uint8Array())).toBe("m1-bin.000001");
  // The format event lies at no place, so that the receiver does not count it; in the next file it is as it was written.
  expect([format?.readUInt32LE(13), format?.[17]]).toEqual([0, 0]);
  expect(gtid).toEqual(Buffer.from(log.bytes.subarray(from, from + (gtid?.length ?? 0))));
  expect(events[7]?.readUInt32LE(13)).toBe(4 + (events[7]?.length ?? 0));
  for (const event of [...events.slice(0, 7), ...events.slice(8)])
    expect(event.readUInt32LE(event.length - 4)).toBe(crc32(event.subarray(0, -4)));
});

it("hands out once: whoever asks again, over whatever connection, is told that there is nothing", () => {
  const dump = { sequence: 0, payload: Uint8Array.of(18) };
  for (const _ of loggedIn("mariadb").dialogue.hear(dump).send);
  const again = loggedIn("mariadb").dialogue.hear(dump);
  expect(again.handsOut).toBe(false);
  const [refused, ...more] = payloads(again.send);
  expect([refused?.payload[0], (refused?.payload[1] ?? 0) + 256 * (refused?.payload[2] ?? 0)]).toEqual([0xff, 1236]);
  expect(more).toEqual([]);
});

it("says after the last event that it is alive: at the end of the tail, in the packets' count, with a sound checksum", () => {
  const { dialogue } = loggedIn("mysql");
  const last = payloads(dialogue.hear({ sequence: 0, payload: Uint8Array.of(30) }).send).at(-1);
  for (const after of [1, 2]) {
    const [beat] = payloads(dialogue.heartbeat());
    expect(beat?.sequence).toBe((last?.sequence ?? 0) + after);
    const event = Buffer.from(beat?.payload.subarray(1) ?? []);
    expect([event[4], event.readUInt32LE(5), event.readUInt32LE(9)]).toEqual([27, 1, event.length]);
    expect(event.readUInt32LE(13)).toBe(tail.value.end.offset);
    expect(textOf(event.subarray(HEADER_LENGTH, -4))).toBe("m1-bin.000002");
    expect(event.readUInt32LE(event.length - 4)).toBe(crc32(event.subarray(0, -4)));
  }
});

it("knows no other command, and ends when the receiver leaves", () => {
  const { dialogue } = loggedIn("mariadb");
  expect(payloads(dialogue.hear({ sequence: 0, payload: Uint8Array.of(21) }).send)[0]?.payload[0]).toBe(0);
  expect(payloads(dialogue.hear({ sequence: 0, payload: Uint8Array.of(5, 65) }).send)[0]?.payload[0]).toBe(0xff);
  expect(payloads(dialogue.hear({ sequence: 0, payload: new Uint8Array() }).send)[0]?.payload[0]).toBe(0xff);
  expect(dialogue.hear({ sequence: 0, payload: Uint8Array.of(1) }).ends).not.toBeNull();
});

it("splits what is longer than a packet, and refuses to take what is longer than allowed", () => {
  const long = packetsOf(new Uint8Array(0xff_ffff), 254);
  expect(long.map(({ length }) => length)).toEqual([4, 0xff_ffff, 4, 0]);
  expect(long.map((one) => one[3]).filter((_, at) => at % 2 === 0)).toEqual([254, 255]);
  expect(new PacketReader(10).push(Uint8Array.of(11, 0, 0, 0))).toBeNull();
  const reader = new PacketReader(10);
  expect(reader.push(Uint8Array.of(2, 0, 0, 9, 65))).toEqual([]);
  expect(reader.push(Uint8Array.of(66))).toEqual([{ sequence: 9, payload: Uint8Array.of(65, 66) }]);
});
