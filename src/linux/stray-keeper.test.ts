import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endStrayKeeper, forgetKeeper, noteKeeper } from "./stray-keeper.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stray-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a frozen keeper of an earlier daemon is ended, and only once", async () => {
  const keeper = spawn("sleep", ["60"]);
  const ended = new Promise((resolve) => keeper.on("exit", (_code, signal) => resolve(signal)));
  const pidFile = join(folder, "daemon.pid");
  noteKeeper(pidFile, keeper.pid ?? 0);
  keeper.kill("SIGSTOP");
  expect(await endStrayKeeper(pidFile)).toBe(keeper.pid);
  expect(await ended).toBe("SIGKILL");
  expect(await endStrayKeeper(pidFile)).toBe(null);
});

test("a process that merely has the noted number is left alone", async () => {
  const stranger = spawn("sleep", ["60"]);
  const pidFile = join(folder, "daemon.pid");
  writeFileSync(`${pidFile}.keeper`, `${stranger.pid} 1\n`);
  expect(await endStrayKeeper(pidFile)).toBe(null);
  expect(stranger.exitCode).toBe(null);
  expect(stranger.signalCode).toBe(null);
  stranger.kill("SIGKILL");
});

test("an ordered stop leaves no note behind, and a missing or damaged one means nothing", async () => {
  const pidFile = join(folder, "daemon.pid");
  noteKeeper(pidFile, process.pid);
  forgetKeeper(pidFile);
  expect(await endStrayKeeper(pidFile)).toBe(null);
  writeFileSync(`${pidFile}.keeper`, "-1 x\n");
  expect(await endStrayKeeper(pidFile)).toBe(null);
});
