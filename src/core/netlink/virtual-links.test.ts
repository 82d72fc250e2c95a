import { describe, expect, it } from "vitest";
import type { VirtualInterface } from "../vrrp/virtual-interface.ts";
import { virtualMac } from "../vrrp/virtual-interface.ts";
import { readMessages } from "./message.ts";
import { readOwnerTag, writeOwnerTag } from "./owner-tag.ts";
import { createLink, deleteLink, readVirtualLink, setUp, stopAddressGeneration } from "./virtual-links.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const spaced = (text: string): string => text.replaceAll(" ", "");

const VMAC: VirtualInterface = {
  kind: "macvlan",
  name: "vrrp.51",
  base: "eth0",
  mac: virtualMac(4, 51),
  ipvlanMode: "bridge",
  group: 7,
  ipv6: false,
};

describe("requests are iproute2's (strace -e sendmsg)", () => {
  it("ip link add link eth0 name vrrp.51 address 00:00:5e:00:01:33 group 7 type macvlan mode private", () => {
    expect(hex(createLink({ link: VMAC, baseIndex: 3, master: null }, 0x6b076572))).toBe(
      spaced(
        "64000000 1000 0506 7265076b 00000000 00000000 00000000 00000000 00000000" +
          "0a000100 00005e00 01330000 08001b00 07000000 08000500 03000000 0c000300 76727270 2e353100" +
          "1c001200 0b000100 6d616376 6c616e00 0c000200 08000100 01000000",
      ),
    );
  });

  it("ip link add link eth0 name ipv0 type ipvlan mode l2 private", () => {
    const link: VirtualInterface = {
      ...VMAC,
      kind: "ipvlan",
      name: "ipv0",
      mac: null,
      group: null,
      ipvlanMode: "private",
    };
    expect(hex(createLink({ link, baseIndex: 3, master: null }, 1)).slice(64)).toBe(
      spaced(
        "08000500 03000000 09000300 69707630 00000000 24001200 0a000100 6970766c 616e0000" +
          "14000200 06000100 00000000 06000200 01000000",
      ),
    );
  });

  it("ip link set addrgenmode none, up, and del", () => {
    expect(hex(stopAddressGeneration(4, 1)).slice(32)).toBe(
      spaced("00000000 04000000 00000000 00000000 10001a00 0c000a00 05000800 01000000"),
    );
    expect(hex(setUp(4, 1)).slice(32)).toBe(spaced("00000000 04000000 01000000 01000000"));
    expect(hex(deleteLink(4, 1)).slice(0, 48)).toBe(spaced("20000000 1100 0500 01000000 00000000 00000000 04000000"));
  });

  it("a base in a VRF takes what stands on it along", () => {
    expect(hex(createLink({ link: VMAC, baseIndex: 3, master: 9 }, 1))).toContain("08000a0009000000");
  });
});

it("what was written is read back", () => {
  const [message] = readMessages(createLink({ link: VMAC, baseIndex: 3, master: 9 }, 1));
  expect(message && readVirtualLink(message)).toMatchObject({
    name: "vrrp.51",
    kind: "macvlan",
    base: 3,
    master: 9,
    isPrivate: true,
    mac: Uint8Array.from(virtualMac(4, 51)),
  });
});

describe("owner tags", () => {
  it("say the process and the settings to give back", () => {
    const tag = { pid: 1234, saved: { arp_ignore: 0, all_rp_filter: 2 } };
    expect(writeOwnerTag(tag)).toBe("holdfast 1234 arp_ignore=0 all_rp_filter=2");
    expect(readOwnerTag(writeOwnerTag(tag))).toEqual(tag);
  });

  it("of others are none", () => {
    for (const text of ["", "holdfast", "uplink to holdfast 12", "holdfast 12 x", "holdfast -1"]) {
      expect(readOwnerTag(text)).toBeNull();
    }
  });
});
