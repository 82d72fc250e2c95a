import {
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rewriteFile } from "./rewrite-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rewrite-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test("mode and symbolic link stay, and nothing is left beside it", () => {
  const path = file("a.conf", "old");
  chmodSync(path, 0o640);
  symlinkSync("a.conf", join(folder, "link.conf"));
  expect(rewriteFile(join(folder, "link.conf"), "old", "new").ok).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o7777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(["a.conf", "link.conf"]);
});

test.runIf(process.getuid?.() === 0)("needs root: the owner stays", async () => {
  const { chownSync } = await import("node:fs");
  const path = file("a.conf", "old");
  chownSync(path, 1234, 2345);
  expect(rewriteFile(path, "old", "new").ok).toBe(true);
  expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
});

test.each([
  ["has changed since it was read", (path: string) => writeFileSync(path, "other")],
  ["is not UTF-8", (path: string) => writeFileSync(path, Buffer.from([0x6f, 0xff]))],
  ["has several names", (path: string) => linkSync(path, `${path}.2`)],
  ["cannot be written", (path: string) => rmSync(path)],
])("a file that %s stays as it is", (why, spoil) => {
  const path = file("a.conf", "old");
  spoil(path);
  const left = readdirSync(folder);
  const result = rewriteFile(path, why === "is not UTF-8" ? "o\uFFFD" : "old", "new");
  expect(result.ok ? "written" : result.error).toContain(why);
  expect(readdirSync(folder)).toEqual(left);
});
