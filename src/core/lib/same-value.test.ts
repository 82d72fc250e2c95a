import { expect, test } from "vitest";
import { sameValue } from "./same-value.ts";

test("plain data is compared by its contents, to any depth", () => {
  const fault = { kind: "script", tries: [1, { key: "a" }] };
  expect(sameValue(fault, structuredClone(fault))).toBe(true);
  expect(sameValue(fault, { kind: "script", tries: [1, { key: "b" }] })).toBe(false);
  expect(sameValue([], [null])).toBe(false);
  expect(sameValue(null, null)).toBe(true);
});
