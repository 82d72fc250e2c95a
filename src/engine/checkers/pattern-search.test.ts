import { expect, it } from "vitest";
import { searchPattern } from "./pattern-search.ts";

it("finds a pattern where the expression itself would", () => {
  const look = (pattern: string, text: string, from = 0) => searchPattern({ pattern, flags: "g", from }, text);
  expect(look("b+", "aabb")).toBe(2);
  expect(look("a", "aabb", 1)).toBe(1);
  expect(look("a", "aabb", 2)).toBe(-1);
  expect(searchPattern({ pattern: "^B", flags: "img", from: 0 }, "a\nb")).toBe(2);
});

it.each([
  ["foo.*bar", "foo".repeat(1_300_000)],
  ["(a+)+$", `${"a".repeat(60)}b`],
  ["(?=(a+)+$)x", `${"a".repeat(60)}b`],
])("gives up %s over a page that was made for it, and works on afterwards", (pattern, text) => {
  expect(searchPattern({ pattern, flags: "g", from: 0 }, text)).toBeNull();
  expect(searchPattern({ pattern: "b", flags: "g", from: 0 }, "ab")).toBe(1);
});
