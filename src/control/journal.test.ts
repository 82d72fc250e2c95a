import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventEntry } from "./contract/types.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { decodeLine, encodeLine, scanJournal } from "./journal-format.ts";
import { readJournal } from "./journal-reader.ts";

const entry = (sequence: number, detail = "x"): EventEntry => ({
  sequence,
  at: sequence * 1_000,
  time: 1_700_000_000_000 + sequence,
  origin: "parent",
  body: { kind: "reload", outcome: "applied", detail },
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function openJournal(changes: Partial<JournalOptions> = {}): Promise<Journal> {
  const opened = await Journal.open({ directory: folder, onUnwritable: () => {}, ...changes });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

const path = (): string => join(folder, "journal.jsonl");

describe("a journal line", () => {
  it("reads back as it was written, and not at all when one character differs", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: "grapheme" }), fc.nat(), (sequence, detail, position) => {
        const line = encodeLine(entry(sequence, detail)).slice(0, -1);
        expect(decodeLine(line)).toEqual(entry(sequence, detail));
        const at = position % line.length;
        const changed = line[at] === "~" ? "!" : "~";
        expect(decodeLine(line.slice(0, at) + changed + line.slice(at + 1))).toBeNull();
      }),
    );
  });

  it("reads back with the line separators of Unicode in it, which JSON does not escape", () => {
    const detail = "a\u2028b\u2029c";
    expect(decodeLine(encodeLine(entry(1, detail)).slice(0, -1))).toEqual(entry(1, detail));
  });
});

describe("the journal after a crash", () => {
  it("keeps every whole line, moves the torn rest aside byte for byte, and numbers on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string(), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.uint8Array({ maxLength: 40 }),
        async (details, cut, garbage) => {
          rmSync(folder, { recursive: true, force: true });
          const text = Buffer.from(details.map((detail, index) => encodeLine(entry(index + 1, detail))).join(""));
          const kept = text.subarray(0, cut % (text.length + 1));
          // Blocks that were never written read as anything, most often zeros.
          const found = Buffer.concat([kept, garbage]);
          const { mkdirSync } = await import("node:fs");
          mkdirSync(folder);
          writeFileSync(path(), found);
          const whole = scanJournal(found);

          const journal = await openJournal();
          expect(journal.firstSequence).toBe((whole.entries.at(-1)?.sequence ?? 0) + 1);
          journal.append(entry(journal.firstSequence, "after"));
          await journal.close();

          const { events } = await readJournal(folder, {}, 100);
          expect(events).toEqual([...whole.entries, entry(journal.firstSequence, "after")]);
          const aside = readdirSync(folder).filter((name) => name.startsWith("journal.torn-"));
          const torn = found.subarray(whole.soundBytes);
          expect(aside).toHaveLength(torn.length === 0 ? 0 : 1);
          if (torn.length > 0) {
            expect(readFileSync(join(folder, aside[0]!)).equals(torn)).toBe(true);
            expect(journal.repaired).toContain(`${torn.length} bytes`);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("skips damage in the middle and says so", async () => {
    writeFileSync(path(), `${encodeLine(entry(1))}garbage\n${encodeLine(entry(2))}`);
    const { events, problems } = await readJournal(folder, {}, 10);
    expect(events.map((one) => one.sequence)).toEqual([1, 2]);
    expect(problems).toEqual([`1 damaged lines in ${path()} were skipped`]);
  });
});

describe("a journal that grows", () => {
  it("stays within its bound, keeps the youngest files, and numbers on after a restart", async () => {
    const settings = { maxBytes: 1_000, keep: 2 };
    const journal = await openJournal(settings);
    for (let sequence = 1; sequence <= 60; sequence += 1) {
      journal.append(entry(sequence));
      expect(await journal.flush()).toBe(true);
    }
    await journal.close();
    expect(readdirSync(folder).sort()).toEqual(["journal.1.jsonl", "journal.2.jsonl", "journal.jsonl"]);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1_000);
    const { events } = await readJournal(folder, {}, 100);
    const numbers = events.map((one) => one.sequence);
    expect(numbers.at(-1)).toBe(60);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    const again = await openJournal(settings);
    expect(again.firstSequence).toBe(61);
    await again.close();
  });

  it("loses no line that is appended while another is being written", async () => {
    const journal = await openJournal({
      disk: {
        append: async (file, text) => {
          await new Promise((resolve) => setImmediate(resolve));
          await file.appendFile(text);
        },
      },
    });
    for (let sequence = 1; sequence <= 50; sequence += 1) {
      journal.append(entry(sequence));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await journal.close();
    expect((await readJournal(folder, {}, 100)).events).toHaveLength(50);
  });
});

describe("a full disk", () => {
  it("is reported once, leaves only whole lines, and nothing is lost when there is room again", async () => {
    let full = true;
    let outages = 0;
    let recoveries = 0;
    const journal = await openJournal({
      retryMillis: 5,
      onUnwritable: () => {
        outages += 1;
      },
      onWritable: () => {
        recoveries += 1;
      },
      disk: {
        append: async (file, text) => {
          if (!full) return file.appendFile(text);
          await file.appendFile(text.slice(0, 20));
          throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        },
      },
    });
    journal.append(entry(1));
    expect(await journal.flush()).toBe(false);
    journal.append(entry(2));
    expect(await journal.flush()).toBe(false);
    expect(outages).toBe(1);
    expect(readFileSync(path(), "utf8")).toBe("");
    full = false;
    expect(await journal.flush()).toBe(true);
    expect(recoveries).toBe(1);
    expect(journal.writable).toBe(true);
    await journal.close();
    expect((await readJournal(folder, {}, 10)).events.map((one) => one.sequence)).toEqual([1, 2]);
  });

  it("and a directory that cannot be made are values, not crashes", async () => {
    writeFileSync(join(folder, "file"), "");
    const opened = await Journal.open({ directory: join(folder, "file"), onUnwritable: () => {} });
    expect(opened).toMatchObject({ ok: false, error: { code: "journal-unusable" } });
  });
});
