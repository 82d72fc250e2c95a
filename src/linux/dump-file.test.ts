import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { writeDumpFile } from "./dump-file.ts";

// A disk that hangs would hold control up in fsync(2); nothing here may call it.
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  fsyncSync: () => expect.fail("a dump waits for the disk"),
}));

const folder = mkdtempSync(join(tmpdir(), "holdfast-dump-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a dump replaces the one before, readable by its owner alone", () => {
  const path = join(folder, "keepalived.data");
  writeFileSync(path, "a much longer text of before", { mode: 0o644 });
  expect(writeDumpFile(path, "new")).toEqual({ ok: true, value: undefined });
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["keepalived.data"]);
});

test("a link somebody has laid by the dump's name is replaced, not followed", () => {
  const path = join(folder, "keepalived.json");
  const target = join(folder, "target");
  writeFileSync(target, "precious");
  symlinkSync(target, path);
  expect(writeDumpFile(path, "{}").ok).toBe(true);
  expect(readFileSync(target, "utf8")).toBe("precious");
  expect(lstatSync(path).isSymbolicLink()).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)("a device, /dev/null for one, is left what it is", () => {
  const path = join(folder, "null");
  execFileSync("mknod", [path, "c", "1", "3"]);
  expect(writeDumpFile(path, "x").ok).toBe(true);
  expect(lstatSync(path).isCharacterDevice()).toBe(true);
  rmSync(path);
});

test("what cannot be written names the file and the remedy, and leaves nothing behind", () => {
  const missing = join(folder, "no", "such", "keepalived.data");
  const result = writeDumpFile(missing, "x");
  expect(result).toEqual({
    ok: false,
    error: `${missing} cannot be written: its folder does not exist; create it, or name another file`,
  });
  const full = writeDumpFile("/dev/full/keepalived.data", "x");
  expect(full.ok).toBe(false);
  expect(readdirSync(folder).some((name) => name.includes(".data."))).toBe(false);
});
