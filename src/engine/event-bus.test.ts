import { expect, test } from "vitest";
import { instant } from "../core/lib/units.ts";
import { createEventBus } from "./event-bus.ts";

const body = { kind: "stopped" } as const;

function setUp() {
  const world = { micros: 1_000_000, wall: 1_700_000_000_000 };
  const times: number[] = [];
  const bus = createEventBus({
    clock: { now: () => instant(world.micros) },
    wallMillis: () => world.wall,
    onListenerError: () => undefined,
  });
  bus.subscribe((event) => times.push(event.time - 1_700_000_000_000));
  return { world, times, bus };
}

test("an event that came later is not shown as earlier because two clocks were read one after the other", () => {
  const { world, times, bus } = setUp();
  bus.publish("vrrp", body, instant(1_000_000));
  world.micros += 900;
  bus.publish("vrrp", body, instant(1_000_100));
  expect(times).toEqual([0, 0]);
});

test("a keeper's event that was heard late keeps its own time, and a clock that was put back is shown as it is", () => {
  const { world, times, bus } = setUp();
  bus.publish("parent", body);
  bus.publish("vrrp", body, instant(600_000));
  world.wall -= 60_000;
  world.micros += 1_000;
  bus.publish("parent", body);
  expect(times).toEqual([0, -400, -60_000]);
});
