import { expect, test } from "vitest";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import { configWith, ip, virtualAddress } from "../vrrp/example-config.ts";
import { type DeviceFacts, judgeKernel, type KernelFacts } from "./kernel-settings.ts";
import { readMemberships } from "./memberships.ts";

const own = { address: ip("192.168.11.81"), prefixLength: 24 };
const wide = { ...virtualAddress("192.168.11.100"), prefixLength: 24 };
const eth0: DeviceFacts = { up: true, running: true, multicast: true, neighbours: true, addresses: [own] };
const router = configWith({ name: "VI_1", interface: "eth0" });
const running = (state: string): KernelFacts["daemon"] => ({
  pid: 1,
  keeperPid: 2,
  stateDir: "/var/lib/holdfast",
  instances: [{ name: "VI_1", state, phase: state, holding: state === "MASTER", source: own.address }],
  peers: [],
});

interface Planted {
  readonly vrrp?: Partial<VrrpInstanceConfig>;
  readonly eth0?: Partial<DeviceFacts> | null;
  readonly settings?: Readonly<Record<string, number>>;
  readonly facts?: Partial<KernelFacts>;
}

const others: Readonly<Record<string, DeviceFacts>> = { e1: eth0, lo: { ...eth0, neighbours: false } };

/** A host that is as it should be, but for what is planted. */
function judge({ vrrp = {}, eth0: device = {}, settings = {}, facts = {} }: Planted) {
  return judgeKernel({
    instances: [{ ...router, ...vrrp }],
    daemon: running("BACKUP"),
    device: (name) => others[name] ?? (name === "eth0" && device !== null ? { ...eth0, ...device } : null),
    setting: (path) => settings[path] ?? 0,
    joined: () => true,
    undelivered: new Set(),
    reversePathDrops: 0,
    ipvs: { wanted: false, there: false },
    ...facts,
  }).map(({ id, fix }) => `${id}: ${fix.split(";")[0]}`);
}

const path = (name: string, device = "eth0") => `ipv4/conf/${device}/${name}`;
const undelivered = { undelivered: new Set(["VI_1"]), reversePathDrops: 3 };

test.each<[string, Planted, string]>([
  ["no such interface", { eth0: null }, "interface-missing: ip link: what there is"],
  ["down", { eth0: { up: false } }, "interface-down: ip link set eth0 up"],
  ["no carrier", { eth0: { running: false } }, "interface-down: ethtool eth0: cable, switch port, bond"],
  ["no multicast", { eth0: { multicast: false } }, "no-multicast: ip link set eth0 multicast on"],
  ["group not joined", { facts: { joined: () => false } }, "group-not-joined: holdfast reload"],
  [
    "rp_filter",
    { settings: { [path("rp_filter", "all")]: 1 }, facts: undelivered },
    "rp-filter: sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth0.rp_filter=2",
  ],
  ["arp_ignore 8", { settings: { [path("arp_ignore")]: 8 } }, "arp-ignore: sysctl -w net.ipv4.conf.eth0.arp_ignore=1"],
  [
    "arp_ignore 8 of all",
    { settings: { [path("arp_ignore", "all")]: 8 } },
    "arp-ignore: sysctl -w net.ipv4.conf.all.arp_ignore=1",
  ],
  [
    "arp_ignore 8 on the address's own interface",
    { settings: { [path("arp_ignore", "e1")]: 8 }, vrrp: { advertised: [{ ...wide, device: "e1" }] } },
    "arp-ignore: sysctl -w net.ipv4.conf.e1.arp_ignore=1",
  ],
  [
    "arp_ignore 1 and an address on lo",
    { settings: { [path("arp_ignore")]: 1 }, vrrp: { advertised: [{ ...wide, device: "lo" }] } },
    "arp-ignore: put 192.168.11.100 on eth0, without dev lo in the file",
  ],
  [
    "arp_filter",
    { settings: { [path("arp_filter")]: 1 } },
    "arp-filter: sysctl -w net.ipv4.conf.all.arp_filter=0 net.ipv4.conf.eth0.arp_filter=0",
  ],
  [
    "the prefix of another address",
    { vrrp: { advertised: [wide] } },
    "secondaries: sysctl -w net.ipv4.conf.all.promote_secondaries=1 net.ipv4.conf.eth0.promote_secondaries=1",
  ],
  [
    "IPv6 off",
    { settings: { "ipv6/conf/eth0/disable_ipv6": 1 }, vrrp: { excluded: [virtualAddress("2001:db8::1")] } },
    "ipv6-off: sysctl -w net.ipv6.conf.eth0.disable_ipv6=0",
  ],
  ["no IPVS", { facts: { ipvs: { wanted: true, there: false } } }, "ipvs-missing: modprobe ip_vs"],
])("planted: %s", (_title, planted, expected) => {
  expect(judge(planted)).toEqual([expected]);
});

test.each<[string, Planted]>([
  ["all as it should be", {}],
  ["unicast needs no multicast", { eth0: { multicast: false }, vrrp: { transport: { ...unicast() } } }],
  ["in FAULT nothing is joined", { facts: { joined: () => false, daemon: running("FAULT") } }],
  ["without a daemon nothing is joined", { facts: { joined: () => false, daemon: null } }],
  ["loose rp_filter", { settings: { [path("rp_filter")]: 2 }, facts: undelivered }],
  ["rp_filter that drops others' packets", { settings: { [path("rp_filter")]: 1 }, facts: { reversePathDrops: 3 } }],
  ["arp_ignore 1 and the address on the interface itself", { settings: { [path("arp_ignore")]: 1 } }],
  [
    "arp_ignore 1 of all and an address on an interface of its own",
    { settings: { [path("arp_ignore", "all")]: 1 }, vrrp: { advertised: [{ ...wide, device: "e1" }] } },
  ],
  [
    "arp_ignore 8 where the address is not",
    { settings: { [path("arp_ignore")]: 8 }, vrrp: { advertised: [{ ...wide, device: "e1" }] } },
  ],
  ["promoted", { vrrp: { advertised: [wide] }, settings: { [path("promote_secondaries", "all")]: 1 } }],
  ["promoted by the daemon", { vrrp: { advertised: [wide], promoteSecondaries: true } }],
  ["IPv6 off where nobody needs it", { settings: { "ipv6/conf/eth0/disable_ipv6": 1 } }],
  ["IPVS is there", { facts: { ipvs: { wanted: true, there: true } } }],
])("nothing to say: %s", (_title, planted) => {
  expect(judge(planted)).toEqual([]);
});

function unicast(): VrrpInstanceConfig["transport"] {
  return { kind: "unicast", peers: [], ttl: 255, checkSource: false, peerTtls: [], checksum: "auto" };
}

test("groups are read as the kernel lists them", () => {
  const igmp = [
    "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter",
    "1\tlo        :     1      V3",
    "\t\t\t\t010000E0     1 0:00000000\t\t0",
    "2\teth0      :     2      V3",
    "\t\t\t\t120000E0     1 0:00000000\t\t0",
    "\t\t\t\t010000E0     1 0:00000000\t\t0",
  ].join("\n");
  expect([...readMemberships(igmp, 4)]).toEqual(["lo 224.0.0.1", "eth0 224.0.0.18", "eth0 224.0.0.1"]);
  const igmp6 = "2    eth0            ff020000000000000000000000000012     1 00000004 0\n";
  expect([...readMemberships(igmp6, 6)]).toEqual(["eth0 ff02::12"]);
});
