import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import { emptyCounters, type VrrpInstanceStatus } from "../vrrp/status.ts";
import { renderVrrpData } from "./data.ts";
import type { DumpInput, InterfaceFacts } from "./input.ts";
import { renderJson } from "./json.ts";

/** Of Ethernet, up and running. */
function interfaceOf(name: string, index: number): InterfaceFacts {
  return {
    name,
    index,
    ipv4: null,
    ipv6: null,
    mac: "02:00:00:00:00:01",
    broadcast: "ff:ff:ff:ff:ff:ff",
    flags: 0x1043 | 0x2,
    running: true,
    mtu: 1_500,
    hardwareType: 1,
  };
}

function inputOf(text: string, change: Partial<VrrpInstanceStatus> = {}): DumpInput {
  const { config } = loadConfig(memorySource({ "/k.conf": text }, { hasInterface: () => true }), "/k.conf");
  return {
    config,
    instances: config.instances.map(({ vrrp }) => ({
      name: vrrp.name,
      interface: vrrp.interface,
      virtualRouterId: vrrp.virtualRouterId,
      version: vrrp.version,
      state: "MASTER",
      phase: "MASTER",
      cause: { code: "ready" },
      since: 0,
      basePriority: vrrp.priority,
      priority: vrrp.priority,
      faults: [],
      syncGroup: vrrp.syncGroup?.name ?? null,
      wantsMaster: false,
      addresses: [],
      holding: true,
      leaseUntil: null,
      master: null,
      source: null,
      timers: { deadline: null, masterDown: 1, masterAdvertInterval: 1 },
      ahSequence: null,
      counters: emptyCounters(),
      ...change,
    })),
    checks: [],
    trackers: { files: { number: { kind: "value", value: 5 } }, processes: { program: { kind: "ok", count: 2 } } },
    interfaces: [interfaceOf("eth0", 2), interfaceOf("vrrp.51", 3)],
    accounts: { users: new Map([["daemon", { uid: 1, gid: 2 }]]), groups: new Map([["adm", 4]]) },
    hostName: "host",
    umask: 0o177,
    now: { at: 0, wall: 0, utcOffsetMinutes: 0 },
  };
}

const instance = (lines: string, name = "VI_1", id = 51): string =>
  `vrrp_instance ${name} {\n interface eth0\n virtual_router_id ${id}\n virtual_ipaddress {\n 10.9.0.100/24\n }\n${lines}\n}\n`;

/** The lines of one section, without its title. */
function sectionOf(input: DumpInput, title: string): readonly string[] | null {
  const lines = renderVrrpData(input).trimEnd().split("\n");
  const start = lines.indexOf(`------< ${title} >------`);
  if (start < 0) return null;
  const end = lines.findIndex((line, at) => at > start && line.startsWith("------<"));
  return lines.slice(start + 1, end < 0 ? undefined : end);
}

test("sections stand in keepalived's order, and one without content is left out", () => {
  const titles = (text: string) =>
    renderVrrpData(inputOf(text))
      .split("\n")
      .flatMap((line) => /^------< (.*) >------$/.exec(line)?.[1] ?? []);
  expect(titles(instance(""))).toEqual(["Global definitions", "VRRP Topology", "VRRP Sockpool", "Interfaces"]);
  const all = `
global_defs {
  vrrp_garp_interval 0.5
}
static_ipaddress {
  10.9.0.50/24 dev eth0
}
static_routes {
  10.40.0.0/16 dev eth0
}
static_rules {
  from 10.9.0.0/24 table 100 priority 200
}
track_group TG {
  group {
    VI_1
  }
}
vrrp_script check {
  script "/usr/bin/true"
}
track_file number {
  file /run/number
}
vrrp_track_process program {
  process program
}
vrrp_sync_group G1 {
  group {
    VI_1
    VI_2
  }
  sync_group_tracking_weight
}
${instance("track_script {\n check\n }\n track_file {\n number\n }")}${instance("", "VI_2", 52)}`;
  expect(titles(all)).toEqual([
    "Global definitions",
    "Gratuitous ARP delays",
    "GARP delay group 0",
    "Static Addresses",
    "Static Routes",
    "Static Rules",
    "Static Track groups",
    "VRRP Topology",
    "VRRP Sockpool",
    "VRRP Sync groups",
    "VRRP Scripts",
    "VRRP Track files",
    "VRRP Track processes",
    "Interfaces",
  ]);
});

describe("routing", () => {
  test.each([
    [
      "10.40.0.0/16 via 10.9.0.9 dev eth0 metric 5",
      "prepend 10.40.0.0/16 via inet 10.9.0.9 dev eth0 proto 18 metric 5",
    ],
    ["blackhole 10.41.0.0/16", "add blackhole 10.41.0.0/16 proto 18 no_track"],
    ["10.42.0.0/16 dev eth0 table 100 no_track", "prepend 10.42.0.0/16 dev eth0 table 100 no_track"],
    ["default via 10.9.0.9 dev eth0", "prepend 0.0.0.0/0 via inet 10.9.0.9 dev eth0 proto 18"],
    ["fd40::/16 via fd00::9 dev eth0 pref high", "prepend fd40::/16 via inet6 fd00::9 dev eth0 proto 18 pref high"],
    [
      "10.43.0.0/16 dev eth0 rtt 300ms mtu lock 1400 quickack 1 congctl cubic",
      "prepend 10.43.0.0/16 dev eth0 proto 18 congctl cubic rtt 300ms mtu lock 1400 quickack 1",
    ],
    [
      "10.65.0.0/16 encap ip id 5 dst 10.9.0.7 src 10.9.0.1 ttl 7 tos 3 dev eth0",
      "prepend 10.65.0.0/16 encap ip id 5 dst 10.9.0.7 src 10.9.0.1 tos 3 ttl 7 dev eth0 proto 18",
    ],
    [
      "10.52.0.0/16 nexthop via 10.9.0.9 dev eth0 weight 3 onlink nexthop dev eth1 weight 2",
      "prepend 10.52.0.0/16 proto 18 nexthop via inet 10.9.0.9 dev eth0 weight 3 onlink nexthop dev eth1 weight 2 no_track",
    ],
  ])("route %s", (line, wanted) => {
    const input = inputOf(`static_routes {\n ${line}\n}\n${instance(`virtual_routes {\n ${line}\n }`)}`);
    expect(sectionOf(input, "Static Routes")).toEqual([`     ${wanted}`]);
    expect(JSON.parse(renderJson(input))[0].data.vroutes).toEqual([wanted]);
  });

  test.each([
    ["from 10.9.0.0/24 table 100 priority 200", "from 10.9.0.0/24 priority 200 tos 0x0 protocol 18 lookup 100"],
    [
      "to 10.7.0.0/24 lookup main priority 201 no_track",
      "from all to 10.7.0.0/24 priority 201 tos 0x0 lookup 254 no_track",
    ],
    [
      "unreachable to 10.6.0.0/24 priority 202",
      "from all to 10.6.0.0/24 priority 202 tos 0x0 protocol 18 type unreachable",
    ],
    ["from 10.5.0.0/16 goto 503 priority 499", "from 10.5.0.0/16 priority 499 tos 0x0 protocol 18 goto 503"],
    [
      "not from 10.6.1.0/24 fwmark 3/7 uidrange 5-7 ipproto tcp sport 10-20 table 7 priority 203",
      "not from 10.6.1.0/24 priority 203 tos 0x0 fwmark 0x3/0x7 uidrange 5-7 protocol 18 ipproto 6 sport 10-20 lookup 7",
    ],
  ])("rule %s", (line, wanted) => {
    const input = inputOf(`static_rules {\n ${line}\n}\n${instance("")}`);
    expect(sectionOf(input, "Static Rules")).toEqual([`     ${wanted}`]);
  });
});

test("a sync group has its own trackers, its members keep theirs, and a sibling's fault is no fault of a member", () => {
  const text = `
vrrp_sync_group G1 {
  group {
    VI_1
    VI_2
  }
  track_interface {
    eth1 weight 3
  }
  sync_group_tracking_weight
  smtp_alert
}
${instance("track_interface {\n eth1 weight 5\n }")}${instance("", "VI_2", 52)}`;
  const sibling = { kind: "sibling", group: "G1", instance: "VI_2", faults: [], more: 0 } as const;
  const input = inputOf(text, { state: "FAULT", faults: [sibling] });
  expect(sectionOf(input, "VRRP Sync groups")).toEqual([
    " VRRP Sync Group = G1, FAULT",
    "   Num member fault 0, num member init 0",
    "   VRRP member instances :",
    "     VI_1",
    "     VI_2",
    "   sync group tracking weight set",
    "   Using smtp notification = yes",
    "   Tracked interfaces :",
    "     eth1 weight 3",
  ]);
  const topology = sectionOf(input, "VRRP Topology") ?? [];
  expect(topology.filter((line) => line.includes("eth1"))).toEqual(["     eth1 weight 5"]);
  expect(topology).toContain("   Number of config faults = 0");
});

test("tracked files and processes show what they stand at and who tracks them", () => {
  const text = `
track_file number {
  file /run/number
  weight 2
}
track_file nobody {
  file /run/number
}
vrrp_track_process program {
  process program first
  weight 3 reverse
  quorum_max 4
  delay 1
}
${instance("track_file {\n number weight 1\n }\n track_process {\n program\n }")}`;
  const input = inputOf(text);
  expect(sectionOf(input, "VRRP Track files")).toEqual([
    " Track file = number",
    "   File = /run/number",
    "   Status = 5",
    "   Weight = 2",
    "   Tracking instances :",
    "     VI_1, weight 1",
  ]);
  expect(sectionOf(input, "VRRP Track processes")).toEqual([
    " VRRP Track process = program",
    "   Process = program",
    "   Parameters = first",
    "   Min processes = 1",
    "   Max processes = 4",
    "   Current processes = 2",
    "   Have quorum = true",
    "   Weight = 3 reverse",
    "   Terminate delay = 1.000000s",
    "   Fork delay = 1.000000s",
    "   Fork delay timer not running",
    "   Terminate delay timer not running",
    "   Full command = true",
    "   Tracking instances :",
    "     VI_1, weight 3 reverse",
  ]);
});

test("an instance with a virtual MAC names it wherever keepalived does", () => {
  const input = inputOf(instance("use_vmac\n vmac_xmit_base"));
  const topology = sectionOf(input, "VRRP Topology");
  expect(topology).toContain("   Use VMAC, i/f name vrrp.51, is_up = true, xmit_base = true");
  expect(topology).toContain("   Interface = vrrp.51, vmac on eth0, xmit base i/f");
  expect(topology).toContain("     10.9.0.100/24 dev vrrp.51@eth0 scope global set");
  const interfaces = sectionOf(input, "Interfaces");
  expect(interfaces).toContain("   VMAC type private, underlying interface = eth0, state = UP, RUNNING");
  expect(interfaces).toContain("   Reset ARP config counter 1");
  expect(JSON.parse(renderJson(input))[0].data).toMatchObject({ vmac_ifname: "vrrp.51", ifp_ifname: "vrrp.51" });
});

test.each([
  ["", "0:0"],
  ["script_user daemon", "1:2"],
  ["script_user daemon adm", "1:4"],
  ["script_user stranger", "stranger:stranger"],
])("owners are numbers where the host knows them: %s", (global, wanted) => {
  const text = `global_defs {\n ${global}\n}\n${instance("notify /usr/bin/true")}`;
  expect(renderVrrpData(inputOf(text))).toContain(`'/usr/bin/true', uid:gid ${wanted}\n`);
});
