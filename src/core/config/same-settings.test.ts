import fc from "fast-check";
import { expect, test } from "vitest";
import { sameSettings } from "./same-settings.ts";

const names = fc.constantFrom("name", "weight", "list", "span");
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, "", "a", 0, 1),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(names, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** As text, without places, fields in one order. */
function text(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner !== "object" || inner === null || Array.isArray(inner)
      ? inner
      : Object.fromEntries(
          Object.entries(inner)
            .filter(([key]) => key !== "span")
            .sort(byName),
        ),
  );
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;

test("settings are the same when their text without places is", () => {
  fc.assert(
    fc.property(tree, tree, (one, other) => {
      expect(sameSettings(one, structuredClone(one))).toBe(true);
      expect(sameSettings(one, other)).toBe(text(one) === text(other));
    }),
    { numRuns: 2_000 },
  );
});

test("a place counts nowhere, a field that is undefined is none, and everything else counts", () => {
  const server = { name: "A", weight: 1, span: { line: 7 }, checkers: [{ kind: "tcp", span: { line: 8 } }] };
  const moved = { ...server, span: { line: 9 }, checkers: [{ kind: "tcp", span: null }] };
  expect(sameSettings(server, moved)).toBe(true);
  expect(sameSettings(server, { ...moved, weight: 2 })).toBe(false);
  expect(sameSettings(server, { ...moved, checkers: [] })).toBe(false);
  expect(sameSettings(server, { ...moved, checkers: [{ kind: "ping", span: null }] })).toBe(false);
  expect(sameSettings({ ...server, note: undefined }, server)).toBe(true);
  expect(sameSettings(server, { ...server, note: undefined })).toBe(true);
  expect(sameSettings(server, { ...server, note: null })).toBe(false);
  expect(sameSettings([], {})).toBe(false);
  expect(sameSettings([1], [1, undefined])).toBe(false);
  expect(sameSettings(null, {})).toBe(false);
  expect(sameSettings(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
});
