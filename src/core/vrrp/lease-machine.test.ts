import { describe, expect, it } from "vitest";
import { millis, seconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { configWith } from "./example-config.ts";
import { nextDeadline } from "./machine.ts";
import { HIGHER, Rig } from "./rig.suite.ts";

function master(changes: Partial<VrrpInstanceConfig> = {}): Rig {
  const rig = new Rig(configWith({ leaseSeconds: 2, ...changes })).begin().pass(20_000);
  expect(rig.phase).toBe("MASTER");
  rig.said();
  return rig;
}

const leaseLeft = (rig: Rig): number => {
  if (rig.state.role.kind !== "master" || rig.state.role.leaseUntil === null) throw new Error("no lease runs");
  return (rig.state.role.leaseUntil - rig.now) / 1_000;
};

describe("the kernel lease of a MASTER", () => {
  it("is granted with the addresses", () => {
    const rig = new Rig(configWith({ leaseSeconds: 2 })).begin().pass(3_609.375);
    expect(leaseLeft(rig)).toBe(2_000);
  });

  it("is renewed before an advert, in the same wake-up, and never without one", () => {
    const rig = master();
    expect(rig.pass(3_000).said()).toEqual(Array(3).fill(["renew-lease", "send-advert"]).flat());
  });

  it("is renewed at most every half second where adverts are more frequent", () => {
    const rig = master({ version: 3, advertInterval: millis(100), leaseSeconds: 1 });
    const said = rig.pass(10_000).said();
    expect(said.filter((it) => it === "send-advert")).toHaveLength(100);
    expect(said.filter((it) => it === "renew-lease")).toHaveLength(20);
  });

  it("is renewed with an answer, too, when its time has come", () => {
    const rig = master();
    rig.now = (nextDeadline(rig.state)! - 400_000) as typeof rig.now;
    expect(rig.hear(50).said().slice(0, 2)).toEqual(["renew-lease", "send-advert"]);
    expect(leaseLeft(rig)).toBe(2_000);
  });

  it("is not renewed twice within half a second by a chattering neighbour", () => {
    const rig = master();
    rig.now = (nextDeadline(rig.state)! - 300_000) as typeof rig.now;
    expect(rig.hear(50).said()).toContain("renew-lease");
    expect(rig.pass(100).hear(50).pass(100).hear(50).said()).not.toContain("renew-lease");
  });

  it("lost: the addresses are never taken back, priority 0 at once, and a new election from BACKUP", () => {
    const rig = master().freeze(2_500).thaw();
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP lease-lost"]);
    expect(rig.pass(3_609).said()).toEqual([]);
    expect(rig.pass(1).said()).toContain("BACKUP->MASTER master-down");
  });

  it("is lost at the very instant it ends", () => {
    const rig = master();
    if (rig.state.role.kind !== "master") throw new Error("no MASTER");
    rig.now = rig.state.role.leaseUntil!;
    expect(rig.thaw().said()).toContain("MASTER->BACKUP lease-lost");
  });

  it("is lost before anything else is done, whatever wakes us first", () => {
    const wakes = [
      (rig: Rig) => rig.hear(50),
      (rig: Rig) => rig.fitness(),
      (rig: Rig) => rig.send({ kind: "check-succeeded" }),
      (rig: Rig) => rig.hear(150, HIGHER),
    ];
    for (const wake of wakes) {
      const rig = wake(master().freeze(2_500));
      expect(rig.said().slice(0, 3)).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP lease-lost"]);
      expect(rig.name).toBe("BACKUP");
    }
  });

  it("a renewal that reached the kernel too late ends the mastership", () => {
    const rig = master().send({ kind: "lease-lost" });
    expect(rig.said()).toEqual(["remove-addresses", "send-resign", "MASTER->BACKUP lease-lost"]);
  });

  it("does not run while the claim gate is closed", () => {
    const rig = new Rig(configWith({ leaseSeconds: 2, claimGate: { timeout: seconds(60) } })).begin().pass(30_000);
    expect(rig.phase).toBe("CLAIMING");
    expect(rig.said()).not.toContain("renew-lease");
    rig.opened();
    expect(leaseLeft(rig)).toBe(2_000);
  });

  it("goes on while releasing, because the addresses are still there", () => {
    const rig = master({ releaseGate: { timeout: seconds(30) } }).stop();
    rig.said();
    expect(rig.pass(20_000).said()).toEqual(Array(20).fill(["renew-lease", "send-advert"]).flat());
  });

  it("vip_lease off: no renewals, and a short freeze is survived", () => {
    const rig = master({ leaseSeconds: null });
    expect(rig.pass(5_000).said()).not.toContain("renew-lease");
    expect(rig.freeze(2_500).thaw().name).toBe("MASTER");
  });
});
