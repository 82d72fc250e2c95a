import { expect, test } from "vitest";
import { instant } from "../core/lib/units.ts";
import { catchUp } from "./keeper-loop.ts";

function run(options: { readonly overslept: boolean; readonly batches: number }): number {
  let looks = 0;
  catchUp(
    { overslept: () => options.overslept },
    { takeBacklog: () => looks < options.batches },
    { now: () => instant(0), look: () => void looks++ },
  );
  return looks;
}

test("a process that was stopped reads all it slept through before a deadline counts", () => {
  expect(run({ overslept: true, batches: 5 })).toBe(5);
});

test("a process that ran looks once a wake-up, so a flood does not keep it from taking over", () => {
  expect(run({ overslept: false, batches: 1_000 })).toBe(0);
});

test("a flood does not hold a thawed process for ever", () => {
  expect(run({ overslept: true, batches: Number.POSITIVE_INFINITY })).toBe(32);
});
