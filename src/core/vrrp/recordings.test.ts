/**
 * Replays the cases of conformance/vrrp: events in, effects out. `UPDATE_RECORDINGS=1` (or vitest -u) writes effects.jsonl anew;
 * without it a difference fails. Times that the RFC gives are calculated here once more, apart from the code under test.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { GroupRig } from "./group-rig.suite.ts";
import type { GroupReport } from "./sync-group.ts";

const CASES = join(import.meta.dirname, "../../../conformance/vrrp");
const UPDATE = process.env.UPDATE_RECORDINGS === "1" || process.argv.includes("-u");

interface EventLine {
  /** Milliseconds since the start. */
  readonly at: number;
  /** Instance it is for; "*" for each, in order. */
  readonly to: string;
  readonly event: VrrpEvent;
}

interface EffectLine {
  readonly at: number;
  /** Instance, or sync group. */
  readonly of: string;
  readonly effect?: VrrpEffect;
  readonly group?: GroupReport;
}

const lines = <T>(path: string): T[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

function configsOf(folder: string): readonly VrrpInstanceConfig[] {
  const text = readFileSync(join(folder, "keepalived.conf"), "utf8");
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf", { lint: false });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return config.instances.map(({ vrrp }) => vrrp);
}

function replay(folder: string): EffectLine[] {
  const seen: EffectLine[] = [];
  const configs = configsOf(folder);
  const now = (): number => (rig.now - rig.start) / 1_000;
  const rig: GroupRig = new GroupRig(configs, {
    effect: (of, effect) => void seen.push({ at: now(), of, effect }),
    group: (of, group) => void seen.push({ at: now(), of, group }),
  });
  for (const { at, to, event } of lines<EventLine>(join(folder, "events.jsonl"))) {
    rig.pass(at - now());
    const names = to === "*" ? configs.map(({ name }) => name) : [to];
    // "end" only lets time pass.
    if ((event as { kind: string }).kind !== "end") for (const name of names) rig.send(name, event);
  }
  return seen;
}

const cases = readdirSync(CASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("recordings", () => {
  test("there are at least 25", () => expect(cases.length).toBeGreaterThanOrEqual(25));

  test.each(cases)("%s", (name) => {
    const folder = join(CASES, name);
    const file = join(folder, "effects.jsonl");
    const got = replay(folder);
    if (UPDATE) writeFileSync(file, got.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(existsSync(file), "record it: UPDATE_RECORDINGS=1").toBe(true);
    expect(JSON.parse(JSON.stringify(got))).toEqual(lines<EffectLine>(file));
  });
});

/** RFC 3768 section 6.1 and RFC 9568 section 6.1, written anew; milliseconds. */
const skew = (version: 2 | 3, priority: number, interval: number): number =>
  ((256 - priority) * (version === 2 ? 1_000 : interval)) / 256;
const masterDown = (version: 2 | 3, priority: number, interval: number, adverts = 3): number =>
  adverts * interval + skew(version, priority, interval);

describe("the RFC's times in the recordings", () => {
  const mastersIn = (name: string): number[] =>
    lines<EffectLine>(join(CASES, name, "effects.jsonl"))
      .filter(
        ({ effect }) => effect?.kind === "report" && effect.report.kind === "state" && effect.report.to === "MASTER",
      )
      .map(({ at }) => at);

  // Each notes.md names when MASTER is due as a formula: "MASTER: masterDown(2, 100, 1000)".
  const formulas = cases.flatMap((name) => {
    const notes = readFileSync(join(CASES, name, "notes.md"), "utf8");
    const found = /^MASTER: (.*)$/m.exec(notes);
    return found?.[1] === undefined ? [] : [[name, found[1]] as const];
  });

  test("most recordings can be calculated", () => expect(formulas.length).toBeGreaterThanOrEqual(15));

  test.each(formulas)("%s: MASTER at %s", (name, formula) => {
    const due = formula === "never" ? [] : formula.split(";").map((term) => calculate(term.trim()));
    const got = mastersIn(name);
    expect(got.length).toBe(due.length);
    // The recording keeps whole microseconds.
    for (const [at, time] of due.entries()) expect(Math.abs((got[at] ?? 0) - time)).toBeLessThan(0.002);
  });
});

/** "500 + masterDown(2, 100, 1000)": sums of numbers and of the two functions. */
function calculate(text: string): number {
  return text.split(" + ").reduce((sum, term) => {
    const call = /^(skew|masterDown)\(([^)]*)\)$/.exec(term);
    if (call === null) return sum + Number(term);
    const [version = 2, priority = 0, interval = 0, adverts = 3] = (call[2] ?? "").split(",").map(Number);
    const which = version === 3 ? 3 : 2;
    return (
      sum + (call[1] === "skew" ? skew(which, priority, interval) : masterDown(which, priority, interval, adverts))
    );
  }, 0);
}
