import { expect, test } from "vitest";
import {
  type DoneFault,
  type Evidence,
  excuses,
  judge,
  overlaps,
  recoveries,
  type SeenWrite,
  stretches,
  timeline,
} from "./judgement.ts";
import type { FaultKind, Target } from "./plan.ts";

const END = 200_000;

/** One that began 10 ms before it was acknowledged. */
const write = (end: number, member: Target | null, changes: Partial<SeenWrite> = {}): SeenWrite => ({
  key: `w0:${end}`,
  client: "client",
  start: end - 10,
  end,
  ok: true,
  member,
  ...changes,
});

const writesOf = (member: Target, from: number, to: number, client = "client"): readonly SeenWrite[] =>
  Array.from({ length: Math.floor((to - from) / 100) + 1 }, (_, index) =>
    write(from + index * 100, member, { client, key: `${client}:${from + index * 100}` }),
  );

const fault = (kind: FaultKind, struckAt: number, healedAt: number, target: Target = "db1"): DoneFault => ({
  kind,
  target,
  at: struckAt,
  lasts: healedAt - struckAt,
  struckAt,
  healedAt,
});

/** A good run: db1 writes all the time and has everything. */
function evidence(changes: Partial<Omit<Evidence, "ending">> = {}, ending: Partial<Evidence["ending"]> = {}): Evidence {
  const writes = changes.writes ?? writesOf("db1", 100, END);
  const all = new Set(writes.filter(({ ok }) => ok).map(({ key }) => key));
  return {
    guarded: false,
    faults: [],
    probes: [{ at: 100, macs: ["a"] }],
    addresses: [],
    remarks: [],
    span: { from: 0, to: END },
    ...changes,
    writes,
    ending: {
      notWhole: null,
      writer: "db1",
      holders: ["db1"],
      keys: { db1: all, db2: all },
      setAside: new Set(),
      left: [],
      ...ending,
    },
  };
}

const kindsOf = (it: Evidence): readonly string[] => judge(it).map(({ kind }) => kind);

test("a run in which nothing was wrong has no violation", () => {
  expect(judge(evidence())).toEqual([]);
});

test("an acknowledged write that is on no server and in no copy is gone; one in a copy, on one server, or never acknowledged is not", () => {
  const writes = [...writesOf("db1", 100, END), write(5_010, "db2"), write(5_020, "db2"), write(9_000, "db2")];
  const kept = new Set(writesOf("db1", 100, END).map(({ key }) => key));
  const lost = evidence({ writes }, { keys: { db1: kept, db2: kept }, setAside: new Set(["w0:9000"]) });
  expect(judge(lost)).toEqual([
    {
      kind: "gone",
      text: "2 writes that db2 had acknowledged are on no server and in no copy (w0:5010, w0:5020)",
      span: { from: 5_010, to: 5_020 },
    },
  ]);
  const elsewhere = new Set([...kept, "w0:5010", "w0:5020"]);
  expect(
    kindsOf(evidence({ writes }, { keys: { db1: kept, db2: elsewhere }, setAside: new Set(["w0:9000"]) })),
  ).toEqual([]);
  const refused = [...writesOf("db1", 100, END), write(5_010, "db2", { ok: false })];
  expect(kindsOf(evidence({ writes: refused }, { keys: { db1: kept, db2: kept } }))).toEqual([]);
});

test("two hosts that answer for the address are a violation, one for each time, also while a daemon hangs", () => {
  const probes = [4_000, 4_010, 9_000].map((at) => ({ at, macs: ["a", "b"] }));
  const faults = [fault("freeze-daemon", 1_000, 20_000)];
  expect(judge(evidence({ probes, faults })).map(({ text, span }) => [text, span.from])).toEqual([
    ["two hosts answered for the address in 2 probes", 4_000],
    ["two hosts answered for the address in 1 probes", 9_000],
  ]);
});

test("a cut between the two excuses it, until five seconds after it is healed", () => {
  const faults = [fault("partition", 1_000, 6_000)];
  const at = (moment: number) => kindsOf(evidence({ faults, probes: [{ at: moment, macs: ["a", "b"] }] }));
  expect([999, 1_000, 10_999, 11_001].map(at)).toEqual([["two-answer"], [], [], ["two-answer"]]);
});

test("with a quorum store no cut excuses two that answer or write", () => {
  for (const kind of ["partition", "deaf", "link-silent", "cut-store"] as const) {
    const faults = [fault(kind, 1_000, 6_000)];
    const probes = [{ at: 2_000, macs: ["a", "b"] }];
    const writes = [...writesOf("db1", 100, END), ...writesOf("db2", 2_000, 3_000)];
    const kept = new Set(writes.map(({ key }) => key));
    const ending = { keys: { db1: kept, db2: kept } };
    const kinds = new Set(kindsOf(evidence({ guarded: true, faults, probes, writes }, ending)));
    expect(kinds, kind).toEqual(new Set(["two-answer", "two-write"]));
  }
});

test("behind a cut of one host's cable writing is excused for ten seconds, and for five more when it is healed", () => {
  expect(excuses([fault("link-silent", 1_000, 31_000)])).toEqual([
    { from: 1_000, to: 11_000 },
    { from: 31_000, to: 36_000 },
  ]);
  expect(excuses([fault("link-down", 1_000, 4_000)])).toEqual([{ from: 1_000, to: 9_000 }]);
  expect(excuses([fault("kill-daemon", 1_000, 4_000), fault("power-off", 1_000, 4_000)])).toEqual([]);
});

test("two servers write at the same time when each has begun one after the other's had been acknowledged", () => {
  const [one, two] = [writesOf("db1", 1_000, 3_000), writesOf("db2", 2_500, 4_000)];
  expect(overlaps([...one, ...two])).toEqual([{ from: 2_500, to: 2_990 }]);
  // db1's last began before db2's first was acknowledged: which came first nobody can say.
  expect(overlaps([...writesOf("db1", 1_000, 2_500), ...two])).toEqual([]);
  // There and back with a second between them is two failovers.
  expect(overlaps([...writesOf("db1", 1_000, 2_000), write(2_500, "db2"), ...writesOf("db1", 3_000, 4_000)])).toEqual(
    [],
  );
});

test("two that write are a violation, whichever application saw it, unless a cut excuses all of it", () => {
  const writes = [...writesOf("db2", 100, END), ...writesOf("db1", 5_000, 8_000, "db1")];
  expect(kindsOf(evidence({ writes, faults: [fault("freeze-keeper", 1_000, 9_000)] }))).toEqual(["two-write"]);
  expect(kindsOf(evidence({ writes, faults: [fault("link-silent", 1_000, 20_000)] }))).toEqual([]);
  expect(kindsOf(evidence({ writes, faults: [fault("link-silent", 5_500, 20_000)] }))).toEqual(["two-write"]);
});

test("writing ends and begins where half a second passes without an acknowledgement", () => {
  const writes = [write(1_000, "db1"), write(1_500, "db1"), write(2_001, "db1"), write(1_600, "db2")];
  expect(stretches(writes, "db1")).toEqual([
    { member: "db1", from: 1_000, to: 1_490, count: 2 },
    { member: "db1", from: 2_001, to: 2_001, count: 1 },
  ]);
});

test("who is not served within twenty seconds after everything is healed has not recovered", () => {
  const faults = [fault("kill-database", 10_000, 20_000)];
  const late = (second: number) => [...writesOf("db1", 100, 9_000), ...writesOf("db1", second * 1_000, END)];
  expect(kindsOf(evidence({ faults, writes: late(39) }))).toEqual([]);
  expect(kindsOf(evidence({ faults, writes: late(41) }))).toEqual(["not-recovered"]);
  // An application on the writer's own host does not count, and the next fault may come first.
  const own = [...late(41), ...writesOf("db1", 21_000, 40_000, "db1")];
  expect(kindsOf(evidence({ faults, writes: own }))).toEqual(["not-recovered"]);
  expect(kindsOf(evidence({ faults: [...faults, fault("deaf", 38_000, 39_000)], writes: late(41) }))).toEqual([]);
});

test("at the end one host has the address, it is the writer's, and nobody has it when no daemon runs", () => {
  expect(kindsOf(evidence({}, { holders: ["db1", "db2"] }))).toEqual(["orphan"]);
  expect(kindsOf(evidence({}, { writer: null, holders: [] }))).toEqual(["no-writer"]);
  expect(kindsOf(evidence({}, { left: ["db2"] }))).toEqual(["orphan"]);
  expect(kindsOf(evidence({}, { notWhole: "waited in vain" }))).toEqual(["not-whole"]);
});

test("what happens by itself is a violation when it is a problem", () => {
  const remarks = [
    { at: 5, text: "ended while it hung", problem: false },
    { at: 6, text: "ended by itself", problem: true },
  ];
  expect(judge(evidence({ remarks })).map(({ text }) => text)).toEqual(["ended by itself"]);
});

test("who saw nothing has proved nothing", () => {
  expect(kindsOf(evidence({ probes: [{ at: 5, macs: [] }] }))).toEqual(["unseen"]);
  expect(kindsOf(evidence({ writes: writesOf("db1", 100, END, "db1") }))).toEqual(["unseen"]);
});

test("an interruption is the longest time without an acknowledged write in the network; recovery counts from the heal to the first after it", () => {
  const faults = [fault("kill-database", 10_050, 12_000), fault("partition", 30_000, 35_000)];
  const writes = [
    ...writesOf("db1", 100, 10_000),
    ...writesOf("db2", 13_000, END),
    write(12_500, "db1", { ok: false }),
  ];
  expect(recoveries(evidence({ faults, writes }))).toEqual([
    { fault: faults[0], interruptedMs: 2_950, recoveredMs: 1_000 },
    { fault: faults[1], interruptedMs: 100, recoveredMs: 100 },
  ]);
  const early = [faults[0]!, fault("deaf", 12_100, 12_200)];
  expect(recoveries(evidence({ faults: early, writes })).map(({ recoveredMs }) => recoveredMs)).toEqual([null, 800]);
});

test("the story has faults, heals, addresses and who took writes, in order", () => {
  const story = timeline(
    evidence({
      faults: [fault("kill-daemon", 1_000, 5_000)],
      addresses: [{ at: 2_000, host: "db2", kind: "added" }],
      writes: [...writesOf("db1", 100, 900), ...writesOf("db2", 2_100, 9_000)],
    }),
  );
  expect(story.map(({ at, text }) => `${at} ${text}`)).toEqual([
    "100 db1 begins to acknowledge writes",
    "890 db1 has acknowledged its last write for now (9)",
    "1000 FAULT both processes of the daemon on db1 get kill -9",
    "2000 db2: the address is added",
    "2100 db2 begins to acknowledge writes",
    "5000 HEALED kill-daemon db1",
    "8990 db2 has acknowledged its last write for now (70)",
  ]);
});
