import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exists, readStateDir, readTail } from "./host-facts.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-facts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("of a long log only the tail is read, in whole lines", () => {
  const log = join(folder, "audit.log");
  writeFileSync(log, Array.from({ length: 1_000 }, (_, line) => `line ${line}\n`).join(""));
  expect(readTail(log, 20)).toBe("line 998\nline 999\n");
  expect(readTail(log, 1_000_000)).toMatch(/^line 0\n/);
  expect(readTail(join(folder, "none"), 20)).toBeNull();
});

test("what cannot be looked at is not there, and nothing is thrown", () => {
  writeFileSync(join(folder, "file"), "");
  // ENAMETOOLONG here, EACCES on a host: statSync() throws both, and root meets only the first.
  expect([exists(folder), exists(join(folder, "none")), exists(`/${"x".repeat(300)}`)]).toEqual([true, false, false]);
});

test("whether the directory can be written is told by root's attempt only", () => {
  expect(readStateDir(folder, true)).toMatchObject({ value: { path: folder, writable: true }, unseen: [] });
  const other = readStateDir(folder, false);
  expect(other.value).toMatchObject({ writable: null });
  expect(other.unseen).toMatchObject([{ what: `whether ${folder} can be written`, fix: "run doctor as root" }]);
  expect(readStateDir(join(folder, "none"), true)).toEqual({ value: null, unseen: [] });
});
