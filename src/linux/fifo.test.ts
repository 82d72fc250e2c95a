import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Fifo } from "../ports/fifo.ts";
import { createArena } from "./arena.ts";
import { createFifoPort } from "./fifo.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-fifo-"));
afterAll(() => rmSync(folder, { recursive: true }));
const port = createFifoPort(createArena(64 * 1024));
const order = (name: string) => ({ path: join(folder, name), user: null, group: null });

function opened(name: string): Fifo {
  const fifo = port.open(order(name));
  if (!fifo.ok) throw new Error(fifo.error);
  return fifo.value;
}

test("the pipe is made with mode 0600, taken without a reader, and removed at the end", () => {
  const fifo = opened("new");
  const status = statSync(join(folder, "new"));
  expect(status.isFIFO()).toBe(true);
  expect(status.mode & 0o777).toBe(0o600);
  expect(fifo.write("one\n")).toBe("written");
  expect(fifo.unread()).toBe(4);
  const reader = openSync(join(folder, "new"), constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(100);
  expect(buffer.subarray(0, readSync(reader, buffer)).toString()).toBe("one\n");
  expect(fifo.unread()).toBe(0);
  fifo.close();
  closeSync(reader);
  expect(() => statSync(join(folder, "new"))).toThrow("ENOENT");
});

test("a full pipe takes nothing, and never half a line", () => {
  const fifo = opened("full");
  const line = `${"x".repeat(99)}\n`;
  let lines = 0;
  while (fifo.write(line) === "written") lines += 1;
  expect(fifo.write(line)).toBe("full");
  expect(fifo.unread()).toBe(lines * line.length);
  fifo.close();
});

test("a plain file is appended to and stays", () => {
  writeFileSync(join(folder, "plain"), "before\n");
  const fifo = opened("plain");
  expect(fifo.write("after\n")).toBe("written");
  fifo.close();
  expect(readFileSync(join(folder, "plain"), "utf8")).toBe("before\nafter\n");
});

test("what cannot be used is refused with the reason", () => {
  symlinkSync("plain", join(folder, "link"));
  expect(port.open(order("link"))).toEqual({ ok: false, error: expect.stringContaining("symbolic link") });
  expect(port.open(order("none/fifo"))).toEqual({
    ok: false,
    error: expect.stringContaining("its folder does not exist"),
  });
  const stranger = port.open({ ...order("owned"), user: "no-such-user-here" });
  expect(stranger).toEqual({ ok: false, error: "user no-such-user-here does not exist; create it" });
  expect(() => statSync(join(folder, "owned"))).toThrow("ENOENT");
});
