import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialCheck, recordResult, standingOf } from "./check.ts";

type Settings = { readonly rise: number; readonly fall: number; readonly initFail?: boolean };

/** Standings after each result: + succeeds, - fails. */
function standings(settings: Settings, results: string): string {
  let state = initialCheck({ initFail: settings.initFail ?? false });
  let text = "";
  for (const result of results) {
    state = recordResult(settings, state, result === "+");
    text += standingOf(settings, state) === "ok" ? "o" : "f";
  }
  return text;
}

/** The rule in other words: the standing turns after so many opposite results without one that agrees. */
function byRuns(results: readonly boolean[], rise: number, fall: number): string {
  let up = results[0]!;
  let opposite = 0;
  return results
    .map((result) => {
      opposite = result === up ? 0 : opposite + 1;
      if (opposite === (up ? fall : rise)) {
        up = !up;
        opposite = 0;
      }
      return up ? "o" : "f";
    })
    .join("");
}

describe("rise and fall, as keepalived counts them", () => {
  it("before the first result nothing is known", () => {
    expect(standingOf({ rise: 1 }, initialCheck({ initFail: false }))).toBe("unknown");
  });

  it("the first result decides at once, whatever rise and fall say", () => {
    expect(standings({ rise: 5, fall: 5 }, "+")).toBe("o");
    expect(standings({ rise: 5, fall: 5 }, "-")).toBe("f");
  });

  it("with rise 1 and fall 1 every result counts", () => {
    expect(standings({ rise: 1, fall: 1 }, "+-+--+")).toBe("ofoffo");
  });

  it("fall 3: the third failure in a row fails", () => {
    expect(standings({ rise: 1, fall: 3 }, "+---")).toBe("ooof");
  });

  it("one success after partial failures restores full health", () => {
    expect(standings({ rise: 1, fall: 3 }, "+--+--+---")).toBe("ooooooooof");
  });

  it("rise 3: the third success in a row restores", () => {
    expect(standings({ rise: 3, fall: 1 }, "-+++")).toBe("fffo");
  });

  it("a failure below the turning point starts the count of successes again", () => {
    expect(standings({ rise: 3, fall: 2 }, "-++-+++")).toBe("ffffffo");
  });

  it("init_fail starts as failed and takes rise successes", () => {
    expect(standings({ rise: 2, fall: 1, initFail: true }, "++")).toBe("fo");
    expect(standingOf({ rise: 2 }, initialCheck({ initFail: true }))).toBe("failed");
  });

  it("after the first result: down after exactly fall failures in a row, up after exactly rise successes in a row", () => {
    const counts = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(counts, counts, fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (rise, fall, results) => {
        const text = results.map((it) => (it ? "+" : "-")).join("");
        expect(standings({ rise, fall }, text)).toBe(byRuns(results, rise, fall));
      }),
    );
  });
});
