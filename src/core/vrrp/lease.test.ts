import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, millis, seconds } from "../lib/units.ts";
import { configWith } from "./example-config.ts";
import { defaultLeaseSeconds, grantedSeconds, leaseCoversPeers, minimumLeaseSeconds, renewalDue } from "./lease.ts";

const leaseFor = (interval: number, downTimerAdverts = 3) =>
  defaultLeaseSeconds(configWith({ advertInterval: seconds(interval), downTimerAdverts }));

describe("the default lease", () => {
  it("is the largest whole second that ends, a second late, within three advert intervals", () => {
    expect(leaseFor(1)).toBe(2);
    expect(leaseFor(5)).toBe(14);
    expect(leaseFor(2)).toBe(5);
    expect(leaseFor(0.5)).toBe(1);
  });

  it("is one second where the peers are quicker than any lease, and then does not cover them", () => {
    const config = configWith({ advertInterval: millis(100) });
    expect(defaultLeaseSeconds(config)).toBe(1);
    expect(leaseCoversPeers({ ...config, leaseSeconds: 1 })).toBe(false);
  });

  it("lives until the next advert even where down_timer_adverts leaves no room for that", () => {
    expect(leaseFor(1, 1)).toBe(2);
    expect(leaseFor(1, 2)).toBe(2);
    expect(leaseFor(10, 1)).toBe(11);
  });

  it("covers the peers exactly when N + 1 s <= down_timer_adverts x advert_int", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_095 }), fc.integer({ min: 1, max: 10 }), (centiseconds, adverts) => {
        const config = configWith({ advertInterval: millis(centiseconds * 10), downTimerAdverts: adverts });
        const patience = (adverts * centiseconds) / 100;
        for (let lease = 1; lease < 450; lease++) {
          const covers = Math.round((lease + 1) * 100) <= Math.round(patience * 100);
          expect(leaseCoversPeers({ ...config, leaseSeconds: lease })).toBe(covers);
          if (covers && lease >= minimumLeaseSeconds(config)) {
            expect(defaultLeaseSeconds(config)).toBeGreaterThanOrEqual(lease);
          }
        }
      }),
      { numRuns: 50 },
    );
  }, 60_000);

  it("vip_lease off covers nothing", () => {
    expect(leaseCoversPeers(configWith({ leaseSeconds: null }))).toBe(false);
  });
});

describe("a granted lifetime", () => {
  it("is the configured one without a deadline", () => {
    expect(grantedSeconds(14, null, instant(5))).toBe(14);
  });

  it("is cut to whole seconds before an absolute deadline", () => {
    const now = instant(1_000_000);
    expect(grantedSeconds(14, instant(4_999_999), now)).toBe(3);
    expect(grantedSeconds(2, instant(9_000_000), now)).toBe(2);
  });

  it("below one second is none at all: the address goes instead of being renewed", () => {
    expect(grantedSeconds(14, instant(1_999_999), instant(1_000_000))).toBeNull();
    expect(grantedSeconds(14, instant(2_000_000), instant(1_000_000))).toBe(1);
    expect(grantedSeconds(14, instant(0), instant(1_000_000))).toBeNull();
  });
});

describe("renewals", () => {
  it("ride on the first advert that is half a second after the last one", () => {
    const lease = { renewedAt: instant(0), leaseUntil: instant(2_000_000) };
    expect(renewalDue(lease, millis(400) as number as Instant, millis(100))).toBe(false);
    expect(renewalDue(lease, millis(500) as number as Instant, millis(100))).toBe(true);
  });

  it("come sooner when the next advert would find the lease nearly over", () => {
    const lease = { renewedAt: instant(0), leaseUntil: instant(1_000_000) };
    expect(renewalDue(lease, instant(490_000), millis(490))).toBe(true);
    expect(renewalDue(lease, instant(350_000), millis(350))).toBe(false);
  });

  it("never come without a lease", () => {
    expect(renewalDue({ renewedAt: null, leaseUntil: null }, instant(9e9), seconds(1))).toBe(false);
  });

  it("at the default lease always leave time to spare, for every interval, with adverts on time", () => {
    for (let centiseconds = 1; centiseconds <= 4_095; centiseconds++) {
      const config = configWith({ version: 3, advertInterval: millis(centiseconds * 10) });
      const lease = defaultLeaseSeconds(config) * 1_000_000;
      let state = { renewedAt: instant(0), leaseUntil: instant(lease) };
      for (let advert = 1; advert <= 120; advert++) {
        const now = instant(advert * config.advertInterval);
        if (now > state.leaseUntil - 100_000) throw new Error(`only just renewed at ${centiseconds} cs`);
        if (renewalDue(state, now, config.advertInterval)) {
          state = { renewedAt: now, leaseUntil: instant(now + lease) };
        }
      }
    }
  }, 60_000);
});
