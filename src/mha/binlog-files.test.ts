import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HEADER_LENGTH, MAGIC } from "../core/mha/binlog.ts";
import { cutLogs } from "./binlog-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "binlog-files-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it("an event at the end that claims to be gigabytes long is half an event, and no memory is asked for it", () => {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt8(2, 4);
  header.writeUInt32LE(0xffff_fff0, 9);
  const [path, output] = [join(folder, "bin.000001"), join(folder, "out")];
  writeFileSync(path, Buffer.concat([Buffer.from(MAGIC), header, Buffer.alloc(100)]));
  const asked = vi.spyOn(Buffer, "alloc");
  const cut = cutLogs([{ path, name: "bin.000001" }], { from: { file: "bin.000001", offset: 4 }, output });
  expect(cut.transactions).toBe(0);
  expect(statSync(output).size).toBe(MAGIC.length);
  expect(Math.max(...asked.mock.calls.map(([size]) => size))).toBeLessThan(16 * 1024 * 1024);
});
