import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT } from "../mha/binlog.ts";
import { LogFileModel } from "./tail.suite.ts";
import { cutTail, type LogPart, whyNotNext } from "./tail.ts";

const OPTIONS = { crc32, ownServerId: 2 };
const cut = (...parts: readonly LogPart[]) => cutTail(parts, OPTIONS);
const why = (...parts: readonly LogPart[]): string => {
  const tail = cut(...parts);
  return tail.ok ? "" : tail.error;
};
const good = (...parts: readonly LogPart[]) => {
  const tail = cut(...parts);
  if (!tail.ok) throw new Error(tail.error);
  return tail.value;
};

function sample() {
  const log = new LogFileModel(crc32);
  log.append(163, Buffer.alloc(4));
  const sent = log.transaction(7);
  const from = log.transaction(8);
  log.transaction(9);
  return { log, sent, from, end: log.bytes.length };
}

describe("what is behind a position", () => {
  it("is whole transactions, byte for byte, with where they end and which comes first", () => {
    const { log, from, end } = sample();
    const tail = good(log.part(from));
    expect(tail).toMatchObject({
      from: { file: "m1-bin.000001", offset: from },
      end: { file: "m1-bin.000001", offset: end },
      transactions: 2,
      first: [{ source: "0", number: 8n }],
      version: "10.11.18-MariaDB-log",
      serverId: 1,
      checksum: true,
    });
    expect(tail.parts[0]?.bytes).toEqual(log.bytes.subarray(from));
  });

  it("is nothing at the end, and after what a server writes by itself", () => {
    const { log, end } = sample();
    expect(good(log.part(end))).toMatchObject({ transactions: 0, parts: [], end: { offset: end } });
    log.append(EVENT.stop);
    expect(good(log.part(end)).transactions).toBe(0);
  });

  it("ends before half an event, wherever that was cut off", () => {
    const { log, from, end } = sample();
    log.transaction(10);
    for (let size = end; size < log.bytes.length; size++) {
      const tail = good(log.part(from, log.bytes.subarray(0, size)));
      expect([tail.transactions, tail.end.offset]).toEqual([2, end]);
    }
  });

  it("goes on in the next file", () => {
    const { log, from } = sample();
    log.rotate("m1-bin.000002");
    const next = new LogFileModel(crc32, { file: "m1-bin.000002" });
    next.transaction(10);
    const tail = good(log.part(from), next.part());
    expect(tail).toMatchObject({ transactions: 3, end: { file: "m1-bin.000002", offset: next.bytes.length } });
    expect(tail.parts.map(({ from: at, bytes }) => at + bytes.length)).toEqual([log.bytes.length, next.bytes.length]);
  });

  it("ends in the file before, when the last one has nothing whole", () => {
    const { log, from, end } = sample();
    log.rotate("m1-bin.000002");
    const tail = good(log.part(from), new LogFileModel(crc32, { file: "m1-bin.000002" }).part());
    expect(tail.end).toEqual({ file: "m1-bin.000001", offset: end });
    expect(tail.parts).toHaveLength(1);
  });

  it("leaves out what the reader has written itself", () => {
    const log = new LogFileModel(crc32);
    const from = log.transaction(3, 2);
    expect(good(log.part(from)).transactions).toBe(0);
    log.transaction(4);
    expect(good(log.part(from))).toMatchObject({ transactions: 1, first: [{ source: "0", number: 4n }] });
  });

  it("a compressed statement at the end counts: alone it is a transaction, with more to come it is half of one", () => {
    const log = new LogFileModel(crc32);
    const standalone = Buffer.alloc(19, 0);
    standalone[12] = 1;
    const from = log.append(EVENT.mariadbGtid, standalone);
    log.append(EVENT.mariadbCompressedQuery, Buffer.alloc(40, 7));
    const end = log.bytes.length;
    expect(good(log.part(from))).toMatchObject({ transactions: 1, isCut: false, end: { offset: end } });
    log.append(EVENT.mariadbGtid, Buffer.alloc(19));
    log.append(EVENT.mariadbCompressedQuery, Buffer.alloc(40, 7));
    expect(good(log.part(from))).toMatchObject({ transactions: 1, isCut: true, end: { offset: end } });
  });

  it("is read without checksums, too", () => {
    const log = new LogFileModel(crc32, { checksum: false });
    const from = log.transaction(3);
    expect(good(log.part(from))).toMatchObject({ transactions: 1, checksum: false });
  });
});

describe("refused is", () => {
  it.each([
    ["a position between two events", 1, "no whole event begins at"],
    ["one that is behind the beginning of a transaction", 42, "no transaction begins at"],
  ])("%s", (_name, further, message) => {
    const { log, from } = sample();
    expect(why(log.part(from + further))).toContain(message);
  });

  it("a changed byte", () => {
    const { log, from } = sample();
    const changed = log.bytes.slice();
    changed[from + 25] = (changed[from + 25] ?? 0) ^ 1;
    expect(why(log.part(from, changed))).toBe(`a wrong checksum at m1-bin.000001:${from}`);
  });

  it("half an event or half a transaction that another file follows", () => {
    const { log, from, end } = sample();
    log.transaction(10);
    const next = new LogFileModel(crc32, { file: "m1-bin.000002" }).part();
    expect(why(log.part(from, log.bytes.subarray(0, end + 10)), next)).toContain("no whole event begins at");
    expect(why(log.part(from, log.bytes.subarray(0, end + 42)), next)).toContain("half a transaction at the end of");
  });

  it("a transaction in another", () => {
    const log = new LogFileModel(crc32);
    const from = log.append(EVENT.mariadbGtid, Buffer.alloc(19));
    log.transaction(2);
    expect(why(log.part(from))).toContain("no transaction begins at");
  });

  it("what is encrypted, no log, or of another server", () => {
    const { log, from } = sample();
    const encrypted = new LogFileModel(crc32);
    encrypted.append(EVENT.mariadbEncryption, Buffer.alloc(17));
    expect(why(encrypted.part())).toBe("m1-bin.000001 is encrypted");
    expect(why({ ...log.part(from), head: Uint8Array.of(0xfd, 0x62, 0x69, 0x6e) })).toBe("m1-bin.000001 is encrypted");
    expect(why({ ...log.part(from), head: Buffer.from("<html>") })).toBe("m1-bin.000001 is no binary log");
    log.rotate("m1-bin.000002");
    const strange = new LogFileModel(crc32, { file: "m1-bin.000002", serverId: 9 });
    expect(why(log.part(from), strange.part())).toContain("differ");
  });

  it("whatever else a peer may send, without an exception and without a transaction that was not there", () => {
    const { log, from } = sample();
    const whole = Buffer.from(log.bytes.subarray(from));
    const changed = fc.record({
      at: fc.nat(whole.length - 1),
      byte: fc.integer({ min: 0, max: 255 }),
      keep: fc.nat(whole.length),
      more: fc.uint8Array({ maxLength: 60 }),
    });
    fc.assert(
      fc.property(changed, fc.uint8Array({ maxLength: 200 }), ({ at, byte, keep, more }, head) => {
        const bytes = Buffer.concat([whole.subarray(0, keep), more]);
        if (at < bytes.length) bytes[at] = byte;
        const tail = cut({ ...log.part(from), bytes });
        if (tail.ok) for (const part of tail.value.parts) expect(whole.indexOf(part.bytes)).toBe(0);
        cut({ ...log.part(from), head });
      }),
    );
  });
});

describe("a tail joins on", () => {
  const mariadb = { product: "mariadb", position: "", binlogState: "0-1-7,0-2-5", slavePos: "0-1-7" } as const;
  const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
  const mysql = (executed: string) => ({ product: "mysql", executed, on: true }) as const;
  const first = (source: string, number: bigint) => ({ first: [{ source, number }] });

  it("when its first transaction is the next one of its source", () => {
    expect(whyNotNext(first("0", 8n), mariadb)).toBeNull();
    expect(whyNotNext(first("1", 1n), mariadb)).toBeNull();
    expect(whyNotNext(first(uuid, 24n), mysql(`${uuid}:1-23`))).toBeNull();
    expect(whyNotNext(first(uuid, 1n), mysql(""))).toBeNull();
    expect(whyNotNext({ first: [] }, mariadb)).toBeNull();
  });

  it("not with a hole, and not with what is there already", () => {
    expect(whyNotNext(first("0", 9n), mariadb)).toContain("it goes on with 0:9, here 0:7 is the last one");
    expect(whyNotNext(first("0", 7n), mariadb)).not.toBeNull();
    expect(whyNotNext(first(uuid, 25n), mysql(`${uuid}:1-23`))).not.toBeNull();
    expect(whyNotNext(first(uuid, 31n), mysql(`${uuid}:1-23:26-30`))).toContain("nobody knows");
  });
});
