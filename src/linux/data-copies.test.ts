import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDataCopies } from "./data-copies.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-copies-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("a copy has its name when it is whole, mode 0600; what a killed daemon left half is no copy and goes with the next one", async () => {
  const path = join(directory, "dump.rdb");
  writeFileSync(path, "all keys", { mode: 0o644 });
  writeFileSync(`${path}.holdfast.part`, "all k");
  const kept = await createDataCopies(() => 0).keep(path);
  expect(kept).toEqual({ ok: true, value: `${path}.holdfast-1970-01-01T00-00-00.000Z` });
  expect(readdirSync(directory).sort()).toEqual(["dump.rdb", "dump.rdb.holdfast-1970-01-01T00-00-00.000Z"]);
  if (!kept.ok) return;
  expect(readFileSync(kept.value, "utf8")).toBe("all keys");
  expect(statSync(kept.value).mode & 0o777).toBe(0o600);
});

test("a data set that cannot be copied is said, and leaves no name that looks like a copy", async () => {
  const gone = await createDataCopies(() => 0).keep(join(directory, "dump.rdb"));
  expect(gone).toMatchObject({ ok: false, error: expect.stringContaining("ENOENT") });
  expect(readdirSync(directory)).toEqual([]);
});
