/** Two servers as values: when one may be attached to the other, what stands against it, and that no order of steps goes wrong. */
import { describe, expect, it, test } from "vitest";
import { comparisonOf, countOf, extraOf, lostTail } from "./errant.ts";
import type { ChannelFacts, MemberFacts, MemberGtids } from "./member.ts";
import { choicesOf, decideRejoin, newerToOlder, planRejoin, type RejoinFacts } from "./rejoin.ts";
import type { ServerVersion } from "./version.ts";

const MARIADB: ServerVersion = { product: "mariadb", major: 10, minor: 11, patch: 18 };
const MYSQL: ServerVersion = { product: "mysql", major: 9, minor: 7, patch: 4 };
const ONE = "11111111-1111-1111-1111-111111111111";
const TWO = "22222222-2222-2222-2222-222222222222";

function channel(from: string, changes: Partial<ChannelFacts> = {}): ChannelFacts {
  return {
    channel: "",
    source: `192.0.2.${from}:3306`,
    sourceId: from,
    io: "running",
    sql: "running",
    lag: 0,
    drained: true,
    ioError: null,
    sqlError: null,
    gtid: true,
    received: { file: `m${from}-bin.000001`, offset: 500 },
    executed: { file: `m${from}-bin.000001`, offset: 500 },
    ...changes,
  };
}

const gtidsOf = (state: string): MemberGtids => ({
  product: "mariadb",
  position: state.split(",").at(-1) ?? "",
  binlogState: state,
  slavePos: state.split(",").at(-1) ?? "",
});
const setOf = (executed: string, on = true, uuid = ONE): MemberGtids => ({ product: "mysql", executed, on, uuid });

function member(id: string, gtids: MemberGtids, changes: Partial<MemberFacts> = {}): MemberFacts {
  return {
    version: gtids.product === "mariadb" ? MARIADB : MYSQL,
    serverId: id,
    closedBy: "read_only",
    end: { file: `m${id}-bin.000001`, offset: 500 },
    gtids,
    channels: [channel(id === "1" ? "2" : "1")],
    semiSync: null,
    ...changes,
  };
}

const SEMI_SYNC = { word: "master", enabled: false, clients: 0, waiting: 0, acknowledged: 0 } as const;

const STANDS = { io: "stopped", sql: "stopped" } as const;

/** The writer has left the channel standing; the server that returned follows by itself. */
function facts(changes: Partial<RejoinFacts> = {}): RejoinFacts {
  const state = gtidsOf("0-1-5,0-2-9");
  return {
    writer: {
      address: "192.0.2.2:3306",
      facts: member("2", state, { closedBy: null, channels: [channel("1", STANDS)] }),
    },
    server: { address: "192.0.2.1:3306", facts: member("1", state) },
    extra: { kind: "none" },
    lost: null,
    purged: "",
    pair: true,
    ...changes,
  };
}

const server = (changes: Partial<MemberFacts>): Pick<RejoinFacts, "server"> => ({
  server: { address: "192.0.2.1:3306", facts: { ...facts().server.facts, ...changes } },
});

describe("a server that has returned clean", () => {
  it("follows first, catches up, and is received from only then", () => {
    const behind = facts(server({ gtids: gtidsOf("0-1-5"), channels: [channel("2", STANDS)] }));
    expect(planRejoin(behind)).toEqual({
      steps: [
        "start replication on 192.0.2.1:3306: it receives from 192.0.2.2:3306",
        "wait until 192.0.2.1:3306 has executed what 192.0.2.2:3306 had",
        "start replication on 192.0.2.2:3306: it receives from 192.0.2.1:3306 again",
      ],
      end: "ready",
      cause: null,
    });
  });

  it("of a ring that is whole has nothing to be done; without a back edge there is no ring, and that is fine", () => {
    const writer = (channels: readonly ChannelFacts[]) => ({
      writer: { address: "192.0.2.2:3306", facts: { ...facts().writer.facts, channels } },
    });
    expect(decideRejoin(facts(writer([channel("1")])))).toEqual({ kind: "whole", ring: true });
    expect(decideRejoin(facts(writer([])))).toEqual({ kind: "whole", ring: false });
  });

  it("whose binary log does not reach back is received from at its end; MySQL's GTIDs need no place, so there it is an error", () => {
    const gone = { io: "stopped", ioError: { number: 1236, text: "not in the master's binlog" } } as const;
    const writer = (gtids: MemberGtids, changes: Partial<ChannelFacts>): Partial<RejoinFacts> => ({
      writer: {
        address: "192.0.2.2:3306",
        facts: member("2", gtids, { closedBy: null, channels: [channel("1", { ...gone, ...changes })] }),
      },
      server: { address: "192.0.2.1:3306", facts: member("1", gtids) },
    });
    const state = gtidsOf("0-1-5,0-2-9");
    expect(decideRejoin(facts(writer(state, {})))).toMatchObject({ kind: "step", step: { kind: "renew" } });
    expect(planRejoin(facts(writer(state, {}))).end).toBe("ready");
    expect(decideRejoin(facts(writer(setOf(`${ONE}:1`), {})))).toMatchObject({ kind: "refuse", cause: "broken" });
    const broken = { sql: "stopped", sqlError: { number: 1950, text: "out-of-order" } } as const;
    expect(decideRejoin(facts(writer(state, broken)))).toMatchObject({ kind: "refuse", cause: "broken" });
    // Only when there is nothing to be passed over.
    const errant = { ...writer(state, {}), extra: { kind: "some", what: "0-1-6", count: 1 } } as const;
    expect(decideRejoin(facts(errant))).toMatchObject({ kind: "refuse", cause: "extra" });
  });

  it("that only connects is waited for", () => {
    expect(decideRejoin(facts(server({ channels: [channel("2", { io: "connecting" })] })))).toMatchObject({
      kind: "wait",
    });
  });

  it("by file and position catches up by position", () => {
    const classic = { gtid: false, executed: { file: "m2-bin.000001", offset: 400 } };
    const behind = facts({
      writer: {
        address: "192.0.2.2:3306",
        facts: member("2", setOf("", false), { closedBy: null, channels: [channel("1", { ...STANDS, gtid: false })] }),
      },
      server: {
        address: "192.0.2.1:3306",
        facts: member("1", setOf("", false), { channels: [channel("2", classic)] }),
      },
    });
    expect(decideRejoin(behind)).toMatchObject({ kind: "wait" });
    expect(planRejoin(behind).end).toBe("ready");
  });
});

test.each<readonly [string, Partial<RejoinFacts>, string]>([
  ["takes writes as well", server({ closedBy: null }), "other"],
  ["has the same server_id", server({ serverId: "2" }), "other"],
  ["is older than the writer", server({ version: { ...MARIADB, minor: 6 } }), "other"],
  ["is of another product", server({ version: MYSQL }), "other"],
  ["has lost what it had committed", { lost: "0-1-7" }, "lost"],
  ["has too many", { extra: { kind: "some", what: "0-1-7", count: 1 } }, "extra"],
  ["cannot be compared", { extra: { kind: "unknown", why: "no binary log" } }, "extra"],
  ["lacks what the writer has no longer", { purged: `${TWO}:1-5` }, "purged"],
  ["receives from nobody", server({ channels: [] }), "other"],
  [
    "has stopped with an error",
    server({ channels: [channel("2", { sql: "stopped", sqlError: { number: 1062, text: "Duplicate entry" } })] }),
    "broken",
  ],
  [
    "asks for what the writer's log does not have",
    server({ channels: [channel("2", { io: "stopped", ioError: { number: 1236, text: "purged" } })] }),
    "purged",
  ],
])("a server that %s is left out, and nothing is begun", (_, changes, cause) => {
  expect(planRejoin(facts(changes))).toMatchObject({ steps: [], cause });
});

test("a source is never newer than who receives from it", () => {
  expect(newerToOlder(MYSQL, { ...MYSQL, major: 8, minor: 4 })).toContain("newer version");
  expect(newerToOlder({ ...MYSQL, major: 8, minor: 4 }, MYSQL)).toBeNull();
  expect(newerToOlder({ ...MARIADB, patch: 19 }, MARIADB)).toBeNull();
  // Versions are numbers: 10.4 is older than 10.11, and 9.7 newer than 8.10.
  expect(newerToOlder(MARIADB, { ...MARIADB, minor: 4 })).not.toBeNull();
  const newerServer = facts(server({ version: { ...MARIADB, minor: 12 } }));
  expect(decideRejoin(newerServer)).toEqual({ kind: "whole", ring: false });
});

describe("what a server has too many", () => {
  const writer = member("2", setOf(`${ONE}:1-10,${TWO}:1-3`), { closedBy: null });

  it("is told by the sets of MySQL, and found in its binary log", () => {
    const returned = member("1", setOf(`${ONE}:1-12,${TWO}:1-2`));
    const comparison = comparisonOf(writer, returned, null);
    expect(comparison).toEqual({ kind: "set", extra: `${ONE}:11-12` });
    expect(countOf(`${ONE}:11-12:20,${TWO}:tag:7`)).toBe(4n);
    const logged = [`${ONE}:10`, `${TWO}:2`, `${ONE}:11`, `${ONE}:12`].map((gtid, at) => ({
      file: "m1-bin.000001",
      from: 100 * at,
      to: 100 * at + 100,
      gtid,
      serverId: "1",
    }));
    expect(extraOf(logged, comparison, writer).map(({ gtid }) => gtid)).toEqual([`${ONE}:11`, `${ONE}:12`]);
  });

  it("is told by the last number of each server of MariaDB, also behind one that came from the writer", () => {
    const ours = member("2", gtidsOf("0-1-5,0-2-9"), { closedBy: null });
    const returned = member("1", gtidsOf("0-1-7,0-2-9"));
    const comparison = comparisonOf(ours, returned, null);
    expect(comparison).toEqual({ kind: "state", extra: true });
    const at = (gtid: string) => ({ file: "m1-bin.000001", from: 0, to: 1, gtid, serverId: "1" });
    expect(extraOf([at("0-1-5"), at("0-1-6"), at("0-2-8"), at("0-1-7")], comparison, ours)).toEqual([
      at("0-1-6"),
      at("0-1-7"),
    ]);
    expect(comparisonOf(ours, member("1", gtidsOf("0-1-5,0-2-7")), null)).toEqual({ kind: "state", extra: false });
  });

  it("by position is everything behind what the writer has executed, but the writer's own echo", () => {
    const ours = member("2", setOf("", false), { closedBy: null });
    const comparison = comparisonOf(
      ours,
      member("1", setOf("", false), { end: { file: "m1-bin.000002", offset: 900 } }),
      channel("1"),
    );
    const at = (from: number, serverId: string, file = "m1-bin.000001") => ({
      file,
      from,
      to: from + 1,
      gtid: null,
      serverId,
    });
    const logged = [at(400, "1"), at(500, "1"), at(600, "2"), at(4, "3", "m1-bin.000002")];
    expect(extraOf(logged, comparison, ours)).toEqual([at(500, "1"), at(4, "3", "m1-bin.000002")]);
  });

  it("cannot be told without GTIDs, binary log and channel, nor between products", () => {
    const classic = member("1", setOf("", false));
    expect(comparisonOf(writer, classic, null).kind).toBe("impossible");
    expect(comparisonOf(writer, { ...classic, end: null }, channel("1")).kind).toBe("impossible");
    expect(comparisonOf(writer, classic, channel("1", { executed: { file: "other.000001", offset: 4 } })).kind).toBe(
      "impossible",
    );
    expect(comparisonOf(writer, member("1", gtidsOf("0-1-1")), channel("1")).kind).toBe("impossible");
  });
});

describe("a server that was restored, or lost its last second", () => {
  const lost = (ours: MemberFacts, theirs: MemberFacts): string | null =>
    lostTail({ writer: ours, server: theirs, channel: channel("1") });

  it("is found by what the writer has of it and it has not: replication would skip that by its own server_id", () => {
    const mysql = member("2", setOf(`${ONE}:1-10,${TWO}:1-3`));
    expect(lost(mysql, member("1", setOf(`${ONE}:1-8`)))).toBe(`${ONE}:9-10`);
    expect(lost(mysql, member("1", setOf(`${ONE}:1-10`)))).toBeNull();
    const mariadb = member("2", gtidsOf("0-1-10,0-2-12"));
    expect(lost(mariadb, member("1", gtidsOf("0-2-3,0-1-8")))).toBe("0-1-10");
    const taking = { ...SEMI_SYNC, acknowledges: true };
    expect(lost(mariadb, member("1", gtidsOf("0-1-8,0-2-12"), { semiSync: taking }))).toBeNull();
    // Also after it has received on, with its number in the log still behind.
    expect(lost(mariadb, member("1", gtidsOf("0-1-8,0-2-12")))).toBe("0-1-10");
    expect(lost(mariadb, member("1", gtidsOf("0-1-10,0-2-11")))).toBeNull();
    const classic = member("2", setOf("", false));
    expect(lost(classic, member("1", setOf("", false), { end: { file: "m1-bin.000001", offset: 400 } }))).toContain(
      "ends at m1-bin.000001:400",
    );
    expect(lost(classic, member("1", setOf("", false)))).toBeNull();
  });

  it("is not one that was made anew from the writer and has no binary log of its own yet", () => {
    const copy: MemberGtids = { product: "mariadb", position: "", binlogState: "", slavePos: "0-2-12" };
    expect(lost(member("2", gtidsOf("0-1-10,0-2-12")), member("1", copy))).toBeNull();
    const older: MemberGtids = { ...copy, slavePos: "0-1-8" };
    expect(lost(member("2", gtidsOf("0-1-10,0-2-12")), member("1", older))).toBe("0-1-10");
  });
});

describe("the choices", () => {
  const scene = (gtids: MemberGtids, file: string | null = "/x.sql") => ({
    name: "orders",
    writer: { address: "192.0.2.2:3306", facts: member("2", gtids, { closedBy: null }) },
    server: { address: "192.0.2.1:3306", facts: member("1", gtids) },
    extra: { kind: "some", what: "THESE", count: 2 } as const,
    file,
  });
  const titles = (gtids: MemberGtids, file?: string | null): readonly string[] =>
    choicesOf("extra", scene(gtids, file)).map(({ title }) => title);

  it("are those that the product has, and each says what is lost", () => {
    expect(titles(setOf(""))).toEqual([
      "keep them: enter them on the writer as they are",
      "the data are equal already: count them as done",
      "make the server anew from the writer",
    ]);
    expect(titles(gtidsOf("0-1-1"))).toEqual([
      "keep them: enter them on the writer, then make the server anew",
      "make the server anew from the writer",
    ]);
    expect(titles(setOf("", false))[1]).toBe("the data are equal already: count them as done");
    for (const choice of choicesOf("extra", scene(setOf("")))) expect(choice.loses).not.toBe("");
  });

  it("without an exported file are to make it anew only: nothing is counted as done that nobody could look at", () => {
    expect(titles(setOf(""), null)).toEqual(["make the server anew from the writer"]);
  });
});
