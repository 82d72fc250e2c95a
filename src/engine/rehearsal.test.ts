import { expect, test } from "vitest";
import { instant } from "../core/lib/units.ts";
import { createRehearsal } from "./rehearsal.ts";

const MILLISECOND = 1_000;

test("a claim far away is woken up for three milliseconds early, rehearsed, and then waited for", () => {
  const rehearsal = createRehearsal(() => true);
  const deadline = instant(1_000 * MILLISECOND);
  const early = instant(997 * MILLISECOND);
  expect(rehearsal.before(deadline, instant(0))).toBe(early);
  expect(rehearsal.before(deadline, early)).toBe(deadline);
  // Woken for another reason: it is not rehearsed again, and not woken up for early.
  expect(rehearsal.before(deadline, instant(998 * MILLISECOND))).toBe(deadline);
});

test("what was rehearsed just now is not rehearsed for the next instance", () => {
  const rehearsal = createRehearsal(() => true);
  rehearsal.before(instant(1_000 * MILLISECOND), instant(999 * MILLISECOND));
  const next = instant(1_010 * MILLISECOND);
  expect(rehearsal.before(next, instant(1_001 * MILLISECOND))).toBe(next);
  const later = instant(2_000 * MILLISECOND);
  expect(rehearsal.before(later, instant(1_001 * MILLISECOND))).toBe(instant(1_997 * MILLISECOND));
});

test("the deadlines of a MASTER, and those that have passed, are left alone", () => {
  expect(createRehearsal(() => false).before(instant(50), instant(0))).toBe(50);
  expect(createRehearsal(() => true).before(instant(50), instant(60))).toBe(50);
  expect(createRehearsal(() => true).before(null, instant(60))).toBeNull();
});
