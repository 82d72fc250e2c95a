import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFenceMarks } from "./fence-marks.ts";

test("a mark outlives the daemon, whatever the block is called, and is taken away", async () => {
  const root = mkdtempSync(join(tmpdir(), "fence-"));
  try {
    const directory = join(root, "state");
    expect(createFenceMarks(directory).list().size).toBe(0);
    const marks = createFenceMarks(directory);
    expect(await marks.write("a/b ../c", "2026-01-02")).toEqual({ ok: true, value: undefined });
    const [file] = readdirSync(directory);
    expect(statSync(join(directory, file ?? "")).mode & 0o777).toBe(0o600);
    expect([...createFenceMarks(directory).list()]).toEqual([["a/b ../c", "2026-01-02"]]);
    await marks.remove("a/b ../c");
    expect(createFenceMarks(directory).list().size).toBe(0);
    writeFileSync(join(root, "file"), "");
    expect(await createFenceMarks(join(root, "file", "state")).write("a", "b")).toMatchObject({
      ok: false,
      error: expect.stringContaining("cannot be written (ENOTDIR)"),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
