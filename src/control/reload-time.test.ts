import { expect, test } from "vitest";
import { parseReloadTime } from "./reload-time.ts";

const NOON = Date.UTC(2026, 10, 25, 12, 0, 0);
const local = (...parts: [number, number, number, number, number, number]) => +new Date(...parts);

test.each([
  ["13:00:00Z", Date.UTC(2026, 10, 25, 13), false],
  ["11:59:59Z", Date.UTC(2026, 10, 26, 11, 59, 59), false],
  ["12:00:00Z", Date.UTC(2026, 10, 26, 12), false],
  ["26-11-25 12:00:01Z", NOON + 1_000, true],
  ["2027-02-28 00:00:00Z", Date.UTC(2027, 1, 28), true],
  ["2026-12-24 18:30:00", local(2026, 11, 24, 18, 30, 0), true],
])("%s", (line, at, dated) => {
  expect(parseReloadTime(line, NOON)).toEqual({ ok: true, value: { at, dated } });
});

test.each([
  ["2026-11-25 11:59:59Z", "has passed"],
  ["2027-02-29 00:00:00Z", "does not exist"],
  ["2027-13-01 00:00:00Z", "does not exist"],
  ["25:00:00Z", "does not exist"],
  ["12:60:00Z", "does not exist"],
  [" 13:00:00", "is not HH:MM:SS"],
  ["13:00", "is not HH:MM:SS"],
  ["2026-11-25  13:00:00", "is not HH:MM:SS"],
  ["tomorrow", "is not HH:MM:SS"],
  ["", "is not HH:MM:SS"],
])("%j is refused", (line, why) => {
  const parsed = parseReloadTime(line, NOON);
  expect(parsed.ok ? "" : parsed.error).toContain(why);
});
