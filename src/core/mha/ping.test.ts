import { expect, test } from "vitest";
import { PING_START, type PingAnswer, ping, provesLife } from "./ping.ts";

function after(...answers: readonly PingAnswer["kind"][]) {
  let state = PING_START;
  const steps = answers.map((kind) => {
    const step = ping(state, kind === "alive" ? { kind, code: 1040 } : { kind }, 3_000);
    state = step.state;
    return step;
  });
  return steps.map(({ verdict, wait }) => `${verdict} ${wait}`);
}

test("silence: four looks, ping_interval apart", () => {
  expect(after("failed", "failed", "failed", "failed")).toEqual([
    "suspect 3000",
    "suspect 3000",
    "suspect 3000",
    "down 3000",
  ]);
});

test("nobody listens any more: three looks in a row, at once", () => {
  expect(after("lost", "refused", "refused", "refused")).toEqual(["suspect 0", "suspect 50", "suspect 50", "down 50"]);
});

test("an answer, and an error that only a live server gives, begin anew", () => {
  expect(after("refused", "refused", "answered", "refused").at(-1)).toBe("suspect 50");
  expect(after("failed", "failed", "failed", "alive", "failed").at(-1)).toBe("suspect 3000");
  expect([1040, 1045, 1129].every(provesLife)).toBe(true);
  expect(provesLife(2003)).toBe(false);
});

test("refusals count with other failures, but a look in between ends their own row", () => {
  expect(after("refused", "refused", "failed", "refused")).toEqual([
    "suspect 50",
    "suspect 50",
    "suspect 3000",
    "down 50",
  ]);
});
