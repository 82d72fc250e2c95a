import { describe, expect, it } from "vitest";
import { micros, seconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { configWith, password, virtualAddress } from "./example-config.ts";
import { nextDeadline } from "./machine.ts";
import { HIGHER, Rig, SCRIPT_FAULT } from "./rig.suite.ts";

const running = (after: number, changes: Partial<VrrpInstanceConfig> = {}): Rig => {
  const rig = new Rig(configWith(changes)).begin().pass(after);
  rig.said();
  return rig;
};
const MASTER_DOWN_100 = 3_609.375;

describe("a reload", () => {
  it("that changes nothing does nothing, in any role", () => {
    for (const after of [0, 1_000, 30_000]) {
      const rig = running(after);
      const before = rig.state;
      expect(rig.reconfigure(configWith()).said()).toEqual([]);
      expect(rig.state).toEqual(before);
    }
  });

  it("leaves a MASTER a MASTER and advertises a changed priority at once", () => {
    const rig = running(30_000).reconfigure(configWith({ priority: 50 }));
    expect(rig.said()).toEqual(["send-advert", "priority 100->50"]);
    expect(rig.name).toBe("MASTER");
  });

  it("advertises at once whatever else the peers would see", () => {
    const changes: Partial<VrrpInstanceConfig>[] = [
      { advertInterval: seconds(2) },
      { authentication: password("1111") },
      { advertised: [virtualAddress("192.0.2.101")] },
    ];
    for (const change of changes) {
      expect(running(30_000).reconfigure(configWith(change)).said()).toEqual(["send-advert"]);
    }
  });

  it("keeps the new interval from then on", () => {
    const rig = running(30_000).reconfigure(configWith({ advertInterval: seconds(2) }));
    rig.said();
    expect(rig.pass(20_000).said()).toHaveLength(10);
  });

  it("keeps weights that are in force", () => {
    const rig = running(1_000);
    rig.fitness({ priority: 130 });
    rig.said();
    expect(rig.reconfigure(configWith({ priority: 150 })).said()).toEqual(["priority 130->180"]);
    expect(rig.reconfigure(configWith({ priority: 250 })).state.priority).toBe(254);
    expect(rig.reconfigure(configWith({ priority: 255 })).state.priority).toBe(255);
    expect(rig.reconfigure(configWith({ priority: 100 })).state.priority).toBe(100);
  });

  it("moves a BACKUP's running timer by the difference of Master_Down", () => {
    const rig = running(1_000).reconfigure(configWith({ advertInterval: seconds(2), priority: 228 }));
    rig.pass(60_000);
    expect(rig.at.get("BACKUP->MASTER master-down")).toBe(MASTER_DOWN_100 + 3_000 - 500);
  });

  it("moves it to now at the earliest", () => {
    const rig = running(3_000).reconfigure(configWith({ downTimerAdverts: 1 }));
    expect(nextDeadline(rig.state)).toBe(rig.now);
  });

  it("keeps a learned interval in version 3", () => {
    const rig = running(0, { version: 3 }).hear(150, HIGHER, seconds(4));
    rig.reconfigure(configWith({ version: 3, advertInterval: seconds(2) })).pass(14_400);
    expect(rig.name).toBe("BACKUP");
    expect(rig.pass(40).name).toBe("MASTER");
  });

  it("applies a new lease at once, before the advert", () => {
    const rig = running(30_000, { leaseSeconds: 2 }).reconfigure(configWith({ leaseSeconds: 9 }));
    expect(rig.said()).toEqual(["renew-lease", "send-advert"]);
    expect(rig.freeze(2_500).thaw().name).toBe("MASTER");
  });

  it("makes addresses permanent when the lease is switched off", () => {
    const rig = running(30_000, { leaseSeconds: 2 }).reconfigure(configWith());
    expect(rig.said()).toEqual(["renew-lease", "send-advert"]);
    expect(rig.pass(30_000).said()).not.toContain("renew-lease");
  });

  it("follows a changed garp_master_refresh", () => {
    const garp = { ...configWith().garp, refresh: seconds(4), delay: micros(0) };
    const rig = running(30_000).reconfigure(configWith({ garp }));
    expect(
      rig
        .pass(20_000)
        .said()
        .filter((it) => it === "announce 1"),
    ).toHaveLength(5);
  });

  it("that drops the claim gate ends what waited for it", () => {
    const claimGate = { timeout: seconds(30) };
    const claiming = running(10_000, { claimGate });
    expect(claiming.phase).toBe("CLAIMING");
    expect(claiming.reconfigure(configWith()).said()).toContain("BACKUP->MASTER master-down");
    const preparing = new Rig(configWith({ claimGate })).begin().passHearing(5_000, 1_000, 50);
    preparing.said();
    expect(preparing.reconfigure(configWith()).said()).toEqual(["cancel 1", "(PREPARING->BACKUP) reconfigured"]);
    expect(preparing.pass(0).name).toBe("MASTER");
  });

  it("that drops the release gate ends the release", () => {
    const rig = running(10_000, { releaseGate: { timeout: seconds(30) } }).stop();
    expect(rig.phase).toBe("RELEASING");
    expect(rig.reconfigure(configWith()).name).toBe("STOP");
  });

  it("that drops the claim gate lifts the FAULT of a refused claim", () => {
    const rig = running(10_000, { claimGate: { timeout: seconds(30) } }).refused();
    expect(rig.name).toBe("FAULT");
    expect(rig.reconfigure(configWith()).name).toBe("BACKUP");
  });

  it("does not lift any other FAULT", () => {
    const rig = running(1_000).fitness({ faults: [SCRIPT_FAULT] });
    expect(rig.reconfigure(configWith({ priority: 120 })).name).toBe("FAULT");
  });
});
