import { describe, expect, it } from "vitest";
import { instant } from "../lib/units.ts";
import { echoAt, followingEcho, startEchoes } from "./echoes.ts";
import { configWith } from "./example-config.ts";
import { Rig } from "./rig.suite.ts";
import { virtualMac } from "./virtual-interface.ts";

const VMAC = {
  kind: "macvlan",
  name: "vrrp.82",
  base: "eth0",
  mac: virtualMac(4, 82),
  ipvlanMode: "bridge",
  group: null,
  ipv6: false,
} as const;
const CLIENT_PATIENCE = 10_000;

describe("echoes of an announcement", () => {
  it("none without a virtual MAC", () => {
    expect(startEchoes(configWith(), instant(1))).toBeNull();
  });

  it("never leave a client waiting for 10 ms while the old master may still be yielding", () => {
    const moments: number[] = [0];
    let echo = startEchoes(configWith({ virtualInterfaces: [VMAC] }), instant(0));
    for (; echo !== null; echo = followingEcho(echo, echoAt(echo))) moments.push(echoAt(echo));
    const early = moments.filter((moment) => moment <= 44_000);
    for (let at = 1; at < early.length; at++) {
      expect((early[at] ?? 0) - (early[at - 1] ?? 0)).toBeLessThan(CLIENT_PATIENCE);
    }
    expect(moments.at(-1)).toBe(200_000);
  });

  it("those missed while the process stood still are not made up for", () => {
    const echo = startEchoes(configWith({ virtualInterfaces: [VMAC] }), instant(0));
    const next = echo && followingEcho(echo, instant(50_000));
    expect(next && echoAt(next)).toBe(60_000);
  });

  it("a MASTER with a virtual MAC speaks again after its takeover, and again after a rival was heard", () => {
    const rig = new Rig(configWith({ virtualInterfaces: [VMAC] })).begin().pass(3_609.375);
    expect(rig.name).toBe("MASTER");
    rig.said();
    expect(
      rig
        .pass(201)
        .said()
        .filter((word) => word === "echo"),
    ).toHaveLength(11);
    expect(rig.pass(500).said()).not.toContain("echo");
    rig.hear(50);
    rig.said();
    expect(
      rig
        .pass(201)
        .said()
        .filter((word) => word === "echo"),
    ).toHaveLength(11);
  });
});
