import { describe, expect, it } from "vitest";
import { seconds } from "../lib/units.ts";
import { configWith, virtualAddress } from "./example-config.ts";
import { HIGHER, LINK_FAULT, LOWER, Rig, SCRIPT_FAULT } from "./rig.suite.ts";

const MASTER_DOWN_100 = 3_609.375;
const SCRIPT = [{ key: "chk", weight: 0, reverse: false }];
const CLAIM = { claimGate: { timeout: seconds(10) } };
const RELEASE = { releaseGate: { timeout: seconds(5) } };

const backup = (changes = {}) => {
  const rig = new Rig(configWith({ ...CLAIM, trackScripts: SCRIPT, ...changes })).begin();
  rig.said();
  return rig;
};

const claiming = (changes = {}) => {
  const rig = backup(changes).pass(MASTER_DOWN_100);
  expect(rig.phase).toBe("CLAIMING");
  rig.said();
  return rig;
};

/** A live master of lower priority is heard, and our timer has run out. */
const preparing = (changes = {}) => {
  const rig = backup(changes).passHearing(4_000, 1_000, 50);
  expect(rig.phase).toBe("PREPARING");
  rig.said();
  return rig;
};

const holding = (changes = {}) => {
  const rig = new Rig(configWith({ ...RELEASE, trackScripts: SCRIPT, ...changes })).begin().pass(10_000);
  expect(rig.phase).toBe("MASTER");
  rig.said();
  return rig;
};

describe("claiming: the old master is silent", () => {
  it("advertises and asks the gate, but takes no address and announces no MASTER", () => {
    const rig = backup().pass(MASTER_DOWN_100);
    expect(rig.said()).toEqual(["send-advert", "ask claim 1", "(BACKUP->CLAIMING) master-down"]);
    expect([rig.name, rig.phase, rig.holding]).toEqual(["BACKUP", "CLAIMING", false]);
  });

  it("goes on advertising while the gate is closed", () => {
    expect(claiming().pass(5_000).said()).toEqual(Array(5).fill("send-advert"));
  });

  it("takes the addresses when the gate opens: added, announced, then MASTER", () => {
    const rig = claiming().pass(300).opened();
    expect(rig.said()).toEqual(["add-addresses", "announce 5", "BACKUP->MASTER master-down", "announced"]);
    expect(rig.holding).toBe(true);
  });

  it("the owner claims through the gate as well", () => {
    const rig = new Rig(configWith({ ...CLAIM, priority: 255, initialState: "MASTER" })).begin();
    expect([rig.phase, rig.opened().name]).toEqual(["CLAIMING", "MASTER"]);
  });

  it("a refusal resigns and is FAULT with the reason", () => {
    const rig = claiming().refused("applier is behind");
    expect(rig.said()).toEqual(["send-resign", "BACKUP->FAULT claim-refused"]);
    expect(rig.state.faults).toEqual([{ kind: "claim-refused", reason: "applier is behind" }]);
  });

  it("claim_timeout resigns, cancels the hook and is FAULT", () => {
    const rig = claiming().pass(9_999);
    expect(rig.phase).toBe("CLAIMING");
    expect(rig.pass(1).said().slice(-3)).toEqual(["cancel 1", "send-resign", "BACKUP->FAULT claim-timeout"]);
  });

  it("a higher advert ends the claim without resigning", () => {
    const rig = claiming().hear(150, HIGHER);
    expect(rig.said()).toEqual(["cancel 1", "(CLAIMING->BACKUP) higher-priority-advert"]);
  });

  it("an equal priority with a higher address ends the claim as well", () => {
    expect(claiming().hear(100, HIGHER).said()).toContain("(CLAIMING->BACKUP) equal-priority-higher-address");
    expect(claiming().hear(100, LOWER).phase).toBe("CLAIMING");
  });

  it("a lower advert is answered, but nothing is announced", () => {
    expect(claiming().hear(50).said()).toEqual(["send-advert", "lower 50"]);
  });

  it("a fault or a stop ends the claim at once", () => {
    expect(
      claiming()
        .fitness({ faults: [SCRIPT_FAULT] })
        .said(),
    ).toEqual(["cancel 1", "send-resign", "BACKUP->FAULT fault"]);
    expect(claiming().stop().said()).toEqual(["cancel 1", "send-resign", "BACKUP->STOP stop"]);
  });

  it("a stalled claim resigns and listens again", () => {
    expect(claiming().freeze(6_000).thaw().said()).toEqual(["cancel 1", "send-resign", "(CLAIMING->BACKUP) stalled"]);
  });

  it("an answer to an earlier gate opens nothing", () => {
    const rig = claiming().hear(150, HIGHER).opened(1).pass(MASTER_DOWN_100);
    expect([rig.phase, rig.gate]).toEqual(["CLAIMING", 2]);
    expect(rig.opened(1).phase).toBe("CLAIMING");
    expect(rig.refused("late", 1).phase).toBe("CLAIMING");
    expect(rig.opened(2).phase).toBe("MASTER");
  });
});

describe("a refused claim is tried again", () => {
  it("when a check next succeeds, through BACKUP and a new election", () => {
    const rig = claiming().refused();
    rig.said();
    expect(rig.pass(60_000).fitness().said()).toEqual([]);
    expect(rig.send({ kind: "check-succeeded" }).said()).toEqual(["faults none", "FAULT->BACKUP recovered"]);
    expect(rig.pass(MASTER_DOWN_100).phase).toBe("CLAIMING");
  });

  it("not while something else is wrong", () => {
    const rig = claiming()
      .refused()
      .fitness({ faults: [SCRIPT_FAULT] })
      .send({ kind: "check-succeeded" });
    expect([rig.name, rig.state.faults]).toEqual(["FAULT", [SCRIPT_FAULT]]);
    expect(rig.fitness().name).toBe("BACKUP");
  });

  it("without a script after the longer of claim_timeout and ten adverts", () => {
    const slow = claiming({
      trackScripts: [],
      advertInterval: seconds(1),
      claimGate: { timeout: seconds(30) },
    }).refused();
    expect(slow.pass(29_999).name).toBe("FAULT");
    expect(slow.pass(1).name).toBe("BACKUP");
    const quick = claiming({ trackScripts: [], claimGate: { timeout: seconds(1) } }).refused();
    expect(quick.pass(9_999).name).toBe("FAULT");
    expect(quick.pass(1).name).toBe("BACKUP");
  });

  it("by the clock as well where scripts have weights: one that goes on failing would keep us in FAULT for ever", () => {
    const rig = claiming({ trackScripts: [{ key: "chk", weight: -20, reverse: false }] }).refused();
    expect(rig.pass(10_000).name).toBe("BACKUP");
  });

  it("a check that succeeds while nothing was refused changes nothing", () => {
    expect(backup().send({ kind: "check-succeeded" }).said()).toEqual([]);
    expect(claiming().send({ kind: "check-succeeded" }).said()).toEqual([]);
  });
});

describe("preparing: a live master of lower priority is heard", () => {
  it("asks the gate in silence: a plain keepalived would drop its address at our first advert", () => {
    const rig = backup().passHearing(4_000, 1_000, 50);
    expect(rig.said().filter((it) => !it.startsWith("lower"))).toEqual([
      "ask claim 1",
      "(BACKUP->PREPARING) preempting",
    ]);
    expect(rig.passHearing(5_000, 1_000, 50).said()).toEqual([]);
    expect([rig.name, rig.phase]).toEqual(["BACKUP", "PREPARING"]);
  });

  it("claims at once when the gate opens", () => {
    const rig = preparing().opened();
    expect(rig.said()).toEqual([
      "send-advert",
      "add-addresses",
      "announce 5",
      "BACKUP->MASTER preempting",
      "announced",
    ]);
  });

  it("goes on as claiming, with the same gate and the same deadline, when the master falls silent", () => {
    const rig = preparing().pass(3_700);
    expect(rig.said().slice(0, 2)).toEqual(["send-advert", "(PREPARING->CLAIMING) master-down"]);
    expect([rig.phase, rig.gate]).toEqual(["CLAIMING", 1]);
    expect(rig.opened().said()).toContain("BACKUP->MASTER master-down");
  });

  it("goes on as claiming Skew_Time after the master has resigned", () => {
    const rig = preparing().hear(0).pass(609.375);
    expect(rig.said()).toEqual(["send-advert", "(PREPARING->CLAIMING) master-resigned"]);
  });

  it("a refusal is FAULT without priority 0: nobody has heard of us, and the master would only be disturbed", () => {
    expect(preparing().refused().said()).toEqual(["BACKUP->FAULT claim-refused"]);
  });

  it("claim_timeout is FAULT without priority 0", () => {
    const rig = preparing().passHearing(10_000, 1_000, 50);
    expect(rig.said()).toEqual(["cancel 1", "BACKUP->FAULT claim-timeout"]);
  });

  it("a higher advert cancels the gate", () => {
    expect(preparing().hear(150, HIGHER).said()).toEqual(["cancel 1", "(PREPARING->BACKUP) higher-priority-advert"]);
  });

  it("a fault or a stop cancels the gate", () => {
    expect(
      preparing()
        .fitness({ faults: [LINK_FAULT] })
        .said(),
    ).toEqual(["cancel 1", "BACKUP->FAULT fault"]);
    expect(preparing().stop().said()).toEqual(["cancel 1", "BACKUP->STOP stop"]);
  });

  it("knows by the master's own interval whether it is alive (version 3)", () => {
    const rig = backup({ version: 3 }).hear(50, LOWER, seconds(3)).pass(MASTER_DOWN_100);
    expect(rig.phase).toBe("PREPARING");
    expect(rig.pass(7_300).phase).toBe("CLAIMING");
  });
});

describe("releasing", () => {
  it("a stop asks the release gate; adverts and addresses stay until it has answered", () => {
    const rig = holding().stop();
    expect(rig.said()).toEqual(["ask release 1", "(MASTER->RELEASING) stop"]);
    expect([rig.name, rig.phase, rig.holding]).toEqual(["MASTER", "RELEASING", true]);
    expect(rig.pass(3_000).said()).toEqual(Array(3).fill("send-advert"));
    expect(rig.opened().said()).toEqual(["remove-addresses", "send-resign", "MASTER->STOP stop"]);
  });

  it("handing over releases through the gate into BACKUP, and claims again when nobody else has for all of Master_Down", () => {
    const rig = holding().send({ kind: "hand-over" });
    expect(rig.said()).toEqual(["ask release 1", "(MASTER->RELEASING) handed-over"]);
    expect(rig.opened().said()).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP handed-over"]);
    expect([rig.pass(MASTER_DOWN_100 - 1).name, rig.pass(1).name]).toEqual(["BACKUP", "MASTER"]);
  });

  it("whoever gets a fault while it hands over goes to FAULT; whoever does not serve hands nothing over", () => {
    const rig = holding()
      .send({ kind: "hand-over" })
      .fitness({ faults: [SCRIPT_FAULT] });
    expect(rig.opened().name).toBe("FAULT");
    const idle = backup().send({ kind: "hand-over" });
    expect([idle.name, idle.said()]).toEqual(["BACKUP", []]);
    const preparing = claiming().send({ kind: "hand-over" });
    expect([preparing.phase, preparing.said()]).toEqual(["CLAIMING", []]);
  });

  it("a hook that failed has had its say", () => {
    expect(holding().stop().refused().name).toBe("STOP");
  });

  it("release_timeout ends it", () => {
    const rig = holding().stop().pass(4_999);
    expect(rig.phase).toBe("RELEASING");
    expect(rig.pass(1).said().slice(-4)).toEqual(["cancel 1", "remove-addresses", "send-resign", "MASTER->STOP stop"]);
  });

  it("a failing script or database server releases through the gate into FAULT", () => {
    const server = { kind: "mysql", key: "orders", trouble: { kind: "stopping" } } as const;
    for (const fault of [SCRIPT_FAULT, server]) {
      const rig = holding().fitness({ faults: [fault] });
      expect(rig.said()).toEqual(["ask release 1", "(MASTER->RELEASING) fault"]);
      expect(rig.opened().said()).toEqual(["remove-addresses", "send-resign", "MASTER->FAULT fault"]);
    }
  });

  it("a script that recovers meanwhile does not stop it: FAULT, then BACKUP, each announced once", () => {
    const rig = holding()
      .fitness({ faults: [SCRIPT_FAULT] })
      .fitness();
    rig.said();
    expect(rig.opened().said()).toEqual([
      "remove-addresses",
      "send-resign",
      "MASTER->FAULT fault",
      "FAULT->BACKUP recovered",
    ]);
  });

  it("a lost interface or a silent control cannot wait for hooks", () => {
    for (const fault of [LINK_FAULT, { kind: "control-silent" } as const]) {
      expect(
        holding()
          .fitness({ faults: [fault] })
          .said(),
      ).toEqual(["remove-addresses", "send-resign", "MASTER->FAULT fault"]);
    }
  });

  it("nor can they while the gate already runs", () => {
    const rig = holding().fitness({ faults: [SCRIPT_FAULT] });
    rig.said();
    expect(rig.fitness({ faults: [SCRIPT_FAULT, LINK_FAULT] }).said()).toEqual([
      "faults script,interface",
      "cancel 1",
      "remove-addresses",
      "send-resign",
      "MASTER->FAULT fault",
    ]);
  });

  it("a stop without control skips the gate, also one that runs", () => {
    expect(holding().stop(true).said()).toEqual(["remove-addresses", "send-resign", "MASTER->STOP stop"]);
    expect(holding().stop().stop(true).said().slice(-4)[0]).toBe("cancel 1");
  });

  it("a stop while it releases for a fault ends in STOP", () => {
    const rig = holding()
      .fitness({ faults: [SCRIPT_FAULT] })
      .stop();
    rig.said();
    expect(rig.opened().said()).toEqual(["remove-addresses", "send-resign", "MASTER->STOP stop"]);
  });

  it("a higher advert is not kept waiting", () => {
    expect(holding().hear(150, HIGHER).said()).toEqual(["remove-addresses", "MASTER->BACKUP higher-priority-advert"]);
    const rig = holding().stop();
    rig.said();
    expect(rig.hear(150, HIGHER).said()).toEqual(["cancel 1", "remove-addresses", "MASTER->STOP stop"]);
  });

  it("an address that vanished or a lost lease is not waited for", () => {
    const { address } = virtualAddress("192.0.2.100");
    const rig = holding().stop().send({ kind: "address-removed", address });
    expect(rig.name).toBe("STOP");
    const frozen = holding({ leaseSeconds: 2 }).stop().freeze(2_500).thaw();
    expect(frozen.name).toBe("STOP");
  });
});
