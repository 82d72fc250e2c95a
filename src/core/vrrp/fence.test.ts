import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, millis, seconds } from "../lib/units.ts";
import { configWith } from "./example-config.ts";
import { FENCE_LATENESS, fenceCoversPeers, fenceEnd, fenceSpan } from "./fence.ts";

const settings = (interval: number, downTimerAdverts = 3, leaseSeconds: number | null = null) =>
  configWith({ advertInterval: millis(interval), downTimerAdverts, leaseSeconds });
const covered = (interval: number, downTimerAdverts = 3) => {
  const config = settings(interval, downTimerAdverts);
  return fenceCoversPeers({ ...config, fenceSpan: fenceSpan(config) });
};

describe("how long a fence is open after an advert", () => {
  it("is what the peers wait, less what the kernel's tick may be late", () => {
    expect(fenceSpan(settings(1_000))).toBe(seconds(3) - FENCE_LATENESS);
    expect(fenceSpan(settings(100))).toBe(millis(280));
    expect(fenceSpan(settings(1_000, 5))).toBe(seconds(5) - FENCE_LATENESS);
  });

  it("is no longer than the addresses live: then it is exact where the kernel's removal is a second late", () => {
    expect(fenceSpan(settings(1_000, 3, 2))).toBe(seconds(2));
    expect(fenceSpan(settings(5_000, 3, 14))).toBe(seconds(14));
    expect(fenceSpan(settings(300, 3, 1))).toBe(millis(880));
  });

  it("lasts half an interval beyond the next advert, and then may not cover the peers", () => {
    expect(fenceSpan(settings(10))).toBe(millis(15));
    expect(fenceSpan(settings(900, 3, 1))).toBe(millis(1_350));
    expect(covered(10)).toBe(false);
    expect(covered(20)).toBe(true);
    expect(covered(1_000, 1)).toBe(false);
    expect(covered(1_000, 2)).toBe(true);
  });

  it("never ends later than the peers' patience where it covers them, and always after the next advert", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_095 }), fc.integer({ min: 1, max: 10 }), (centiseconds, adverts) => {
        const config = settings(centiseconds * 10, adverts);
        const span = fenceSpan(config);
        expect(span).toBeGreaterThan(config.advertInterval);
        if (covered(centiseconds * 10, adverts)) {
          expect(span + FENCE_LATENESS).toBeLessThanOrEqual(adverts * config.advertInterval);
        }
      }),
    );
  });

  it("covers nothing without `fence strict`", () => {
    expect(fenceCoversPeers(configWith())).toBe(false);
  });
});

it("a fence ends with what the quorum store has granted, if that is sooner", () => {
  const at = instant(1_000_000);
  expect(fenceEnd(seconds(3), at, null)).toBe(4_000_000);
  expect(fenceEnd(seconds(3), at, 2_500_000 as Instant)).toBe(2_500_000);
  expect(fenceEnd(seconds(3), at, 9_000_000 as Instant)).toBe(4_000_000);
});
