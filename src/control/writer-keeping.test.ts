import { expect, test } from "vitest";
import type { HoldfastEvent, HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { WriterRecord } from "../core/peer-link/questions.ts";
import { keepWriters } from "./writer-keeping.ts";

type Step = Extract<HoldfastEventBody, { kind: "mysql-step" }>;

function scene(peers: readonly WriterRecord[] = [], works = true) {
  const kept: WriterRecord[] = [];
  const listeners: ((event: HoldfastEvent) => void)[] = [];
  const settled = keepWriters({
    events: { subscribe: (listener) => listeners.push(listener) },
    writers: {
      last: (group) => kept.findLast((one) => one.group === group) ?? null,
      all: () => kept,
      append: async (record) => {
        if (works) kept.push({ ...record, time: 0 });
        return works;
      },
      problem: null,
    },
    peers: () => peers,
  });
  const step = (what: Step["what"], words: string, outcome: Step["outcome"]): void =>
    listeners[0]?.({
      body: { kind: "mysql-step", name: "orders", instance: "VI_1", what, step: words, outcome, detail: "" },
    } as HoldfastEvent);
  return { kept, settled, step };
}

const OPEN = "open the own server for writes";
const CLOSE = "close the own server for writes";

test("each opening takes the next epoch before it is carried out, each closing ends it once", async () => {
  const { kept, settled, step } = scene();
  step("takeover", OPEN, "begun");
  expect(await settled()).toBe(true);
  step("takeover", OPEN, "done");
  step("release", CLOSE, "done");
  step("guard", CLOSE, "done");
  step("release", CLOSE, "done");
  step("takeover", OPEN, "begun");
  expect(kept.map(({ epoch, role }) => `${epoch} ${role}`)).toEqual(["1 writer", "1 released", "2 writer"]);
});

test("the epoch is beyond those of the peers, of this group", () => {
  const record = { role: "writer", time: 0, detail: "" } as const;
  const { kept, step } = scene([
    { ...record, group: "orders", epoch: 7 },
    { ...record, group: "other", epoch: 99 },
  ]);
  step("takeover", OPEN, "begun");
  expect(kept.map(({ epoch }) => epoch)).toEqual([8]);
});

test("closing the own server at the start of a takeover, or failing to close it, ends nothing", () => {
  const { kept, step } = scene();
  step("takeover", OPEN, "begun");
  step("takeover", CLOSE, "done");
  step("release", CLOSE, "failed");
  expect(kept).toHaveLength(1);
});

test("a record that cannot be written is told to whoever waits before opening", async () => {
  const { settled, step } = scene([], false);
  step("takeover", OPEN, "begun");
  expect(await settled()).toBe(false);
});
