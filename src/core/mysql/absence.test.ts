import { expect, test } from "vitest";
import { instant } from "../lib/units.ts";
import { type Absence, absenceText, afterLook, isUnbroken, type Moment, parseAbsence } from "./absence.ts";

const PEERS = ["192.0.2.2:3306"];
const moment = (seconds: number, wall = seconds): Moment => ({ at: instant(seconds * 1e6), wallMillis: wall * 1e3 });
const looked = (before: Absence | null, now: Moment, given: { absent?: boolean; writer?: boolean } = {}) =>
  afterLook(before, { peers: PEERS, absent: true, writer: false, ...given, now });

test("a proof begins with the writer, and goes on from look to look", () => {
  expect(looked(null, moment(1))).toBeNull();
  const begun = looked(null, moment(1), { writer: true });
  const later = looked(begun, moment(3.9));
  expect(isUnbroken(later, PEERS, moment(6.8))).toBe(true);
  expect(isUnbroken(later, PEERS, moment(6.9))).toBe(false);
});

test("whatever breaks it: a peer that listens or is silent, a gap on either clock, a clock that goes back, other peers", () => {
  const begun = looked(null, moment(10), { writer: true });
  expect(looked(begun, moment(11), { absent: false, writer: true })).toBeNull();
  expect(looked(begun, moment(13))).toBeNull();
  // Suspended: only the wall clock shows it. Booted: the monotonic one begins anew.
  expect(looked(begun, moment(11, 14))).toBeNull();
  expect(looked(begun, moment(2, 12))).toBeNull();
  expect(looked(begun, moment(11, 9))).toBeNull();
  expect(afterLook(begun, { peers: ["192.0.2.3:3306"], absent: true, writer: false, now: moment(11) })).toBeNull();
  expect(afterLook(null, { peers: [], absent: true, writer: true, now: moment(11) })).toBeNull();
});

test("what is noted is read again, and nothing else is taken for it", () => {
  const begun = looked(null, moment(10), { writer: true });
  expect(parseAbsence(begun === null ? null : absenceText(begun))).toEqual(begun);
  for (const text of [
    null,
    "",
    "{",
    "[]",
    "null",
    '{"peers":["a"]}',
    '{"peers":[1],"lookedAt":{"at":1,"wallMillis":1}}',
  ]) {
    expect(parseAbsence(text)).toBeNull();
  }
});
