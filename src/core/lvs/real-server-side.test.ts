import { expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { findServerFaults, type ServerFacts, settingsFor } from "./real-server-side.ts";

const VIP = "192.0.2.100" as IpAddress;
const facts = (change: Partial<ServerFacts>): ServerFacts => ({
  method: "dr",
  address: VIP,
  heldBy: "lo",
  setting: (path) => (path.endsWith("announce") ? 2 : 1),
  gateway: null,
  director: null,
  ...change,
});
const problems = (change: Partial<ServerFacts>): string =>
  findServerFaults(facts(change))
    .map(({ problem }) => problem)
    .join("\n");

test("DR: the address on lo with a quiet ARP is all it takes", () => {
  expect(findServerFaults(facts({}))).toEqual([]);
  expect(problems({ heldBy: null })).toContain("drops what the director sends");
  expect(problems({ heldBy: "eth0" })).toContain("answers ARP");
  expect(problems({ setting: () => 0 })).toMatch(/arp_ignore is 0[\s\S]*arp_announce is 0/);
});

test("TUN: the filter must be loose on the tunnel alone, and IPv6 needs none of it", () => {
  expect(settingsFor("tun", VIP)).toContainEqual({ path: "ipv4/conf/tunl0/rp_filter", value: 2 });
  expect(settingsFor("dr", "2001:db8::1" as IpAddress)).toEqual([]);
  expect(problems({ method: "tun", heldBy: "tunl0", setting: (path) => (path.endsWith("filter") ? 1 : 2) })).toContain(
    "forged",
  );
});

test("NAT: the way back leads through the director, which alone has the address", () => {
  const [gateway, director] = ["192.0.2.1", "192.0.2.2"] as IpAddress[] as [IpAddress, IpAddress];
  expect(findServerFaults(facts({ method: "nat", heldBy: null, gateway, director: gateway }))).toEqual([]);
  expect(problems({ method: "nat", heldBy: null, gateway, director })).toContain("past the director 192.0.2.2");
  expect(problems({ method: "nat", heldBy: null })).toContain("no default route");
  expect(problems({ method: "nat", gateway })).toContain("only the director has it");
});
