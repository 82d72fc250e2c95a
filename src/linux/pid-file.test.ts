import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { takePidFile } from "./pid-file.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-pid-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the file holds the pid and goes with the daemon", () => {
  const path = join(folder, "a.pid");
  const taken = takePidFile(path, 4711);
  expect(readFileSync(path, "utf8")).toBe("4711\n");
  if (taken.ok) taken.value.release();
  expect(existsSync(path)).toBe(false);
});

test("a second daemon is refused by name of the file and pid of the first", () => {
  const path = join(folder, "b.pid");
  const first = takePidFile(path, 4711);
  const second = takePidFile(path, 4712);
  expect(second.ok ? "taken" : second.error).toBe(
    `a daemon is already running with ${path} (pid 4711); stop it, or give another file with -p`,
  );
  expect(readFileSync(path, "utf8")).toBe("4711\n");
  if (first.ok) first.value.release();
});

test("a file left behind is taken over, even if a living process has its number now", () => {
  const path = join(folder, "c.pid");
  writeFileSync(path, `${process.pid}\n`);
  const taken = takePidFile(path, 4713);
  expect(taken.ok).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("4713\n");
});
