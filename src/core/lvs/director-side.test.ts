import { expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import type { IpAddress } from "../lib/ip.ts";
import { type AddressSight, askedAddresses, findDirectorFaults } from "./director-side.ts";

const VIP = "192.0.2.1";

function servers(method: string, real = "192.0.2.10", vip = VIP) {
  const text = `virtual_server ${vip} 80 {\nlvs_method ${method}\nprotocol TCP\nreal_server ${real} 80 {\n}\n}\n`;
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.lvs.servers;
}

interface Changes {
  readonly settings?: Readonly<Record<string, number>>;
  readonly addresses?: readonly string[];
  readonly sight?: AddressSight;
}

const idsOf = (config: ReturnType<typeof servers>, { settings = {}, addresses = [], sight }: Changes) =>
  findDirectorFaults({
    servers: config,
    setting: (path) => settings[path] ?? null,
    addresses: new Set(addresses),
    sights: new Map(sight === undefined ? [] : [[VIP as IpAddress, sight]]),
  }).map(({ id, severity }) => `${severity} ${id}`);

test("NAT needs forwarding, of the family of its servers; DR does not", () => {
  const off = { settings: { "ipv4/ip_forward": 0, "ipv6/conf/all/forwarding": 0 } };
  expect(idsOf(servers("NAT"), off)).toEqual(["error lvs-forward"]);
  expect(idsOf(servers("DR"), off)).toEqual([]);
  expect(idsOf(servers("NAT"), { settings: { "ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 0 } })).toEqual([]);
  const six = servers("NAT", "2001:db8::10", "2001:db8::1");
  expect(idsOf(six, { settings: { "ipv4/ip_forward": 0, "ipv6/conf/all/forwarding": 1 } })).toEqual([]);
  expect(idsOf(six, off)).toEqual(["error lvs-forward"]);
});

test("somebody who answers ARP beside the director is found; the director alone is not", () => {
  const config = servers("DR");
  expect(askedAddresses(config)).toEqual([VIP]);
  expect(askedAddresses(servers("NAT"))).toEqual([]);
  expect(idsOf(config, { sight: { own: true, macs: ["02:00:00:00:00:01"] } })).toEqual(["error lvs-arp"]);
  expect(idsOf(config, { sight: { own: true, macs: [] } })).toEqual([]);
  expect(idsOf(config, { sight: { own: false, macs: ["02:00:00:00:00:01"] } })).toEqual([]);
  expect(idsOf(config, { sight: { own: false, macs: ["02:00:00:00:00:01", "02:00:00:00:00:02"] } })).toHaveLength(1);
});

test("a director that is a real server as well is looked at as one", () => {
  const loud = { "ipv4/conf/all/arp_ignore": 0, "ipv4/conf/lo/arp_ignore": 1, "ipv4/conf/tunl0/rp_filter": 1 };
  const here = { settings: loud, addresses: ["192.0.2.10"] };
  expect(idsOf(servers("DR"), here)).toEqual(["error lvs-arp-setting"]);
  expect(idsOf(servers("TUN"), here)).toEqual(["error lvs-arp-setting", "error lvs-rp-filter"]);
  expect(idsOf(servers("DR"), { settings: loud })).toEqual([]);
});

test("connection tracking: a full table, and NAT that it does not see", () => {
  const tracked = (count: number, own: number) => ({
    settings: { "netfilter/nf_conntrack_max": 100, "netfilter/nf_conntrack_count": count, "ipv4/vs/conntrack": own },
  });
  expect(idsOf(servers("NAT"), tracked(10, 0))).toEqual(["note lvs-conntrack"]);
  expect(idsOf(servers("NAT"), tracked(95, 1))).toEqual(["error lvs-conntrack-full"]);
  expect(idsOf(servers("DR"), tracked(10, 0))).toEqual([]);
  expect(idsOf(servers("NAT"), { settings: { "ipv4/vs/conntrack": 0 } })).toEqual([]);
});
