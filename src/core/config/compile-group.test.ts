import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

function load(text: string) {
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf", { lint: false });
  return { config, codes: diagnostics.map(({ code }) => code) };
}

const instance = (name: string, id: number, lines = ""): string =>
  `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${id}\nvirtual_ipaddress {\n192.0.2.${id}\n}\n${lines}\n}\n`;
const group = (lines: string, name = "G1"): string => `vrrp_sync_group ${name} {\n${lines}\n}\n`;
const members = (...names: readonly string[]): string => `group {\n${names.join("\n")}\n}\n`;
const SCRIPT = 'vrrp_script chk {\nscript "/bin/true"\ntimeout 1\n}\n';
const PAIR = instance("VI_1", 1) + instance("VI_2", 2);

describe("vrrp_sync_group", () => {
  it("joins instances that are defined further down", () => {
    const { config, codes } = load(group(members("VI_1", "VI_2")) + PAIR);
    const syncGroup = {
      name: "G1",
      members: ["VI_1", "VI_2"],
      waitsForChecks: false,
      claimGate: null,
      releaseGate: null,
    };
    expect(config.instances.map(({ vrrp }) => vrrp.syncGroup)).toEqual([syncGroup, syncGroup]);
    expect(codes).toEqual([]);
  });

  it.each([
    ["a member", group(members("VI_1", "VI_2")), "track_script {\nchk\n}"],
    ["the group", group(`${members("VI_1", "VI_2")}track_script {\nchk\n}`), ""],
  ])("all its members wait for a check that %s tracks", (_who, block, own) => {
    const { config } = load(SCRIPT + block + instance("VI_1", 1, own) + instance("VI_2", 2));
    expect(config.instances.map(({ vrrp }) => vrrp.syncGroup?.waitsForChecks)).toEqual([true, true]);
  });

  it("goes without unknown members and those of another group", () => {
    const { config, codes } = load(group(members("VI_1", "VI_2", "NOPE")) + group(members("VI_2"), "G2") + PAIR);
    expect(config.groups.map(({ name, members: list }) => [name, list])).toEqual([["G1", ["VI_1", "VI_2"]]]);
    expect(codes).toEqual(["unknown-member", "member-twice", "group-too-small"]);
  });

  it("gives its trackers to every member and drops their own weights", () => {
    const tracked = SCRIPT.replace("chk", "own") + SCRIPT;
    const own = instance("VI_1", 1, "track_script {\nown weight 5\n}\ntrack_interface {\neth1\n}");
    const text =
      tracked + group(`${members("VI_1", "VI_2")}track_script {\nchk weight 7\n}`) + own + instance("VI_2", 2);
    const { config, codes } = load(text);
    for (const { vrrp } of config.instances) {
      expect(vrrp.trackScripts).toEqual([{ key: "chk", weight: 7, reverse: false }]);
    }
    expect(config.instances[0]?.vrrp.trackInterfaces).toEqual([{ key: "eth1", weight: 0, reverse: false }]);
    expect(codes).toEqual(["group-weight-ignored"]);
  });

  it("keeps the members' weights with sync_group_tracking_weight, and with its old name", () => {
    for (const [keyword, expected] of [
      ["sync_group_tracking_weight", []],
      ["global_tracking", ["deprecated"]],
    ] as const) {
      const own = instance("VI_1", 1, "track_script {\nchk weight 5\n}");
      const { config, codes } = load(
        SCRIPT + group(`${members("VI_1", "VI_2")}${keyword}`) + own + instance("VI_2", 2),
      );
      expect(config.instances[0]?.vrrp.trackScripts).toEqual([{ key: "chk", weight: 5, reverse: false }]);
      expect(codes).toEqual(expected);
    }
  });

  it("takes the longest gate of its members for all", () => {
    const gated = instance("VI_1", 1, 'notify_claim "/bin/true"\nclaim_timeout 7');
    const { config } = load(group(members("VI_1", "VI_2")) + gated + instance("VI_2", 2));
    expect(config.instances.map(({ vrrp }) => vrrp.syncGroup?.claimGate)).toEqual([{ timeout: 7e6 }, { timeout: 7e6 }]);
  });

  it("warns when members have different priorities", () => {
    const { codes } = load(group(members("VI_1", "VI_2")) + instance("VI_1", 1, "priority 90") + instance("VI_2", 2));
    expect(codes).toEqual(["group-priorities"]);
  });
});

describe("track_file and vrrp_track_process", () => {
  const FILE = "track_file f {\nfile /tmp/f\nweight 2 reverse\ninit_file 5 overwrite\n}\n";
  const PROCESS =
    'vrrp_track_process p {\nprocess "/usr/bin/a b" -x\nquorum 2\nquorum_max 4\ndelay 1.5\nfork_delay 3\n}\n';

  it("reads every keyword", () => {
    const lines = "track_file {\nf\n}\ntrack_process {\np weight -20\n}";
    const { config, codes } = load(FILE + PROCESS + instance("VI_1", 1, lines));
    expect(config.files[0]).toMatchObject({
      path: "/tmp/f",
      weight: 2,
      reverse: true,
      init: { value: 5, overwrite: true },
    });
    expect(config.processes[0]).toMatchObject({
      pattern: { argv: ["/usr/bin/a b", "-x"], paramMatch: null, fullCommand: false },
      quorum: { least: 2, most: 4, forkDelay: 3e6, terminateDelay: 1.5e6 },
      weight: 0,
    });
    expect(config.instances[0]?.vrrp).toMatchObject({
      trackFiles: [{ key: "f", weight: 2, reverse: true }],
      trackProcesses: [{ key: "p", weight: -20, reverse: false }],
    });
    expect(codes).toEqual([]);
  });

  it("says what is missing, unknown or out of range", () => {
    const bad = "track_file a {\nweight 1\n}\nvrrp_track_process b {\nquorum 1\n}\n";
    expect(load(bad).codes).toEqual(["track-incomplete", "track-incomplete"]);
    expect(load(instance("VI_1", 1, "track_file {\nf\n}")).codes).toEqual(["unknown-tracked"]);
    expect(load(FILE + instance("VI_1", 1, "track_file {\nf weight 300\n}")).codes).toEqual(["out-of-range"]);
    expect(load(FILE.replace("5 overwrite", "999 often") + PAIR).codes).toEqual(["bad-value", "bad-value"]);
    expect(load(PROCESS.replace("quorum_max 4", "quorum_max 1") + PAIR).codes).toEqual(["bad-value"]);
  });
});

describe("announcements", () => {
  it("vrrp_min_garp means one frame and no second burst; what an instance says itself counts more", () => {
    const globals = "global_defs {\nvrrp_min_garp\nvrrp_garp_extra_if all 30\n}\n";
    const { config } = load(
      globals + instance("VI_1", 1) + instance("VI_2", 2, "garp_master_repeat 3\ngarp_extra_if 0"),
    );
    expect(config.instances[0]?.vrrp.garp).toMatchObject({ delay: 0, repeat: 1, extraPeriod: 30e6, extraAll: true });
    expect(config.instances[1]?.vrrp.garp).toMatchObject({ delay: 0, repeat: 3, extraPeriod: 0, extraAll: false });
  });

  it("garp_group shares a spacing, and what it leaves out is the global one", () => {
    const globals = "global_defs {\nvrrp_garp_interval 0.1\nvrrp_gna_interval 0.2\n}\n";
    const groups = "garp_group {\ngarp_interval 0.5\ninterfaces {\neth0\neth1\n}\n}\ngarp_group {\ninterface eth1\n}\n";
    const { config, codes } = load(globals + groups + PAIR);
    expect(config.host.spacing).toEqual({
      arp: 100_000,
      na: 200_000,
      groups: [{ arp: 500_000, na: 200_000, interfaces: ["eth0", "eth1"] }],
    });
    expect(codes).toEqual(["bad-value"]);
  });
});

describe("smaller rules of the election", () => {
  it("unicast_fault_no_peer keeps away from the multicast group", () => {
    const { config } = load(instance("VI_1", 1, "unicast_fault_no_peer"));
    expect(config.instances[0]?.vrrp.transport).toMatchObject({ kind: "unicast", peers: [] });
  });

  it("timer_expired_backup names the highest peer", () => {
    const highest = (lines: string) => load(instance("VI_1", 1, lines)).config.instances[0]?.vrrp.highestPeerPriority;
    expect([highest(""), highest("timer_expired_backup"), highest("thread_timer_expired 150")]).toEqual([
      255, 255, 150,
    ]);
    expect(load(instance("VI_1", 1, "timer_expired_backup 255")).codes).toEqual(["bad-value"]);
  });
});
