import { expect, test } from "vitest";
import { missingInterfaces } from "./reload-plan.ts";
import { configOf } from "./testing/configs.ts";

const HOST = new Set(["lo", "eth0", "eth1"]);
const file = (name: string, device: string, lines = "") => `vrrp_instance ${name} { interface ${device}
 virtual_router_id ${name.length}
 ${lines}
}\n`;
const VIP = "virtual_ipaddress { 192.0.2.1 }";
const DYNAMIC = "global_defs { dynamic_interfaces }\n";

/** What is refused, when the first file serves. */
function refused(before: string, now: string): string[] {
  const missing = missingInterfaces(configOf(before), configOf(now), (name) => HOST.has(name));
  return missing.map(({ message }) => message.replace(" does not exist on this host", ""));
}

test("a reload may not move an instance or an address to an interface that is not there", () => {
  const before = file("A", "eth0", VIP);
  expect(refused(before, file("A", "eth1", VIP))).toEqual([]);
  expect(refused(before, file("A", "nosuch0", VIP))).toEqual(["vrrp_instance A: interface nosuch0"]);
  const device = "virtual_ipaddress { 192.0.2.1 dev nosuch1 }";
  expect(refused(before, file("A", "eth0", device))).toEqual(["vrrp_instance A: interface nosuch1"]);
  const excluded = `${VIP}\nvirtual_ipaddress_excluded { 192.0.2.2 dev nosuch2 }`;
  expect(refused(before, file("A", "eth0", excluded))).toEqual(["vrrp_instance A: interface nosuch2"]);
  expect(refused(before, before + file("BB", "nosuch0", VIP))).toEqual(["vrrp_instance BB: interface nosuch0"]);
});

test("dynamic_interfaces allows it, and so does having waited for that very interface before", () => {
  expect(refused(file("A", "eth0", VIP), DYNAMIC + file("A", "nosuch0", VIP))).toEqual([]);
  const waiting = file("A", "nosuch0", VIP);
  expect(refused(waiting, file("A", "nosuch0", `priority 7\n${VIP}`))).toEqual([]);
  expect(refused(waiting, file("A", "nosuch1", VIP))).toEqual(["vrrp_instance A: interface nosuch1"]);
});

test("interfaces that Holdfast makes do not count as missing, unless the same reload removes them", () => {
  const virtual = file("A", "eth0", `use_vmac vrrp.9\nvirtual_ipaddress { 192.0.2.1 dev vrrp.9 }`);
  expect(refused(file("A", "eth0", VIP), virtual)).toEqual([]);
  HOST.add("vrrp.9");
  const left = file("A", "eth0", "virtual_ipaddress { 192.0.2.1 dev vrrp.9 }");
  expect(refused(virtual, left)).toEqual(["vrrp_instance A: interface vrrp.9"]);
  expect(refused(virtual, file("BB", "vrrp.9", VIP))).toEqual(["vrrp_instance BB: interface vrrp.9"]);
  HOST.delete("vrrp.9");
});

test("a host that does not say refuses nothing", () => {
  const [before, now] = [configOf(file("A", "eth0", VIP)), configOf(file("A", "nosuch0", VIP))];
  expect(missingInterfaces(before, now, () => null)).toEqual([]);
});
