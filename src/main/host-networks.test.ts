// Which interfaces speak for an address on a link, and where others are asked for it.
import { expect, test } from "vitest";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, ip, virtualAddress } from "../core/vrrp/example-config.ts";
import { askedOf, placesOf } from "./host-networks.ts";

const VIP = ip("192.168.11.100");
/** IFF_* as the kernel has them for each kind. */
const devices = new Map([
  ["eth0", { flags: 0x1043 }],
  ["eth1", { flags: 0x1043 }],
  ["lo", { flags: 0x49 }],
  ["dummy0", { flags: 0xc3 }],
  ["wg0", { flags: 0xd1 }],
]);
const everywhere = () => [{ address: VIP, prefixLength: 32 }];

test("a real server of LVS-DR carries the address on lo, a dummy or a tunnel, and nobody hears of it", () => {
  expect(placesOf(VIP, devices, everywhere)).toEqual(["eth0", "eth1"]);
  expect(placesOf(VIP, devices, (name) => (name === "lo" ? everywhere() : []))).toEqual([]);
});

test("an address is asked for on its own interface, excluded ones as well, and never where there are no neighbours", () => {
  const on = (address: string, device: string | null) => ({ ...virtualAddress(address), device });
  const virtual: VrrpInstanceConfig["virtualInterfaces"][number] = {
    name: "vrrp.51",
    base: "eth1",
    kind: "macvlan",
    mac: [0, 0, 0x5e, 0, 1, 51],
    ipvlanMode: "bridge",
    group: null,
    ipv6: false,
  };
  const vrrp = configWith({
    interface: "eth0",
    advertised: [on("192.168.11.100", null), on("192.168.12.100", "eth1"), on("192.168.13.100", "lo")],
    excluded: [on("192.168.11.101", null), on("192.168.14.100", "gone0"), on("192.168.12.101", "vrrp.51")],
    virtualInterfaces: [virtual],
  });
  expect(askedOf(vrrp, devices).map(({ address, device }) => `${address} ${device}`)).toEqual([
    "192.168.11.100 eth0",
    "192.168.12.100 eth1",
    "192.168.11.101 eth0",
    "192.168.12.101 eth1",
  ]);
});
