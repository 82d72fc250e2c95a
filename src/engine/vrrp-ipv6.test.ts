/** What the engine does for IPv6 instances beside what it does for all: sources, addressees, prefixes that are only borrowed. */
import { beforeEach, expect, test } from "vitest";
import type { IpAddress } from "../core/lib/ip.ts";
import { instant } from "../core/lib/units.ts";
import { configWith, virtualAddress } from "../core/vrrp/example-config.ts";
import type { InterfaceAddress, Link } from "../ports/network.ts";
import { grant, passingPrefixes } from "./address-changes.ts";
import { linkLocalOf } from "./vrrp-fitness.ts";
import { addresseeTable } from "./vrrp-receive.ts";
import { instanceKey } from "./vrrp-roster.ts";
import { createRuntime, type Runtime } from "./vrrp-runtime.ts";

const LINK: Link = { index: 7, name: "eth0", usable: true, mac: new Uint8Array(6), mtu: 1500 };
const IPV6 = configWith({ family: 6, version: 3, advertised: [{ ...virtualAddress("fe80::51"), prefixLength: 128 }] });

function entry(address: string, changes: Partial<InterfaceAddress> = {}): InterfaceAddress {
  const plain = { interfaceIndex: 7, prefixLength: 64, secondary: false, tentative: false, validSeconds: null };
  return { ...plain, address: address as IpAddress, ...changes };
}

let runtime: Runtime;
beforeEach(() => {
  runtime = { ...createRuntime(IPV6, 0, instant(1)), link: LINK, hearLink: LINK };
});

test("RFC 9568 section 5.1.2.1: the source is a link-local address, and none that duplicate detection has not passed", () => {
  expect(linkLocalOf(runtime, [entry("2001:db8::1"), entry("fe80::1", { tentative: true })])).toBeNull();
  expect(linkLocalOf(runtime, [entry("2001:db8::1"), entry("fe80::1")])).toBe("fe80::1");
});

test("the oldest link-local address is the source, and stays it while it exists", () => {
  expect(linkLocalOf(runtime, [entry("fe80::2"), entry("fe80::1")])).toBe("fe80::1");
  runtime.observedSource = "fe80::2" as IpAddress;
  expect(linkLocalOf(runtime, [entry("fe80::3"), entry("fe80::2"), entry("fe80::1")])).toBe("fe80::2");
});

test("IPv4 and IPv6 routers of one number on one interface are two", () => {
  const ipv4 = { ...createRuntime(configWith({ version: 3 }), 2, instant(1)), link: LINK, hearLink: LINK };
  expect(new Set([instanceKey(ipv4.config), instanceKey(IPV6)]).size).toBe(2);
  expect(new Set(addresseeTable([ipv4, runtime]).values()).size).toBe(2);
});

test("the on-link route of a prefix from a router advertisement is not given our lifetime", () => {
  const present = [entry("2001:db8:1::1", { validSeconds: 600 }), entry("2001:db8:2::1"), entry("2001:db8:3::51")];
  const virtual = new Set(["2001:db8:3::51" as IpAddress]);
  const passing = passingPrefixes(present, virtual);
  const keeps = (address: string, lifetime: number | null) =>
    grant("add", { interfaceIndex: 7, passing }, { ...virtualAddress(address), prefixLength: 64 }, lifetime)
      .keepsPrefixRoute === true;
  expect(keeps("2001:db8:1::51", 2)).toBe(true);
  expect(keeps("2001:db8:2::51", 2)).toBe(false);
  expect(keeps("2001:db8:3::51", 2)).toBe(false);
  expect(keeps("2001:db8:1::51", null)).toBe(false);
});
