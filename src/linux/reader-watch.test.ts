import { closeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createArena } from "./arena.ts";
import { openOutputPipe } from "./pipes.ts";
import { watchReader } from "./reader-watch.ts";
import { createSocketPair } from "./testing/socket-pair.ts";

const arena = createArena(2 ** 21);

/** The test's own time limit ends a wait that never ends. */
async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await pause(20);
}

test("a pipe whose reader has left is noticed without writing, and not before", async () => {
  const opened = openOutputPipe(arena, null, 100);
  if (!opened.ok) throw new Error(opened.error);
  const pipe = opened.value;
  const left = watchReader(pipe.writeEnd);
  await pause(600);
  expect(left.aborted).toBe(false);
  pipe.tail.destroy();
  await aborted(left);
  pipe.closeWriteEnd();
});

test("so is a socket whose other end is closed", async () => {
  const pair = createSocketPair(arena);
  const left = watchReader(pair.near);
  await pause(600);
  expect(left.aborted).toBe(false);
  pair.closeFar();
  await aborted(left);
  closeSync(pair.near);
});
