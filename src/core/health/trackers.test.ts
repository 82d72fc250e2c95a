import { describe, expect, it } from "vitest";
import type { ScriptStanding } from "../link/messages.ts";
import type { Tracked } from "../vrrp/config.ts";
import { configWith, ip, virtualAddress } from "../vrrp/example-config.ts";
import { evaluateTrackers, type TrackerInputs } from "./trackers.ts";

const OK: ScriptStanding = { kind: "ok" };
const FAILED: ScriptStanding = { kind: "failed" };
const UNKNOWN: ScriptStanding = { kind: "unknown" };
const script = (weight: number, reverse = false): Tracked => ({ key: "chk", weight, reverse });
const ETH0 = { name: "eth0", usable: true };
const FAULT = [{ kind: "script", key: "chk" }];

function inputs(changes: Partial<TrackerInputs> = {}): TrackerInputs {
  return { standings: new Map(), links: [ETH0], source: ip("192.0.2.1"), controlSilent: false, ...changes };
}

function withScript(tracked: Tracked, standing: ScriptStanding | null, priority = 100) {
  const standings = new Map(standing === null ? [] : [["chk", standing]]);
  return evaluateTrackers(configWith({ priority, trackScripts: [tracked] }), inputs({ standings }));
}

describe("without trackers", () => {
  it("an instance is fit at its own priority", () => {
    expect(evaluateTrackers(configWith(), inputs())).toEqual({ faults: [], waiting: false, priority: 100 });
  });
});

describe("keepalived's weight table", () => {
  const table: readonly (readonly [string, Tracked, ScriptStanding, number, boolean])[] = [
    ["+20 adds while succeeding", script(20), OK, 120, false],
    ["+20 adds nothing while failing", script(20), FAILED, 100, false],
    ["-20 takes nothing while succeeding", script(-20), OK, 100, false],
    ["-20 takes while failing", script(-20), FAILED, 80, false],
    ["+20 reverse takes while succeeding", script(20, true), OK, 80, false],
    ["+20 reverse takes nothing while failing", script(20, true), FAILED, 100, false],
    ["-20 reverse adds nothing while succeeding", script(-20, true), OK, 100, false],
    ["-20 reverse adds while failing", script(-20, true), FAILED, 120, false],
    ["0 is fit while succeeding", script(0), OK, 100, false],
    ["0 is FAULT while failing", script(0), FAILED, 100, true],
    ["0 reverse is FAULT while succeeding", script(0, true), OK, 100, true],
    ["0 reverse is fit while failing", script(0, true), FAILED, 100, false],
  ];
  for (const [name, tracked, standing, priority, fault] of table) {
    it(`weight ${name}`, () => {
      expect(withScript(tracked, standing)).toEqual({ faults: fault ? FAULT : [], waiting: false, priority });
    });
  }

  it("the same table holds for interfaces", () => {
    const links = [ETH0, { name: "eth1", usable: false }];
    const tracking = (weight: number, reverse = false) =>
      evaluateTrackers(configWith({ trackInterfaces: [{ key: "eth1", weight, reverse }] }), inputs({ links }));
    expect(tracking(-30)).toMatchObject({ faults: [], priority: 70 });
    expect(tracking(30)).toMatchObject({ faults: [], priority: 100 });
    expect(tracking(0)).toMatchObject({ faults: [{ kind: "interface", interface: "eth1", problem: "down" }] });
    expect(tracking(0, true)).toMatchObject({ faults: [] });
  });

  it("the effective priority stays within 1 and 254", () => {
    expect(withScript(script(253), OK).priority).toBe(254);
    expect(withScript(script(-253), FAILED).priority).toBe(1);
  });

  it("RFC 9568 section 5.2.4: priority 255 is the owner's and ignores weights", () => {
    expect(withScript(script(-253), FAILED, 255).priority).toBe(255);
  });

  it("weights of several trackers add up before they are clamped", () => {
    const trackScripts = [script(200), { key: "other", weight: -150, reverse: false }];
    const standings = new Map<string, ScriptStanding>([
      ["chk", OK],
      ["other", FAILED],
    ]);
    expect(evaluateTrackers(configWith({ trackScripts }), inputs({ standings })).priority).toBe(150);
  });
});

describe("a script that has not reported", () => {
  it("with weight 0 is waited for", () => {
    expect(withScript(script(0), null)).toEqual({ faults: [], waiting: true, priority: 100 });
    expect(withScript(script(0, true), UNKNOWN)).toEqual({ faults: [], waiting: true, priority: 100 });
  });

  it("with a weight is not: the base priority counts until its first result", () => {
    for (const weight of [20, -20]) {
      expect(withScript(script(weight), null)).toEqual({ faults: [], waiting: false, priority: 100 });
    }
  });
});

describe("a script that cannot run", () => {
  it("is FAULT with the reason, whatever its weight", () => {
    const standing: ScriptStanding = { kind: "unusable", reason: "writable by everyone" };
    for (const tracked of [script(0), script(0, true), script(20), script(-20)]) {
      expect(withScript(tracked, standing).faults).toEqual([
        { kind: "script-unusable", key: "chk", reason: "writable by everyone" },
      ]);
    }
  });
});

describe("the instance's own interface", () => {
  const faultsWith = (changes: Partial<TrackerInputs>, dontTrackPrimary = false) =>
    evaluateTrackers(configWith({ dontTrackPrimary }), inputs(changes)).faults;

  it("down or missing is FAULT", () => {
    const down = { kind: "interface", interface: "eth0", problem: "down" };
    expect(faultsWith({ links: [{ name: "eth0", usable: false }] })).toEqual([down]);
    expect(faultsWith({ links: [] })).toEqual([{ ...down, problem: "missing" }]);
  });

  it("dont_track_primary forgives a lost carrier, but not a missing interface", () => {
    expect(faultsWith({ links: [{ name: "eth0", usable: false }] }, true)).toEqual([]);
    expect(faultsWith({ links: [] }, true)).toHaveLength(1);
  });

  it("without an address to send from is FAULT", () => {
    expect(faultsWith({ source: null })).toEqual([{ kind: "no-source-address", interface: "eth0" }]);
  });
});

describe("interfaces that carry virtual addresses", () => {
  const config = configWith({ excluded: [{ ...virtualAddress("192.0.2.50"), device: "eth1" }] });

  it("are tracked although the file does not say so", () => {
    expect(evaluateTrackers(config, inputs()).faults).toEqual([
      { kind: "interface", interface: "eth1", problem: "missing" },
    ]);
  });

  it("count with the weight of track_interface where it names them", () => {
    const weighted = { ...config, trackInterfaces: [{ key: "eth1", weight: -10, reverse: false }] };
    expect(evaluateTrackers(weighted, inputs())).toEqual({ faults: [], waiting: false, priority: 90 });
  });
});

describe("control that is silent", () => {
  it("is FAULT, and what it said of scripts counts no more", () => {
    const standings = new Map([["chk", FAILED]]);
    const config = configWith({ trackScripts: [script(0)] });
    const fitness = evaluateTrackers(config, inputs({ standings, controlSilent: true }));
    expect(fitness.faults).toEqual([{ kind: "control-silent" }]);
  });
});
