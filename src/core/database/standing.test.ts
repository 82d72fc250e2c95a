import fc from "fast-check";
import { expect, test } from "vitest";
import { type DatabaseHealth, isUndecided, NEVER_SEEN, recordVerdict, standingName, troubleFor } from "./standing.ts";
import { sameTrouble, type Trouble } from "./trouble.ts";
import type { Verdict } from "./verdict.ts";

const HANGS: Trouble = { kind: "timeout", phase: "query", afterMillis: 1_000 };
const GONE: Trouble = { kind: "dead", detail: "" };
const LAGS: Trouble = { kind: "lagging", channel: "", seconds: 90, limit: 30 };

const verdict = (always: Trouble | null, standby: Trouble | null = always): Verdict => ({
  always,
  standby,
  findings: [],
  certain: always?.kind === "dead",
});
const GOOD = verdict(null);
const LIMITS = { rise: 2, fall: 3 };

const after = (...verdicts: readonly Verdict[]): DatabaseHealth =>
  verdicts.reduce((health, one) => recordVerdict(LIMITS, health, one), NEVER_SEEN);
const name = (health: DatabaseHealth): string => (health.standing === null ? "unknown" : standingName(health.standing));

test("the first look decides at once", () => {
  expect(name(NEVER_SEEN)).toBe("unknown");
  expect(name(after(GOOD))).toBe("ok");
  expect(name(after(verdict(HANGS)))).toBe("failed");
  expect(name(after(verdict(null, LAGS)))).toBe("unfit");
});

test("a suspicion needs `fall` looks, proof needs one", () => {
  const bad = verdict(HANGS);
  expect(name(after(GOOD, bad, bad))).toBe("ok");
  expect(name(after(GOOD, bad, bad, bad))).toBe("failed");
  expect(name(after(GOOD, bad, bad, GOOD, bad, bad))).toBe("ok");
  expect(name(after(GOOD, verdict(GONE)))).toBe("failed");
});

test("coming back needs `rise` looks, and until then it says what was wrong last", () => {
  expect(name(after(verdict(GONE), GOOD))).toBe("failed");
  expect(after(verdict(GONE), GOOD).standing?.always).toEqual(GONE);
  expect(name(after(verdict(GONE), GOOD, GOOD))).toBe("ok");
});

test("what fails a standby only does not count for who serves", () => {
  const { standing } = after(verdict(null, LAGS));
  if (standing === null) throw new Error("unknown");
  expect(troubleFor(standing, true)).toBeNull();
  expect(troubleFor(standing, false)).toEqual(LAGS);
});

test("a look that contradicts the standing is worth another", () => {
  expect(isUndecided(after(GOOD, verdict(HANGS)), verdict(HANGS))).toBe(true);
  expect(isUndecided(after(GOOD), GOOD)).toBe(false);
  expect(isUndecided(NEVER_SEEN, GOOD)).toBe(false);
});

test("a lag that grows is the same story, another channel's is not", () => {
  expect(sameTrouble(LAGS, { ...LAGS, seconds: 91 })).toBe(true);
  expect(sameTrouble(LAGS, { ...LAGS, channel: "other" })).toBe(false);
  expect(sameTrouble(LAGS, null)).toBe(false);
  expect(sameTrouble(null, null)).toBe(true);
});

test("in any story: fewer than `fall` bad looks in a row never fail a good server, `fall` always do", () => {
  const anyVerdict = fc.constantFrom(GOOD, verdict(HANGS), verdict(GONE), verdict(null, LAGS));
  fc.assert(
    fc.property(
      fc.array(anyVerdict, { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (story, rise, fall) => {
        const health = story.reduce((state, one) => recordVerdict({ rise, fall }, state, one), NEVER_SEEN);
        const settled = (count: number, one: Verdict) =>
          Array.from({ length: count }, () => one).reduce(
            (state, each) => recordVerdict({ rise, fall }, state, each),
            health,
          );
        expect(name(settled(rise + fall, GOOD))).toBe("ok");
        expect(name(settled(fall, verdict(HANGS)))).toBe("failed");
        expect(name(settled(1, verdict(GONE)))).toBe("failed");
        const good = settled(rise + fall, GOOD);
        const nearly = Array.from({ length: fall - 1 }, () => verdict(HANGS)).reduce(
          (state, one) => recordVerdict({ rise, fall }, state, one),
          good,
        );
        expect(name(nearly)).toBe("ok");
        // What fails everybody fails a standby.
        if (health.standing?.always != null) expect(troubleFor(health.standing, false)).not.toBeNull();
      },
    ),
  );
});
