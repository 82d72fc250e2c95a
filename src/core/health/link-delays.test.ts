import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, micros } from "../lib/units.ts";
import { type DelayedLink, observeLink, viewLinks } from "./link-delays.ts";

const DELAY = { down: micros(100), up: micros(50) };

/** What counts after each look: [time, state] pairs in, states out. */
function looks(...seen: readonly (readonly [number, boolean])[]): readonly boolean[] {
  let record: DelayedLink | null = null;
  return seen.map(([at, usable]) => {
    record = observeLink(record, usable, DELAY, instant(at));
    return record.counted;
  });
}

describe("interface_up_down_delays", () => {
  it("the first look counts at once", () => {
    expect(looks([0, false])).toEqual([false]);
    expect(looks([0, true])).toEqual([true]);
  });

  it("a new state counts when it has lasted, and not before", () => {
    expect(looks([0, true], [10, false], [109, false], [110, false])).toEqual([true, true, true, false]);
    expect(looks([0, false], [10, true], [59, true], [60, true])).toEqual([false, false, false, true]);
  });

  it("a state that does not last is forgotten: the next change waits anew", () => {
    expect(looks([0, true], [10, false], [90, true], [100, false], [190, false], [200, false])).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it("a delay of 0 is none", () => {
    const record = observeLink(
      { counted: true, changesAt: null },
      false,
      { down: micros(0), up: micros(0) },
      instant(5),
    );
    expect(record).toEqual({ counted: false, changesAt: null });
  });

  it("an interface that is gone is forgotten; links without delay are left as they are", () => {
    const delays = new Map([["eth0", { interface: "eth0", ...DELAY }]]);
    const first = viewLinks([{ name: "eth0", usable: true }], new Map(), { delays, now: instant(0) });
    const gone = viewLinks([{ name: "eth1", usable: false }], first.memory, { delays, now: instant(1) });
    expect([gone.links, gone.memory.size, gone.changesAt]).toEqual([[{ name: "eth1", usable: false }], 0, null]);
  });

  it("whatever a link does: what counts never changes within the delay of the last change, and follows a link that rests", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 150 }), fc.boolean()), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(steps, (changes) => {
        let now = 0;
        let record: DelayedLink = { counted: true, changesAt: null };
        for (const [pause, usable] of changes) {
          now += pause;
          const next = observeLink(record, usable, DELAY, instant(now));
          const due = record.changesAt !== null && record.changesAt <= now;
          expect(next.counted === record.counted || due).toBe(true);
          record = next;
        }
        const last = changes.at(-1)?.[1] ?? false;
        const rested = observeLink(record, last, DELAY, instant(now));
        expect(observeLink(rested, last, DELAY, instant(now + 100)).counted).toBe(last);
      }),
    );
  });
});
