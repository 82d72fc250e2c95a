// The records of who was the writer survive what crashes and disks do to a file.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { WriterRecord } from "../core/peer-link/questions.ts";
import { encodeRecord, openWriterJournal, WRITERS_FILE } from "./writer-journal.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-writers-"));
});
afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true });
});

const path = (): string => join(directory, WRITERS_FILE);
const openAgain = () => openWriterJournal(directory, () => 5);
const record = (epoch: number, group = "orders"): Omit<WriterRecord, "time"> => ({
  group,
  epoch,
  role: "writer",
  detail: "opened",
});

test("what was appended is there after the next start, the last of each group", async () => {
  const journal = openAgain();
  expect(journal.last("orders")).toBeNull();
  for (const one of [record(1), record(1, "other"), { ...record(2), role: "released" as const }]) {
    expect(await journal.append(one)).toBe(true);
  }
  const again = openAgain();
  expect(again.problem).toBeNull();
  expect(again.last("orders")).toEqual({ ...record(2), role: "released", time: 5 });
  expect(again.all()).toHaveLength(2);
});

test("a write cut off at any byte leaves the records before it, and the next one is whole", async () => {
  const first = encodeRecord({ ...record(1), time: 5 });
  const second = encodeRecord({ ...record(2), time: 5 });
  for (let length = 1; length < second.length; length++) {
    writeFileSync(path(), first + second.slice(0, length));
    const journal = openAgain();
    expect(journal.problem).toBeNull();
    expect(journal.last("orders")?.epoch).toBe(1);
    expect(await journal.append(record(3))).toBe(true);
    expect(openAgain().last("orders")?.epoch).toBe(3);
    expect(readFileSync(path(), "utf8")).toBe(first + encodeRecord({ ...record(3), time: 5 }));
  }
});

test("a record damaged later makes the file doubtful and is not cut away", async () => {
  const journal = openAgain();
  for (const epoch of [1, 2, 3]) await journal.append(record(epoch));
  const text = readFileSync(path(), "utf8");
  writeFileSync(path(), text.replace('"epoch":3', '"epoch":9'));
  const damaged = openAgain();
  expect(damaged.problem).toContain("1 records are damaged");
  expect(damaged.last("orders")?.epoch).toBe(2);
  expect(statSync(path()).size).toBe(text.length);
});

test("two appended at once are both on the disk, in order", async () => {
  const journal = openAgain();
  expect(await Promise.all([1, 2, 3].map((epoch) => journal.append(record(epoch))))).toEqual([true, true, true]);
  expect(readFileSync(path(), "utf8").match(/"epoch":\d/g)).toEqual(['"epoch":1', '"epoch":2', '"epoch":3']);
});

test("the file does not grow for ever, and keeps the last of each group", async () => {
  const old = encodeRecord({ ...record(1, "other"), time: 5 });
  writeFileSync(path(), old + encodeRecord({ ...record(1), time: 5 }).repeat(3_000));
  const journal = openAgain();
  expect(await journal.append(record(2))).toBe(true);
  expect(statSync(path()).size).toBeLessThan(1_000);
  const again = openAgain();
  expect([again.last("other")?.epoch, again.last("orders")?.epoch]).toEqual([1, 2]);
});

test("a file that is none of ours is doubtful from the start", () => {
  appendFileSync(path(), "hello\n");
  expect(openAgain().problem).toContain("damaged");
});

test("a directory that cannot be used: nothing counts, and the reason is told", async () => {
  const blocked = join(directory, "file");
  writeFileSync(blocked, "");
  const journal = openWriterJournal(join(blocked, "state"), () => 5);
  expect(journal.problem).toContain("ENOTDIR");
  expect(await journal.append(record(1))).toBe(false);
  expect(journal.last("orders")).toBeNull();
  expect(existsSync(join(blocked, "state"))).toBe(false);
});
