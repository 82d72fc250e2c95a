import { expect, it } from "vitest";
import { type Box, pathBetween } from "./arrow-paths.ts";

const box = (left: number, top: number): Box => ({ left, top, right: left + 100, bottom: top + 80 });

it("goes from side to side when the boxes stand beside each other, each arrow in a lane of its own", () => {
  const [one, other] = [box(0, 0), box(300, 0)];
  const there = pathBetween(one, other, 0);
  const back = pathBetween(other, one, 1);
  expect([there.from[0], there.to[0], back.from[0], back.to[0]]).toEqual([100, 300, 300, 100]);
  expect(there.from[1]).toBe(there.to[1]);
  expect(Math.abs(there.from[1] - back.from[1])).toBeGreaterThanOrEqual(20);
});

it("goes down when they stand one above the other, as on a phone", () => {
  const path = pathBetween(box(0, 0), box(0, 200), 0);
  expect([path.from[1], path.to[1]]).toEqual([80, 200]);
  // Labels of two arrows stand on both sides of them, not in each other.
  const back = pathBetween(box(0, 200), box(0, 0), 1);
  expect([path.anchor, back.anchor]).toEqual(["start", "end"]);
  expect(back.label[0]).toBeLessThan(back.from[0]);
  expect(path.label[0]).toBeGreaterThan(path.from[0]);
});
