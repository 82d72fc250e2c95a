import { describe, expect, it } from "vitest";
import type { DatabaseStanding } from "../database/standing.ts";
import type { ScriptStanding } from "../link/messages.ts";
import type { Tracked, VrrpInstanceConfig } from "../vrrp/config.ts";
import { configWith, ip, virtualAddress } from "../vrrp/example-config.ts";
import { evaluateTrackers, type TrackerInputs } from "./trackers.ts";

const OK: ScriptStanding = { kind: "ok" };
const FAILED: ScriptStanding = { kind: "failed" };
const UNKNOWN: ScriptStanding = { kind: "unknown" };
const script = (weight: number, reverse = false): Tracked => ({ key: "chk", weight, reverse });
const ETH0 = { name: "eth0", usable: true };
const FAULT = [{ kind: "script", key: "chk" }];

function inputs(changes: Partial<TrackerInputs> = {}): TrackerInputs {
  const nothing = { standings: new Map(), files: new Map(), processes: new Map(), mysql: new Map(), redis: new Map() };
  return { ...nothing, links: [ETH0], source: ip("192.0.2.1"), controlSilent: false, serving: false, ...changes };
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
    expect(faultsWith({ source: null })).toEqual([
      { kind: "no-source-address", interface: "eth0", family: 4, wanted: null },
    ]);
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

describe("tracked files and processes", () => {
  const config = (changes: Partial<VrrpInstanceConfig>) => configWith({ priority: 100, ...changes });
  const file = (weight: number, value: number, reverse = false) =>
    evaluateTrackers(
      config({ trackFiles: [{ key: "f", weight, reverse }] }),
      inputs({ files: new Map([["f", { kind: "value", value }]]) }),
    );
  const processes = (weight: number, kind: "ok" | "failed", reverse = false) =>
    evaluateTrackers(
      config({ trackProcesses: [{ key: "p", weight, reverse }] }),
      inputs({ processes: new Map([["p", { kind, count: 3 }]]) }),
    );

  it.each([
    [1, -20, false, 80],
    [2, 10, false, 120],
    [2, 10, true, 80],
    [1, 254, false, 254],
    [-1, 200, false, 1],
    [3, 253, true, 1],
  ])("a file of weight %d that says %d (reverse: %s) makes it %d", (weight, value, reverse, priority) => {
    if (weight * value * (reverse ? -1 : 1) <= -254) return expect(file(weight, value, reverse).faults).toHaveLength(1);
    expect(file(weight, value, reverse)).toEqual({ faults: [], waiting: false, priority });
  });

  it("a product of -254 and below is FAULT", () => {
    expect(file(1, -254).faults).toEqual([{ kind: "file", key: "f", value: -254 }]);
    expect(file(2, -200).faults).toHaveLength(1);
    expect(file(1, -253).faults).toEqual([]);
  });

  it("weight 0: a number other than 0 is FAULT, in reverse 0 is", () => {
    expect([0, 1].map((value) => file(0, value).faults.length)).toEqual([0, 1]);
    expect([0, 1].map((value) => file(0, value, true).faults.length)).toEqual([1, 0]);
  });

  it("processes weigh as scripts do", () => {
    expect(processes(10, "ok").priority).toBe(110);
    expect(processes(10, "failed").priority).toBe(100);
    expect(processes(-10, "failed").priority).toBe(90);
    expect(processes(10, "ok", true).priority).toBe(90);
    expect(processes(0, "failed").faults).toEqual([{ kind: "process", key: "p", count: 3 }]);
    expect(processes(0, "ok").faults).toEqual([]);
    expect(processes(0, "ok", true).faults).toHaveLength(1);
  });

  it("all kinds add up, and the owner of the address ignores them", () => {
    const all = {
      trackFiles: [{ key: "f", weight: 1, reverse: false }],
      trackProcesses: [{ key: "p", weight: 7, reverse: false }],
      trackScripts: [script(5)],
      trackInterfaces: [{ key: "eth0", weight: 3, reverse: false }],
    };
    const said = inputs({
      files: new Map([["f", { kind: "value", value: -4 }]]),
      processes: new Map([["p", { kind: "ok", count: 1 }]]),
      standings: new Map([["chk", { kind: "ok" }]]),
    });
    expect(evaluateTrackers(config(all), said).priority).toBe(100 - 4 + 7 + 5 + 3);
    expect(evaluateTrackers(config({ ...all, priority: 255 }), said).priority).toBe(255);
  });

  it("nothing is decided before control has looked at files and processes", () => {
    expect(evaluateTrackers(config({ trackFiles: [{ key: "f", weight: 1, reverse: false }] }), inputs()).waiting).toBe(
      true,
    );
    const tracked = config({ trackProcesses: [{ key: "p", weight: 1, reverse: false }] });
    expect(evaluateTrackers(tracked, inputs()).waiting).toBe(true);
  });
});

describe("a tracked database server", () => {
  const LAGS = { kind: "lagging", channel: "", seconds: 90, limit: 30 } as const;
  const GONE = { kind: "dead", detail: "" } as const;
  const evaluate = (weight: number, standing: DatabaseStanding | null, serving: boolean, reverse = false) => {
    const mysql = new Map(standing === null ? [] : [["orders", standing]]);
    const tracked = [{ key: "orders", weight, reverse }];
    return evaluateTrackers(configWith({ trackMysql: tracked }), inputs({ mysql, serving }));
  };

  it("is waited for, and means FAULT without a weight", () => {
    expect(evaluate(0, null, false)).toMatchObject({ waiting: true, faults: [] });
    expect(evaluate(0, { always: null, standby: null }, false)).toMatchObject({ waiting: false, faults: [] });
    const faults = [{ kind: "mysql", key: "orders", trouble: GONE }];
    expect(evaluate(0, { always: GONE, standby: GONE }, false).faults).toEqual(faults);
    expect(evaluate(0, { always: GONE, standby: GONE }, true).faults).toEqual(faults);
  });

  it("that is unfit only holds nothing against the one that serves", () => {
    const unfit = { always: null, standby: LAGS };
    expect(evaluate(0, unfit, true).faults).toEqual([]);
    expect(evaluate(0, unfit, false).faults).toEqual([{ kind: "mysql", key: "orders", trouble: LAGS }]);
  });

  it("moves the priority with a weight", () => {
    const unfit = { always: null, standby: LAGS };
    expect(evaluate(-30, unfit, false)).toMatchObject({ priority: 70, faults: [] });
    expect(evaluate(-30, unfit, true).priority).toBe(100);
    expect(evaluate(30, { always: null, standby: null }, false).priority).toBe(130);
    expect(evaluate(0, { always: null, standby: null }, false, true).faults).toEqual([
      { kind: "mysql", key: "orders", trouble: null },
    ]);
  });

  it("counts for nothing while control is silent: what it said last is worth nothing", () => {
    const mysql = new Map([["orders", { always: null, standby: null }]]);
    const config = configWith({ trackMysql: [{ key: "orders", weight: 0, reverse: false }] });
    expect(evaluateTrackers(config, inputs({ mysql, controlSilent: true })).waiting).toBe(true);
  });
});
