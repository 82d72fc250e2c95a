import { expect, test } from "vitest";
import { FirstWriter } from "./first-writer.ts";
import { memoryNotes } from "./testing/managed-world.ts";

test("a host that was named stays so over a restart of the daemon, until its time is over", async () => {
  const notes = memoryNotes();
  const anew = () => new FirstWriter(notes, "first-writer-orders");
  expect(await anew().named()).toBe(false);
  expect(await anew().name("2026")).toEqual({ ok: true, value: undefined });
  const later = anew();
  expect(await later.named()).toBe(true);
  later.forget();
  expect(await later.named()).toBe(false);
  expect(await anew().named()).toBe(false);
});

test("it is forgotten also by a daemon that has not asked, and not named when the disk refuses", async () => {
  const notes = memoryNotes();
  await new FirstWriter(notes, "n").name("2026");
  new FirstWriter(notes, "n").forget();
  expect(await new FirstWriter(notes, "n").named()).toBe(false);
  const full = new FirstWriter({ ...notes, write: async () => "ENOSPC" }, "n");
  expect(await full.name("2026")).toEqual({ ok: false, error: "ENOSPC" });
  expect(await full.named()).toBe(false);
});
