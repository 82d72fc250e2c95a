import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Watch } from "../ports/watches.ts";
import { createArena } from "./arena.ts";
import { createBackgroundPoll } from "./background-poll.ts";
import { createFileWatch } from "./file-watch.ts";
import { createProcessWatch } from "./process-watch.ts";

const arena = createArena(256 * 1024);
const poll = createBackgroundPoll(arena);
const opened: Watch[] = [];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-watch-"));
});
afterEach(() => {
  for (const watch of opened.splice(0)) watch.close();
  rmSync(folder, { recursive: true, force: true });
});

const nothing = (): void => undefined;

describe("files", () => {
  const files = createFileWatch(arena, poll);
  function watch(path: string): () => (string | null)[] {
    const seen: (string | null)[] = [];
    const watched = files.watch(
      path,
      () => {
        const text = files.read(path);
        seen.push(text.ok ? text.value : text.error);
      },
      () => seen.push("lost"),
    );
    if (!watched.ok) throw new Error(watched.error);
    opened.push(watched.value);
    return () => seen;
  }

  it("tells when it was written, and never shows it empty in between", async () => {
    const path = join(folder, "f");
    const seen = watch(path);
    writeFileSync(path, "1");
    await vi.waitFor(() => expect(seen()).toEqual(["1"]));
    writeFileSync(path, "2");
    await vi.waitFor(() => expect(seen()).toEqual(["1", "2"]));
  });

  it("tells when it goes, when another is put in its place, and through a symbolic link", async () => {
    writeFileSync(join(folder, "real"), "1");
    symlinkSync(join(folder, "real"), join(folder, "f"));
    const seen = watch(join(folder, "f"));
    writeFileSync(join(folder, "new"), "2");
    renameSync(join(folder, "new"), join(folder, "real"));
    await vi.waitFor(() => expect(seen()).toEqual(["2"]));
    unlinkSync(join(folder, "real"));
    await vi.waitFor(() => expect(seen()).toEqual(["2", null]));
  });

  it("tells once when its directory is removed or moved away, and the next one can be watched", async () => {
    const directory = join(folder, "d");
    for (const leave of [
      () => rmSync(directory, { recursive: true }),
      () => renameSync(directory, join(folder, "e")),
    ]) {
      mkdirSync(directory);
      writeFileSync(join(directory, "f"), "1");
      const [one, two] = [watch(join(directory, "f")), watch(join(directory, "g"))];
      leave();
      await vi.waitFor(() => expect([one(), two()]).toEqual([["lost"], ["lost"]]));
      mkdirSync(directory);
      const again = watch(join(directory, "f"));
      writeFileSync(join(directory, "f"), "2");
      await vi.waitFor(() => expect(again()).toEqual(["2"]));
      expect([one(), two()]).toEqual([["lost"], ["lost"]]);
      rmSync(directory, { recursive: true });
    }
  });

  it("creates what is missing, and writes over only when told to", () => {
    const path = join(folder, "f");
    files.create(path, "1", false);
    files.create(path, "2", false);
    expect(files.read(path)).toEqual({ ok: true, value: "1" });
    files.create(path, "3", true);
    expect(files.read(path)).toEqual({ ok: true, value: "3" });
  });

  it("says what is wrong with a path", () => {
    expect(files.read(folder)).toMatchObject({ ok: false });
    expect(files.watch(join(folder, "no/such"), nothing, nothing)).toMatchObject({ ok: false });
    expect(files.create(join(folder, "no/such"), "1", false)).toMatchObject({ ok: false });
  });
});

describe("processes", () => {
  const processes = createProcessWatch(arena, poll);

  it("reads what a process is called and how it was started", () => {
    expect(processes.list()).toContain(process.pid);
    expect(processes.facts(process.pid)?.argv.length).toBeGreaterThan(0);
    expect(processes.facts(2 ** 22 + 1)).toBeNull();
  });

  it("hears from the kernel of a start and an end, or says why it cannot", async () => {
    const heard = { changed: new Set<number>(), ended: new Set<number>() };
    const watch = processes.watch({
      changed: (pid) => heard.changed.add(pid),
      ended: (pid) => heard.ended.add(pid),
      missed: () => undefined,
    });
    if (!watch.ok) {
      expect(watch.error).toMatch(/process connector/);
      return;
    }
    opened.push(watch.value);
    const child: ChildProcess = spawn("sleep", ["0.05"]);
    await vi.waitFor(() => expect(heard.ended).toContain(child.pid), { timeout: 5_000 });
    expect(heard.changed).toContain(child.pid);
  });
});
