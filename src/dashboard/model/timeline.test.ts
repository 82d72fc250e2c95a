import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventEntry, InstanceView } from "../../control/contract/types.ts";
import { LEAST_SPAN, lanesOf, MOST_SPAN, move, spanNow, spanOf, ticks, zoom } from "./timeline.ts";

const NOW = 1_800_000_000_000;
const instance = { name: "VI_1", state: "MASTER", since: NOW - 500, cause: { code: "start" } } as InstanceView;
const event = (sequence: number, time: number, body: object): EventEntry =>
  ({ sequence, at: time, time, origin: "vrrp", body }) as EventEntry;
const change = (from: string, to: string, name = "VI_1") => ({
  kind: "vrrp",
  instance: name,
  report: { kind: "state", from, to, cause: { code: "ready" }, priority: 100 },
});

describe("lanes", () => {
  it("are what was between the changes, with what was before the first", () => {
    const events = [
      event(1, 100, { kind: "link", interface: "eth0", state: "up" }),
      event(2, 200, change("BACKUP", "MASTER")),
      event(3, 250, change("BACKUP", "FAULT", "VI_2")),
      event(4, 300, change("MASTER", "FAULT")),
    ];
    const [lane] = lanesOf(events, [instance], NOW);
    expect(lane?.segments.map(({ start, end, state }) => [start, end, state])).toEqual([
      [100, 200, "BACKUP"],
      [200, 300, "MASTER"],
      [300, null, "FAULT"],
    ]);
    expect(lane?.segments[0]?.cause).toBeNull();
  });

  it("have a gap while the daemon was not there", () => {
    const events = [event(1, 100, change("INIT", "MASTER")), event(2, 200, { kind: "stopped" })];
    const more = [...events, event(3, 900, change("INIT", "BACKUP"))];
    expect(lanesOf(more, [instance], NOW)[0]?.segments.map(({ state }) => state)).toEqual(["MASTER", null, "BACKUP"]);
  });

  it("begin with the present state when no change is known", () => {
    expect(lanesOf([], [instance], NOW)[0]?.segments).toMatchObject([{ start: NOW - 500, end: null, state: "MASTER" }]);
  });
});

describe("the window", () => {
  it("stays at now while it follows, and keeps its length", () => {
    expect(spanNow(spanOf(60_000, NOW), NOW + 5_000)).toEqual({ start: NOW - 55_000, end: NOW + 5_000, follow: true });
  });

  it("moves to the past and stands still, and follows again when it comes back to now", () => {
    const past = move(spanOf(60_000, NOW), -1, NOW);
    expect(past).toEqual({ start: NOW - 120_000, end: NOW - 60_000, follow: false });
    expect(spanNow(past, NOW + 5_000)).toEqual(past);
    expect(move(past, 3, NOW)).toEqual(spanOf(60_000, NOW));
  });

  it("zooms around a place, within its bounds, and never beyond now", () => {
    const past = move(spanOf(60_000, NOW), -1, NOW);
    expect(zoom(past, 0.5, 0.5, NOW)).toEqual({ start: NOW - 105_000, end: NOW - 75_000, follow: false });
    const steps = fc.array(fc.tuple(fc.constantFrom(0.1, 0.5, 2, 10), fc.double({ min: 0, max: 1, noNaN: true })));
    fc.assert(
      fc.property(steps, (all) => {
        let span = past;
        for (const [factor, around] of all) {
          span = zoom(move(span, around - 0.5, NOW), factor, around, NOW);
          expect(span.end).toBeLessThanOrEqual(NOW + 1);
          expect(span.end - span.start).toBeGreaterThanOrEqual(LEAST_SPAN - 1);
          expect(span.end - span.start).toBeLessThanOrEqual(MOST_SPAN + 1);
        }
      }),
    );
  });

  it("has few ticks, in order and inside", () => {
    fc.assert(
      fc.property(fc.integer({ min: LEAST_SPAN, max: MOST_SPAN }), fc.integer({ min: 2, max: 12 }), (length, most) => {
        const span = spanOf(length, NOW);
        const found = ticks(span, most);
        expect(found.length).toBeLessThanOrEqual(most + 1);
        expect(found.every((at) => at >= span.start && at <= span.end)).toBe(true);
      }),
    );
  });
});
