import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, millis, seconds, toSeconds } from "../lib/units.ts";
import { configWith } from "./example-config.ts";
import { advertGrid, alignedDeadline, masterDownInterval, shortestPeerMasterDown, skewTime } from "./timers.ts";

const v2 = configWith({ version: 2 });
const v3 = configWith({ version: 3 });

describe("Skew_Time", () => {
  it("RFC 3768 section 6.1: (256 - Priority) / 256 seconds in version 2, whatever the interval", () => {
    expect(toSeconds(skewTime(v2, 100, seconds(1)))).toBe(0.609375);
    expect(toSeconds(skewTime(v2, 100, seconds(5)))).toBe(0.609375);
    expect(toSeconds(skewTime(v2, 255, seconds(1)))).toBe(0.00390625);
    expect(toSeconds(skewTime(v2, 1, seconds(1)))).toBe(0.99609375);
  });

  it("RFC 9568 section 6.1: ((256 - Priority) * Active_Adver_Interval) / 256 in version 3", () => {
    expect(toSeconds(skewTime(v3, 100, seconds(1)))).toBe(0.609375);
    expect(toSeconds(skewTime(v3, 100, millis(100)))).toBeCloseTo(0.0609375, 12);
    expect(toSeconds(skewTime(v3, 200, seconds(5)))).toBe(1.09375);
  });
});

describe("Master_Down_Interval", () => {
  it("RFC 3768 section 6.1: three advert intervals and Skew_Time", () => {
    expect(toSeconds(masterDownInterval(v2, 100, seconds(1)))).toBe(3.609375);
    expect(toSeconds(masterDownInterval(v2, 200, seconds(1)))).toBe(3.21875);
    expect(toSeconds(masterDownInterval(v2, 100, seconds(5)))).toBe(15.609375);
  });

  it("counts down_timer_adverts instead of three", () => {
    const config = configWith({ version: 3, downTimerAdverts: 7 });
    expect(toSeconds(masterDownInterval(config, 128, millis(100)))).toBeCloseTo(0.75, 12);
  });

  it("is the shorter the higher the priority: the order in which backups claim", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 254 }), fc.constantFrom(v2, v3), (priority, config) => {
        const lower = masterDownInterval(config, priority, seconds(1));
        expect(masterDownInterval(config, priority + 1, seconds(1))).toBeLessThan(lower);
      }),
    );
  });

  it("no peer with our settings takes over sooner than priority 255 would", () => {
    expect(toSeconds(shortestPeerMasterDown(v2))).toBe(3.00390625);
  });
});

describe("the grid of advert phases", () => {
  it("is a sixteenth of the interval, not finer than a millisecond", () => {
    expect(advertGrid(seconds(1))).toBe(62_500);
    expect(advertGrid(millis(10))).toBe(1_000);
  });

  it("never delays an advert, and brings it forward by less than one step", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 4_095 }), (start, centiseconds) => {
        const now = start as Instant;
        const interval = millis(centiseconds * 10);
        const grid = advertGrid(interval);
        const due = alignedDeadline(now, interval, grid);
        expect(due).toBeLessThanOrEqual(now + interval);
        expect(due).toBeGreaterThan(now + interval - grid);
        expect(due).toBeGreaterThan(now);
      }),
    );
  });

  it("makes instances that started at different times meet in at most sixteen phases", () => {
    const phases = new Set<number>();
    for (let start = 0; start < 1_000; start++) {
      phases.add(alignedDeadline((start * 1_237) as Instant, seconds(1), advertGrid(seconds(1))) % 1_000_000);
    }
    expect(phases.size).toBeLessThanOrEqual(16);
  });
});
