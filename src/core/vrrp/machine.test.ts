import { describe, expect, it } from "vitest";
import { millis, seconds } from "../lib/units.ts";
import { configWith, virtualAddress } from "./example-config.ts";
import { nextDeadline } from "./machine.ts";
import { HIGHER, LINK_FAULT, LOWER, Rig, SCRIPT_FAULT } from "./rig.suite.ts";

/** Skew_Time of priority 100 is 156/256 s. */
const MASTER_DOWN_100 = 3_609.375;
const TAKE = ["send-advert", "add-addresses", "announce 5"];

const backup = (changes = {}) => {
  const rig = new Rig(configWith(changes)).begin();
  rig.said();
  return rig;
};

/** Becomes MASTER after its Master_Down and forgets how. */
const master = (changes = {}) => {
  const rig = backup(changes).pass(45_000);
  expect(rig.phase).toBe("MASTER");
  rig.said();
  return rig;
};

describe("start", () => {
  it("INIT announces nothing until every tracker that can veto has reported", () => {
    const checked = configWith({ trackScripts: [{ key: "chk", weight: 0, reverse: false }] });
    const rig = new Rig(checked).send({ kind: "start" }).fitness({ waiting: true }).pass(60_000);
    expect([rig.name, rig.said()]).toEqual(["INIT", []]);
    expect(rig.fitness().said()).toEqual(["INIT->BACKUP ready"]);
  });

  it("without a check there is nothing to wait for, and the cause says so", () => {
    expect(new Rig(configWith()).begin().said()).toEqual(["INIT->BACKUP start"]);
  });

  it("a tracker that fails at once is FAULT, without waiting for the others", () => {
    const rig = new Rig(configWith()).send({ kind: "start" }).fitness({ waiting: true, faults: [SCRIPT_FAULT] });
    expect(rig.said()).toEqual(["INIT->FAULT fault"]);
  });

  it("RFC 9568 section 6.4.2: with no master alive a BACKUP claims after Master_Down_Interval", () => {
    const rig = backup().pass(MASTER_DOWN_100 - 0.001);
    expect(rig.said()).toEqual([]);
    expect(rig.pass(0.001).said()).toEqual([...TAKE, "BACKUP->MASTER master-down", "announced"]);
  });

  it("state MASTER below priority 255 behaves as BACKUP", () => {
    const rig = backup({ initialState: "MASTER" }).pass(MASTER_DOWN_100 - 1);
    expect(rig.name).toBe("BACKUP");
  });

  it("RFC 9568 section 6.4.1: the address owner claims at once and is never BACKUP", () => {
    const rig = new Rig(configWith({ initialState: "MASTER", priority: 255 })).begin();
    expect(rig.said()).toEqual([...TAKE, "INIT->MASTER owner-start", "announced"]);
  });

  it("of two owners the higher address serves, and the other is owner again when that is gone", () => {
    const rig = new Rig(configWith({ initialState: "MASTER", priority: 255 })).begin();
    rig.hear(255, LOWER);
    expect(rig.name, "the rival has the lower address").toBe("MASTER");
    rig.hear(255, HIGHER);
    expect(rig.name).toBe("BACKUP");
    for (let heard = 0; heard < 10; heard++) rig.pass(1_000).hear(255, HIGHER);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(3_004).name).toBe("MASTER");
    expect(rig.state.priority).toBe(255);
  });

  it("priority 255 with state BACKUP waits three intervals and 1/256 s", () => {
    const rig = backup({ priority: 255 }).pass(3_003.9);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(0.1).name).toBe("MASTER");
  });
});

describe("BACKUP hears adverts (RFC 9568 section 6.4.2)", () => {
  it("a higher or equal priority sets the timer again", () => {
    for (const priority of [100, 101, 255]) {
      const rig = backup()
        .pass(3_000)
        .hear(priority)
        .pass(MASTER_DOWN_100 - 0.001);
      expect([rig.name, rig.said()]).toEqual(["BACKUP", []]);
      expect(rig.pass(0.001).said()).toContain("BACKUP->MASTER master-down");
    }
  });

  it("a lower priority is discarded: the timer goes on and preempts", () => {
    const rig = backup().pass(600).hear(99).pass(1_000).hear(99).pass(1_000).hear(99);
    expect(rig.said()).toEqual(["lower 99", "lower 99", "lower 99"]);
    rig.pass(1_010);
    expect(rig.said()).toEqual([...TAKE, "BACKUP->MASTER preempting", "announced"]);
    expect(rig.at.get("BACKUP->MASTER preempting")).toBe(MASTER_DOWN_100);
  });

  it("priority 0 makes a backup wait only Skew_Time", () => {
    const rig = backup().hear(120).pass(500).hear(0).pass(609.374);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(0.001).said()).toContain("BACKUP->MASTER master-resigned");
  });

  it("priority 0 of the only other host is a release directed to us: nothing is waited for", () => {
    const rig = backup({ soleSuccessor: true }).hear(120).pass(500).hear(0);
    expect(rig.pass(0).said()).toContain("BACKUP->MASTER master-resigned");
  });

  it("without the master that it would release, or from another, the directed release is an ordinary one, or none", () => {
    const unheard = backup({ soleSuccessor: true }).hear(0);
    expect([unheard.pass(609.374).name, unheard.pass(0.001).name]).toEqual(["BACKUP", "MASTER"]);
    const stranger = backup({ soleSuccessor: true }).hear(120, LOWER).pass(500).hear(0, HIGHER).pass(0);
    expect([stranger.name, stranger.said()]).toEqual(["BACKUP", []]);
  });

  it("priority 0 of somebody else than the living master changes nothing", () => {
    const rig = backup().hear(120, LOWER).pass(500).hear(0, HIGHER).pass(2_000);
    expect([rig.name, rig.said()]).toEqual(["BACKUP", []]);
  });

  it("priority 0 that arrives twice does not wait twice", () => {
    const rig = backup().hear(120).pass(500).hear(0).pass(300).hear(0).pass(309.375);
    expect(rig.name).toBe("MASTER");
  });

  it("a higher advert after priority 0 ends the short wait", () => {
    const rig = backup().hear(120).hear(0).pass(300).hear(150, HIGHER).pass(3_000);
    expect(rig.name).toBe("BACKUP");
  });

  it("nopreempt obeys every master, and claims when there is none", () => {
    const rig = backup({ preempt: false }).passHearing(30_000, 1_000, 1);
    expect([rig.name, rig.said()]).toEqual(["BACKUP", []]);
    expect(rig.pass(2_700).name).toBe("MASTER");
  });

  it("nopreempt claims Skew_Time after priority 0", () => {
    expect(backup({ preempt: false }).hear(50).hear(0).pass(609.375).name).toBe("MASTER");
  });

  it("preempt_delay begins with the first lower advert; then the timer runs out", () => {
    // keepalived 2.2.7, measured: delay 3 s, priority 200, first advert at 0.7 s, takeover 5.9 s after the start.
    const rig = backup({ priority: 200, preemptDelay: seconds(3) }).pass(700);
    rig.passHearing(10_000, 1_000, 100);
    expect(rig.at.get("BACKUP->MASTER preempting")).toBeCloseTo(700 + 2_000 + 3_218.75, 3);
  });

  it("preempt_delay starts anew after a higher master was heard", () => {
    const rig = backup({ preemptDelay: seconds(3) })
      .hear(90)
      .pass(2_900)
      .hear(150, HIGHER)
      .pass(1_000)
      .hear(90);
    expect(rig.pass(2_900).hear(90).pass(3_600).name).toBe("BACKUP");
  });

  it("version 3 learns the master's interval and restores its own as MASTER", () => {
    const rig = backup({ version: 3 }).hear(150, HIGHER, seconds(4)).pass(12_000);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(2_437.5).name).toBe("MASTER");
    rig.said();
    expect(
      rig
        .pass(10_000)
        .said()
        .filter((it) => it === "send-advert"),
    ).toHaveLength(10);
  });

  it("version 3 does not learn from an advert that it discards", () => {
    const rig = backup({ version: 3 }).hear(50, LOWER, seconds(20)).pass(MASTER_DOWN_100);
    expect(rig.name).toBe("MASTER");
  });

  it("a backup that was itself asleep for longer than Master_Down listens once more before it claims", () => {
    const rig = backup()
      .hear(150)
      .freeze(3 * MASTER_DOWN_100)
      .thaw();
    expect([rig.name, rig.said()]).toEqual(["BACKUP", []]);
    expect(rig.pass(MASTER_DOWN_100).name).toBe("MASTER");
  });

  it("and for all of Master_Down, also when a resignation was the last thing it heard", () => {
    const rig = backup().hear(150).hear(0).freeze(5_000).thaw();
    expect(rig.pass(MASTER_DOWN_100 - 1).name).toBe("BACKUP");
    expect(rig.pass(1).name).toBe("MASTER");
  });
});

describe("MASTER (RFC 9568 section 6.4.3)", () => {
  it("advertises every interval on an absolute schedule, even when woken late", () => {
    const rig = master();
    const first = nextDeadline(rig.state)!;
    for (let advert = 0; advert < 100; advert++) {
      rig.now = (first + advert * 1_000_000 + 7_000) as typeof first;
      expect(rig.thaw().said()).toEqual(["send-advert"]);
      expect(nextDeadline(rig.state)).toBe(first + (advert + 1) * 1_000_000);
    }
  });

  it("sends one advert, not two, after more than an interval was missed, and counts from now", () => {
    const rig = master();
    const due = nextDeadline(rig.state)!;
    rig.now = (due + 1_500_000) as typeof due;
    expect(rig.thaw().said()).toEqual(["send-advert"]);
    expect(nextDeadline(rig.state)).toBe(due + 2_500_000);
  });

  it("the first advert after the claim is at most a sixteenth of the interval early, never late", () => {
    const rig = backup().pass(MASTER_DOWN_100);
    const wait = (nextDeadline(rig.state)! - rig.now) / 1_000;
    expect(wait).toBeLessThanOrEqual(1_000);
    expect(wait).toBeGreaterThan(1_000 - 62.5);
  });

  it("announces a second time after garp_master_delay", () => {
    const rig = backup().pass(MASTER_DOWN_100);
    rig.said();
    expect(rig.pass(4_999).said()).not.toContain("announce 5");
    expect(rig.pass(1).said()).toContain("announce 5");
    expect(rig.pass(20_000).said()).not.toContain("announce 5");
  });

  it("repeats the announcement every garp_master_refresh", () => {
    const garp = { ...configWith().garp, refresh: seconds(10), refreshRepeat: 2 };
    const rig = backup({ garp }).pass(MASTER_DOWN_100);
    rig.said();
    expect(
      rig
        .pass(35_000)
        .said()
        .filter((it) => it === "announce 2"),
    ).toHaveLength(3);
  });

  it("(710) answers priority 0 with an advert, and announces again: the one who resigns may have announced last", () => {
    expect(master().hear(0).said()).toEqual(["send-advert", "announce 5"]);
  });

  it("(775) answers a lower priority with an advert and announces again, whoever announces last has the clients", () => {
    const rig = master().hear(99);
    expect(rig.said()).toEqual(["send-advert", "announce 5", "lower 99"]);
    expect(rig.pass(5_000).said()).toContain("announce 5");
  });

  it("lower_prio_no_advert announces only", () => {
    expect(master({ lowerPrioNoAdvert: true }).hear(99).said()).toEqual(["announce 5", "lower 99"]);
  });

  it("(725) yields to a higher priority without resigning", () => {
    const rig = master().hear(101);
    expect(rig.said()).toEqual(["remove-addresses", "MASTER->BACKUP higher-priority-advert"]);
    expect(rig.pass(MASTER_DOWN_100 - 1).name).toBe("BACKUP");
    expect(rig.pass(1).name).toBe("MASTER");
  });

  it("(725) yields to an equal priority with a higher address, not with a lower one", () => {
    expect(master().hear(100, HIGHER).said()).toContain("MASTER->BACKUP equal-priority-higher-address");
    expect(master().hear(100, LOWER).said()).toContain("lower 100");
  });

  it("higher_prio_send_advert says the lower priority once more, after the addresses are gone", () => {
    const rig = master({ higherPrioSendAdvert: true }).hear(101);
    expect(rig.said()).toEqual(["remove-addresses", "MASTER->BACKUP higher-priority-advert", "send-yielded"]);
  });

  it("(740) version 3 takes the interval of the master it yields to", () => {
    const rig = master({ version: 3 }).hear(150, HIGHER, seconds(4)).pass(14_437);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(0.5).name).toBe("MASTER");
  });

  it("an address that somebody removed: the rest goes, priority 0, and it claims again after Skew_Time", () => {
    const rig = master().send({ kind: "address-removed", address: virtualAddress("192.0.2.100").address });
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP address-removed"]);
    expect(rig.pass(609.374).name).toBe("BACKUP");
    expect(rig.pass(0.001).said()).toContain("BACKUP->MASTER master-down");
  });

  it("an address that the kernel refuses is FAULT, tried again after ten adverts", () => {
    const { address } = virtualAddress("192.0.2.100");
    const rig = master().send({ kind: "address-refused", address, reason: "EPERM" });
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->FAULT fault"]);
    expect(rig.pass(9_999).name).toBe("FAULT");
    expect(rig.pass(1).said()).toEqual(["faults none", "FAULT->BACKUP recovered"]);
  });
});

describe("priorities and trackers", () => {
  it("a changed priority moves a BACKUP's running timer by the difference of Master_Down", () => {
    const rig = backup().pass(1_000).fitness({ priority: 228 });
    expect(rig.said()).toEqual(["priority 100->228"]);
    rig.pass(10_000);
    expect(rig.at.get("BACKUP->MASTER master-down")).toBe(MASTER_DOWN_100 - 500);
  });

  it("a MASTER goes on with its new priority until somebody higher is heard", () => {
    const rig = master().fitness({ priority: 80 });
    expect(rig.said()).toEqual(["priority 100->80"]);
    expect(rig.hear(90).said()).toContain("MASTER->BACKUP higher-priority-advert");
  });

  it("any fault is FAULT at once, in BACKUP as well", () => {
    expect(
      backup()
        .fitness({ faults: [SCRIPT_FAULT] })
        .said(),
    ).toEqual(["BACKUP->FAULT fault"]);
  });

  it("a MASTER in trouble removes its addresses before it says priority 0", () => {
    const rig = master().fitness({ faults: [LINK_FAULT] });
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->FAULT fault"]);
  });

  it("FAULT hears nothing and never claims", () => {
    const rig = backup().fitness({ faults: [SCRIPT_FAULT] });
    rig.said();
    expect(rig.hear(0).hear(1).pass(100_000).said()).toEqual([]);
    expect(nextDeadline(rig.state)).toBeNull();
  });

  it("FAULT ends when the last fault does, and not while a tracker is still unknown", () => {
    const rig = backup()
      .fitness({ faults: [SCRIPT_FAULT, LINK_FAULT] })
      .fitness({ faults: [LINK_FAULT] });
    expect(rig.name).toBe("FAULT");
    expect(rig.fitness({ waiting: true }).name).toBe("FAULT");
    expect(rig.fitness().name).toBe("BACKUP");
  });

  it("a tracker that becomes unknown does not stop a router that runs", () => {
    expect(master().fitness({ waiting: true }).said()).toEqual([]);
    expect(backup().fitness({ waiting: true }).said()).toEqual([]);
  });

  it("the same fitness again says nothing", () => {
    const rig = master().fitness().fitness();
    expect(rig.said()).toEqual([]);
  });
});

describe("the incident fault-to-master", () => {
  it("leaving FAULT passes through BACKUP with a full Master_Down, each state announced exactly once", () => {
    const rig = new Rig(configWith({ initialState: "MASTER", priority: 255 })).begin();
    rig
      .pass(10_000)
      .fitness({ faults: [SCRIPT_FAULT] })
      .pass(1_000);
    rig.said();
    rig.fitness().pass(60_000);
    const states = rig.said().filter((it) => it.includes("->"));
    expect(states).toEqual(["FAULT->BACKUP recovered", "BACKUP->MASTER master-down"]);
    const waited = rig.at.get("BACKUP->MASTER master-down")! - rig.at.get("FAULT->BACKUP recovered")!;
    expect(waited).toBe(3_003.90625);
  });

  it("with a master alive it stays BACKUP under nopreempt", () => {
    const rig = backup({ preempt: false })
      .fitness({ faults: [SCRIPT_FAULT] })
      .pass(5_000)
      .fitness();
    expect(rig.passHearing(60_000, 1_000, 50).name).toBe("BACKUP");
  });
});

describe("stop", () => {
  it("a MASTER releases the addresses first, then resigns", () => {
    const rig = master().stop();
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->STOP stop"]);
    expect(nextDeadline(rig.state)).toBeNull();
  });

  it("a BACKUP and a FAULT only stop", () => {
    expect(backup().stop().said()).toEqual(["BACKUP->STOP stop"]);
    expect(
      backup()
        .fitness({ faults: [LINK_FAULT] })
        .stop()
        .said()
        .at(-1),
    ).toBe("FAULT->STOP stop");
  });

  it("after it nothing happens any more", () => {
    const rig = master().stop();
    rig.said();
    rig
      .fitness({ faults: [LINK_FAULT] })
      .fitness()
      .hear(0)
      .hear(255, HIGHER)
      .stop()
      .pass(100_000);
    expect(rig.said()).toEqual([]);
  });
});

describe("a stalled loop", () => {
  it("a MASTER that slept through the peers' Master_Down gives up instead of going on", () => {
    const rig = master().freeze(6_000).thaw();
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP stalled"]);
    expect(rig.pass(MASTER_DOWN_100 - 1).name).toBe("BACKUP");
  });

  it("gives up before it does anything else: a lower advert is not answered", () => {
    const rig = master().freeze(6_000).hear(50);
    expect(rig.said().slice(0, 3)).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP stalled"]);
    expect(rig.name).toBe("BACKUP");
  });

  it("goes on when no peer can have lost patience", () => {
    const rig = master();
    const due = nextDeadline(rig.state)!;
    rig.now = (due + 2_000_000) as typeof due;
    expect(rig.thaw().said()).toEqual(["send-advert"]);
  });
});

describe("adverts in fractions of a second", () => {
  it("version 3 at 10 ms: 100 adverts a second and a failover within 33 ms", () => {
    const rig = backup({ version: 3, advertInterval: millis(10) }).hear(150, HIGHER, millis(10));
    expect(rig.pass(36).name).toBe("BACKUP");
    expect(rig.pass(0.1).name).toBe("MASTER");
    rig.said();
    expect(rig.pass(1_000).said()).toHaveLength(100);
  });
});
