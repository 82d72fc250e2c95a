import { describe, expect, it } from "vitest";
import { instant, seconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { configWith, virtualAddress } from "./example-config.ts";
import { GroupRig } from "./group-rig.suite.ts";
import { initialState, step } from "./machine.ts";
import { HIGHER, LINK_FAULT, LOWER, OURS, SCRIPT_FAULT } from "./rig.suite.ts";
import { groupOrders, NEW_GROUP } from "./sync-group.ts";

const GROUP = "G1";

function member(at: number, changes: Partial<VrrpInstanceConfig> = {}, names = ["VI_1", "VI_2"]): VrrpInstanceConfig {
  return configWith({
    name: `VI_${at}`,
    virtualRouterId: 50 + at,
    advertised: [virtualAddress(`192.0.2.${100 + at}`)],
    syncGroup: { name: GROUP, members: names, waitsForChecks: false, claimGate: null, releaseGate: null },
    ...changes,
  });
}

function pair(first: Partial<VrrpInstanceConfig> = {}, second: Partial<VrrpInstanceConfig> = {}): GroupRig {
  return new GroupRig([member(1, first), member(2, second)]);
}

const states = (rig: GroupRig, prefix = ""): string[] =>
  rig.said().filter((line) => line.includes("->") && line.startsWith(prefix));

function masters(first: Partial<VrrpInstanceConfig> = {}, second: Partial<VrrpInstanceConfig> = {}): GroupRig {
  const rig = pair(first, second).begin().pass(4_000);
  expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  rig.said();
  return rig;
}

describe("a sync group", () => {
  it("leaves INIT only when every member may", () => {
    const rig = pair();
    rig.send("VI_1", { kind: "start" }).send("VI_2", { kind: "start" }).fit("VI_1");
    expect(rig.phases).toBe("VI_1 INIT, VI_2 INIT");
    rig.fit("VI_2");
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    expect(rig.groupState(GROUP)).toBe("BACKUP");
  });

  it("claims when the last member wants it, the one that waited longest included", () => {
    const rig = pair({ priority: 200 }, { priority: 50 }).begin().pass(3_500);
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    rig.said();
    rig.pass(400);
    expect(states(rig)).toEqual([
      "VI_2 BACKUP->MASTER master-down",
      "VI_1 BACKUP->MASTER master-down",
      "G1 BACKUP->MASTER master-down",
    ]);
  });

  it("hands over together, with and without a gate", () => {
    const handOver = (rig: GroupRig) => rig.send("VI_1", { kind: "hand-over" }).send("VI_2", { kind: "hand-over" });
    const plain = handOver(masters());
    expect(plain.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    const gated = handOver(masters({ releaseGate: { timeout: seconds(5) } }, { releaseGate: { timeout: seconds(5) } }));
    expect(gated.phases).toBe("VI_1 RELEASING, VI_2 RELEASING");
    gated.send("VI_1", { kind: "gate-opened", gate: 1 });
    expect(gated.phases).toBe("VI_1 RELEASING, VI_2 RELEASING");
    gated.send("VI_2", { kind: "gate-opened", gate: 1 });
    expect(gated.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
  });

  it("stays BACKUP while one member hears a master", () => {
    const rig = pair().begin();
    for (let second = 0; second < 20; second++) rig.hear("VI_2", 200, HIGHER).pass(1_000);
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    rig.pass(3_000);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("a member that wants MASTER and hears a better one wants it no more", () => {
    const rig = pair().begin();
    for (let second = 0; second < 5; second++) rig.hear("VI_2", 200, HIGHER).pass(1_000);
    rig.hear("VI_1", 200, HIGHER).pass(3_000);
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
  });

  it("one that is beaten takes the other with it, which says priority 0", () => {
    const rig = masters();
    rig.hear("VI_1", 200, HIGHER);
    expect(rig.said()).toEqual([
      "VI_1 remove-addresses",
      "VI_1 MASTER->BACKUP higher-priority-advert",
      "VI_2 remove-addresses",
      "VI_2 send-resign",
      "VI_2 MASTER->BACKUP sibling-left",
      "G1 MASTER->BACKUP higher-priority-advert",
    ]);
  });

  it("a lost address gives the whole group up, and it runs for election again after Skew_Time", () => {
    const rig = masters();
    rig.send("VI_2", { kind: "address-removed", address: virtualAddress("192.0.2.102").address });
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    rig.pass(700);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("FAULT of one is FAULT of all, and names the sibling", () => {
    const rig = masters();
    rig.fit("VI_2", [SCRIPT_FAULT]);
    expect(states(rig)).toEqual(["VI_2 MASTER->FAULT fault", "VI_1 MASTER->FAULT fault", "G1 MASTER->FAULT fault"]);
    const faults = [{ kind: "sibling", group: GROUP, instance: "VI_2", faults: [SCRIPT_FAULT], more: 0 }];
    expect(rig.state("VI_1").faults).toEqual(faults);
    expect(rig.state("VI_2").faults).toEqual([SCRIPT_FAULT]);
  });

  it("leaves FAULT through BACKUP when the last faulty member has recovered", () => {
    const rig = masters();
    rig.fit("VI_2", [SCRIPT_FAULT]).fit("VI_1", [LINK_FAULT]);
    rig.fit("VI_2");
    expect(rig.phases).toBe("VI_1 FAULT, VI_2 FAULT");
    rig.said();
    rig.fit("VI_1");
    expect(states(rig)).toEqual([
      "VI_1 FAULT->BACKUP recovered",
      "VI_2 FAULT->BACKUP recovered",
      "G1 FAULT->BACKUP recovered",
    ]);
    rig.pass(4_000);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("an owner of the address waits for its sibling", () => {
    const rig = pair({ priority: 255, initialState: "MASTER" }).begin();
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
    rig.pass(4_000);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("stops together and tells it once", () => {
    const rig = masters();
    for (const name of ["VI_1", "VI_2"]) rig.send(name, { kind: "stop", skipGates: false });
    expect(states(rig)).toEqual(["VI_1 MASTER->STOP stop", "VI_2 MASTER->STOP stop", "G1 MASTER->STOP stop"]);
  });

  it("a group of three falls back and claims as one", () => {
    const names = ["VI_1", "VI_2", "VI_3"];
    const rig = new GroupRig([1, 2, 3].map((at) => member(at, {}, names))).begin().pass(4_000);
    expect(rig.names).toEqual(["MASTER", "MASTER", "MASTER"]);
    rig.hear("VI_3", 100, HIGHER);
    expect(rig.names).toEqual(["BACKUP", "BACKUP", "BACKUP"]);
    rig.pass(4_000);
    expect(rig.names).toEqual(["MASTER", "MASTER", "MASTER"]);
  });
});

describe("gates of a sync group", () => {
  const gate = { timeout: seconds(10) };
  const together = {
    name: GROUP,
    members: ["VI_1", "VI_2"],
    waitsForChecks: false,
    claimGate: gate,
    releaseGate: null,
  };

  it("takes no address before every claim gate is open, also that of a member without one", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { syncGroup: together }).begin().pass(4_000);
    expect(rig.phases).toBe("VI_1 CLAIMING, VI_2 CLAIMING");
    rig.said();
    rig.send("VI_1", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
    expect(rig.said().filter((line) => line.includes("add-addresses"))).toHaveLength(2);
  });

  it("a second gate that is still closed keeps the first one's address off", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { claimGate: gate, syncGroup: together }).begin();
    rig.pass(4_000).send("VI_1", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 CLAIMING, VI_2 CLAIMING");
    rig.pass(1_000).send("VI_2", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("one refusal refuses for all, and says priority 0 for what was announced", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { claimGate: gate, syncGroup: together }).begin();
    rig.pass(4_000).said();
    rig.send("VI_1", { kind: "gate-opened", gate: 1 }).send("VI_2", { kind: "gate-refused", gate: 1, reason: "no" });
    expect(rig.phases).toBe("VI_1 FAULT, VI_2 FAULT");
    expect(rig.said().filter((line) => line.includes("send-resign"))).toHaveLength(2);
  });

  it("a gate that never answers ends the claim of all when its time is over", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { syncGroup: together }).begin().pass(15_000);
    expect(rig.phases).toBe("VI_1 FAULT, VI_2 FAULT");
  });

  it("prepares in silence while a lower master lives; a better one ends it for both", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { claimGate: gate, syncGroup: together }).begin();
    for (let at = 0; at < 5; at++) rig.hear("VI_1", 50, LOWER).hear("VI_2", 50, LOWER).pass(1_000);
    expect(rig.phases).toBe("VI_1 PREPARING, VI_2 PREPARING");
    expect(rig.said().filter((line) => line.includes("send-advert"))).toEqual([]);
    rig.hear("VI_1", 200, HIGHER);
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 BACKUP");
  });

  it("prepares in silence, and both announce themselves when both gates are open", () => {
    const rig = pair({ claimGate: gate, syncGroup: together }, { claimGate: gate, syncGroup: together }).begin();
    for (let at = 0; at < 5; at++) rig.hear("VI_1", 50, LOWER).hear("VI_2", 50, LOWER).pass(1_000);
    rig.send("VI_1", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 PREPARING, VI_2 PREPARING");
    rig.send("VI_2", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
  });

  it("keeps all addresses until the last release gate is done", () => {
    const release = {
      name: GROUP,
      members: ["VI_1", "VI_2"],
      waitsForChecks: false,
      claimGate: null,
      releaseGate: gate,
    };
    const rig = masters({ releaseGate: gate, syncGroup: release }, { syncGroup: release });
    rig.fit("VI_2", [SCRIPT_FAULT]);
    expect(rig.phases).toBe("VI_1 RELEASING, VI_2 RELEASING");
    rig.send("VI_1", { kind: "gate-opened", gate: 1 });
    expect(rig.phases).toBe("VI_1 FAULT, VI_2 FAULT");
    expect(rig.groupState(GROUP)).toBe("FAULT");
  });
});

describe("a reload of a sync group", () => {
  it("a member that leaves the group claims by itself what it waited for", () => {
    const rig = pair().begin();
    for (let second = 0; second < 5; second++) rig.hear("VI_2", 200, HIGHER).pass(1_000);
    rig.reconfigure("VI_1", { ...member(1), syncGroup: null }).pass(1);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 BACKUP");
  });

  it("a member that leaves the group is no longer in FAULT because of it", () => {
    const rig = masters();
    rig.fit("VI_2", [SCRIPT_FAULT]);
    rig.reconfigure("VI_1", { ...member(1), syncGroup: null });
    expect(rig.phases).toBe("VI_1 BACKUP, VI_2 FAULT");
  });

  it("a master that joins a group of one keeps its role until the new member wants MASTER too", () => {
    const rig = new GroupRig([member(1, {}, ["VI_1"]), member(2, { syncGroup: null })]).begin().pass(4_000);
    for (let at = 0; at < 4; at++) rig.hear("VI_2", 200, HIGHER).pass(900);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 BACKUP");
    rig.reconfigure("VI_2", member(2)).reconfigure("VI_1", member(1));
    expect(rig.phases, "it obeys a master, so the group cannot serve").toBe("VI_1 BACKUP, VI_2 BACKUP");
  });

  it("a silent newcomer joins the serving group and interrupts nobody", () => {
    const newcomer = member(2, { syncGroup: null });
    const rig = new GroupRig([member(1, {}, ["VI_1"]), newcomer]);
    rig.send("VI_1", { kind: "start" }).fit("VI_1").pass(10_000);
    rig.send("VI_2", { kind: "start" }).fit("VI_2");
    rig.reconfigure("VI_2", member(2)).reconfigure("VI_1", member(1)).said();
    rig.pass(10_000);
    expect(rig.phases).toBe("VI_1 MASTER, VI_2 MASTER");
    expect(states(rig)).toEqual(["VI_2 BACKUP->MASTER master-down"]);
  });
});

/** One link takes all members down at once: the orders until they agree, and the bytes that a status says about it. */
function allFault(count: number): { readonly orders: number; readonly bytes: number } {
  const names = Array.from({ length: count }, (_, at) => `VI_${at}`);
  const now = instant(1_000_000_000);
  const members = names.map((name) => {
    const config = member(1, { name }, names);
    const fit = { kind: "fitness", faults: [LINK_FAULT], waiting: false, priority: 100, source: OURS } as const;
    return { config, state: step(config, initialState(config, now), fit, now).state };
  });
  let given = 0;
  for (let due = groupOrders(members, NEW_GROUP); due.length > 0; due = groupOrders(members, NEW_GROUP)) {
    given += due.length;
    expect(given, "the members do not come to agreement").toBeLessThanOrEqual(4 * count);
    for (const { member: at, event } of due) {
      const each = members[at];
      if (each !== undefined) each.state = step(each.config, each.state, event, now).state;
    }
  }
  return { orders: given, bytes: JSON.stringify(members.map(({ state }) => [state.faults, state.cause])).length };
}

describe("a large sync group", () => {
  it("needs one order for each member and says a few hundred bytes of each, however many there are", () => {
    for (const count of [10, 500]) {
      const { orders, bytes } = allFault(count);
      expect(orders).toBe(count);
      expect(bytes / count).toBeLessThan(400);
    }
  });

  it("says who failed first and how many more did, and tells it once", () => {
    const names = [1, 2, 3, 4].map((at) => `VI_${at}`);
    const rig = new GroupRig([1, 2, 3, 4].map((at) => member(at, {}, names))).begin().pass(4_000);
    const told = (name: string) => rig.state(name).faults.filter((fault) => fault.kind === "sibling");
    const first = { kind: "sibling", group: GROUP, instance: "VI_2", faults: [SCRIPT_FAULT], more: 0 };
    rig.fit("VI_2", [SCRIPT_FAULT]).said();
    rig.pass(10).fit("VI_3", [LINK_FAULT]);
    expect(told("VI_1")).toEqual([{ ...first, more: 1 }]);
    expect(told("VI_3")).toEqual([first]);
    expect(told("VI_2")).toEqual([{ ...first, instance: "VI_3", faults: [LINK_FAULT] }]);
    expect(
      rig.said().filter((line) => /^VI_[14]/.test(line)),
      "a count is no news",
    ).toEqual([]);
    rig.fit("VI_2");
    expect(told("VI_1")).toEqual([{ ...first, instance: "VI_3", faults: [LINK_FAULT] }]);
    rig.fit("VI_3");
    expect(rig.names).toEqual(["BACKUP", "BACKUP", "BACKUP", "BACKUP"]);
  });
});
