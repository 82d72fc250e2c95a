import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMarks, type Mark, mapTail } from "./mapping.ts";

const log = (...keys: readonly string[]): readonly Mark[] =>
  keys.map((key, at) => ({ key, end: { file: "m2-bin.000001", offset: (at + 1) * 100 } }));

describe("a run of transactions in the writer's log", () => {
  it("ends where the replica goes on", () => {
    expect(mapTail(["b", "c"], log("a", "b", "c", "d"))).toEqual({
      ok: true,
      value: { file: "m2-bin.000001", offset: 300 },
    });
  });

  it("that is not there as a whole, or more than once, is no place", () => {
    expect(mapTail(["c", "x"], log("a", "b", "c"))).toMatchObject({ ok: false });
    expect(mapTail(["a", "c"], log("a", "b", "c"))).toMatchObject({ ok: false });
    expect(mapTail(["a"], log("a", "b", "a"))).toMatchObject({ ok: false, error: expect.stringContaining("2 times") });
    expect(mapTail([], log("a"))).toMatchObject({ ok: false });
    expect(mapTail(["z", "a"], log("a"))).toMatchObject({ ok: false });
  });

  it("is never mapped to a place behind which something of the run's own past is missing", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(keys, fc.nat(12), fc.integer({ min: 1, max: 4 }), (history, cut, length) => {
        const executed = history.slice(0, cut);
        const run = executed.slice(-length);
        const mapped = mapTail(run, log(...history));
        // Wherever it lands, the run stands there, and it is the only such place.
        if (mapped.ok) expect(mapped.value.offset).toBe(executed.length * 100);
      }),
    );
  });
});

describe("what mysqlbinlog prints", () => {
  const header = (at: number, end: number, rest: string, server = 1): readonly string[] => [
    `# at ${at}`,
    `#261127 10:00:00 server id ${server}  end_log_pos ${end} CRC32 0x01020304 \t${rest}`,
  ];
  const gtid = (time: string): string =>
    `Anonymous_GTID\tlast_committed=0\tsequence_number=1\trbr_only=yes\toriginal_committed_timestamp=${time}\timmediate_commit_timestamp=9\ttransaction_length=300`;

  it("names each transaction by its first server and the microsecond of its commit, and where it ends", () => {
    const reader = createMarks("m2-bin.000001");
    const lines = [
      ...header(4, 126, "Start: binlog v 4, server v 9.7.0 created 261127 10:00:00 at startup"),
      ...header(126, 157, "Previous-GTIDs"),
      ...header(157, 236, gtid("1795773233572401")),
      "/*!80014 SET @@session.original_server_version=90700*//*!*/;",
      ...header(236, 310, "Query\tthread_id=8\texec_time=0\terror_code=0"),
      ...header(310, 355, "Xid = 12"),
      "COMMIT/*!*/;",
      ...header(355, 434, gtid("1795773233599999"), 2),
      ...header(434, 500, "Query\tthread_id=8\texec_time=0\terror_code=0", 2),
      ...header(500, 544, "Rotate to m2-bin.000002  pos: 4", 2),
    ];
    for (const line of lines) reader.line(line);
    expect(reader.marks()).toEqual([
      { key: "server 1 at 1795773233572401", end: { file: "m2-bin.000001", offset: 355 } },
      { key: "server 2 at 1795773233599999", end: { file: "m2-bin.000001", offset: 500 } },
    ]);
  });

  it("tells which cannot be told apart: a server before 8.0 wrote no time", () => {
    const reader = createMarks("m1-bin.000001");
    for (const line of [...header(157, 236, gtid("0")), ...header(236, 310, "Xid = 1")]) reader.line(line);
    expect(reader.marks()[0]?.key).toBe("unmarked at 157");
  });
});
