import { expect, test } from "vitest";
import type { Evidence } from "./judgement.ts";
import { pageOf, reportOf } from "./report.ts";

const write = (key: string, end: number) => ({
  key,
  client: "client",
  start: end - 5,
  end,
  ok: true,
  member: "db1" as const,
});

const evidence: Evidence = {
  guarded: false,
  faults: [{ kind: "kill-daemon", target: "db1", at: 3_000, lasts: 2_000, struckAt: 13_000, healedAt: 15_000 }],
  writes: [write("w0:1", 12_000), write("w0:2", 12_500), write("w0:3", 16_000), write("w0:4", 40_000)],
  probes: [{ at: 11_000, macs: ["a"] }],
  addresses: [{ at: 12_900, host: "db2", kind: "added" }],
  remarks: [],
  span: { from: 10_000, to: 40_000 },
  ending: {
    notWhole: null,
    writer: "db1",
    holders: ["db1"],
    keys: { db1: new Set(["w0:1", "w0:4"]), db2: new Set() },
    setAside: new Set(["w0:3"]),
    left: [],
  },
};

const report = reportOf({ database: "redis", daemon: "keepalived", seed: 9, minutes: 0.5, store: "none" }, evidence);

test("a report counts from the beginning of the run and names the command that repeats it", () => {
  expect(report.command).toBe("script/nemesis redis --minutes 0.5 --seed 9 --daemon keepalived");
  expect(report.faults).toEqual([
    { kind: "kill-daemon", target: "db1", at: 3, lasted: 2, interruptedMs: 24_000, recoveredMs: 1_000 },
  ]);
  expect(report.writes).toEqual({ attempted: 4, acknowledged: 4, inCopyOnly: 1, gone: 1 });
  expect(report.recovery).toEqual({ medianMs: 1_000, maxMs: 1_000 });
  expect(report.violations.map(({ kind, from }) => [kind, from])).toEqual([["gone", 2.5]]);
});

test("a page tells each violation with what happened around it", () => {
  const page = pageOf(report);
  expect(page).toContain("**1 violation.**");
  expect(page).toContain("## 1. gone: 1 writes that db1 had acknowledged are on no server and in no copy (w0:2)");
  expect(page).toContain("    3.000 s  FAULT both processes of the daemon on db1 get kill -9");
  expect(page).toContain("    2.900 s  db2: the address is added");
  expect(page).toContain("| kill-daemon | 1 | 24000 ms | 1000 ms |");
  expect(page).not.toContain("40000");
});

test("a pair with a quorum store is named as one, with the words that repeat the run", () => {
  const { command, ...guarded } = reportOf(
    { database: "redis", daemon: "holdfast", seed: 9, minutes: 2, store: "etcd" },
    { ...evidence, guarded: true },
  );
  expect(command).toBe("script/nemesis redis --minutes 2 --seed 9 --store etcd");
  expect(pageOf({ command, ...guarded })).toContain("# Nemesis: redis under Holdfast with an etcd, seed 9");
});

test("a page without violations says so and stays short", () => {
  const whole = { ...evidence.ending, keys: { db1: new Set(["w0:1", "w0:2", "w0:4"]), db2: new Set<string>() } };
  const good = reportOf({ ...report, daemon: "holdfast" }, { ...evidence, ending: whole });
  expect(good.violations).toEqual([]);
  expect(pageOf(good)).toContain("**No violation.**");
  expect(pageOf(good).split("\n").length).toBeLessThan(25);
});
