import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, ipFromBytes } from "../lib/ip.ts";
import {
  type AddressOrder,
  addAddress,
  dumpAddresses,
  readAddress,
  removeAddress,
  renewAddress,
  replaceAddress,
} from "./addresses.ts";
import { readAttributes, readMessages } from "./message.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

const order = (change: Partial<AddressOrder> = {}): AddressOrder => ({
  interfaceIndex: 3,
  address: {
    address: "192.0.2.1" as IpAddress,
    prefixLength: 32,
    device: null,
    broadcast: null,
    label: null,
    scope: 0,
  },
  lifetime: 7,
  ...change,
});

// What the kernel multicast for `ip addr add 192.0.2.1/32 dev eth0 valid_lft 7 preferred_lft 7` (Linux 6.18, iproute2 6.1).
const ADDED =
  "50000000140000000896036b4f540000022000000300000008000100c000020108000200c00002010900030065746830000000000800080000000000140006000700000007000000b1560400b1560400";

describe("requests for addresses", () => {
  it("an add with broadcast and label holds the attributes iproute2 sends, in our order", () => {
    const address = { ...order().address, broadcast: "192.0.2.255" as IpAddress, label: "eth0:1" };
    expect(hex(addAddress(order({ address }), 9))).toBe(
      hex(
        unhex(
          "50000000 1400 0506 09000000 00000000" +
            "02200000 03000000" +
            "08000200 c0000201" +
            "08000100 c0000201" +
            "08000400 c00002ff" +
            "0b000300 6574 6830 3a31 0000" +
            "14000600 07000000 07000000 00000000 00000000",
        ),
      ),
    );
  });

  it("a remove is iproute2's, byte for byte", () => {
    expect(hex(removeAddress(order(), 0x6b039607))).toBe(
      hex(unhex("28000000 1500 0500 0796036b 00000000 02200000 03000000 08000200 c0000201 08000100 c0000201")),
    );
  });

  it("no lifetime is written as infinity, so that a replace takes an earlier lifetime away", () => {
    expect(hex(replaceAddress(order({ lifetime: null }), 1))).toContain("14000600ffffffffffffffff");
  });

  it("the preferred lifetime never exceeds the valid one", () => {
    const [message] = readMessages(addAddress(order({ lifetime: 3 }), 1));
    const lifetimes = readAttributes(message?.payload ?? new Uint8Array(0), 8).get(6);
    expect(hex(lifetimes?.subarray(0, 8) ?? new Uint8Array(0))).toBe("0300000003000000");
  });

  it("a renewal neither creates nor goes without the flag that makes the kernel refuse a new address", () => {
    const [message] = readMessages(renewAddress(order(), 1));
    expect(message?.flags).toBe(0x105);
    expect(hex(readAttributes(message?.payload ?? new Uint8Array(0), 8).get(8) ?? new Uint8Array(0))).toBe("00040000");
  });

  it("a dump asks for every family", () => {
    expect(hex(dumpAddresses(5))).toBe("180000001600010305000000000000000000000000000000");
  });
});

describe("requests for IPv6 addresses", () => {
  const ipv6 = (text: string, prefixLength: number, change: Partial<AddressOrder> = {}) =>
    order({ address: { ...order().address, address: text as IpAddress, prefixLength }, ...change });
  const lifetimesAndFlags = (bytes: Uint8Array): readonly string[] => {
    const attributes = readAttributes(readMessages(bytes)[0]?.payload ?? new Uint8Array(0), 8);
    return [6, 8].map((type) => hex(attributes.get(type)?.subarray(0, 8) ?? new Uint8Array(0)));
  };

  it("a single address is deprecated from the start and goes without duplicate detection, as keepalived's", () => {
    expect(lifetimesAndFlags(addAddress(ipv6("fe80::51", 128), 1))).toEqual(["0000000007000000", "02000000"]);
    expect(lifetimesAndFlags(addAddress(ipv6("fe80::51", 128, { lifetime: null }), 1))).toEqual([
      "00000000ffffffff",
      "02000000",
    ]);
  });

  it("an address in a prefix is preferred as long as it is valid", () => {
    expect(lifetimesAndFlags(addAddress(ipv6("2001:db8::51", 64), 1))).toEqual(["0700000007000000", "02000000"]);
  });

  it("the route of the prefix can be left alone", () => {
    const [, flags] = lifetimesAndFlags(addAddress(ipv6("2001:db8::51", 64, { keepsPrefixRoute: true }), 1));
    expect(flags).toBe("02020000");
  });

  it("a renewal carries a prefix length that no new address may have, and no flag that would stay", () => {
    const [message] = readMessages(renewAddress(ipv6("fe80::51", 128), 1));
    expect(message?.flags).toBe(0x105);
    expect(hex(message?.payload.subarray(0, 8) ?? new Uint8Array(0))).toBe("0aff000003000000");
    expect(lifetimesAndFlags(renewAddress(ipv6("fe80::51", 128), 1))).toEqual(["0000000007000000", "02000000"]);
  });

  it("a remove names family, prefix and address", () => {
    expect(hex(removeAddress(ipv6("fe80::51", 128), 1).subarray(16, 44))).toBe(
      "0a80000003000000" + "14000200" + "fe800000000000000000000000000051",
    );
  });
});

describe("reading addresses", () => {
  it("reads what the kernel multicasts", () => {
    const [message] = readMessages(unhex(ADDED));
    expect(message && readAddress(message)).toEqual({
      interfaceIndex: 3,
      address: "192.0.2.1",
      prefixLength: 32,
      secondary: false,
      tentative: false,
      validSeconds: 7,
    });
    expect(message?.port).toBe(0x544f);
  });

  it("an address that never expires has no lifetime", () => {
    const bytes = unhex(ADDED);
    bytes.fill(0xff, 64, 72);
    const [message] = readMessages(bytes);
    expect(message && readAddress(message)?.validSeconds).toBeNull();
  });

  it("addresses of other families are not ours, nor those with a length of another family", () => {
    const bytes = unhex(ADDED);
    bytes[16] = 10;
    const [six] = readMessages(bytes);
    expect(six && readAddress(six)).toBeNull();
    bytes[16] = 7;
    const [message] = readMessages(bytes);
    expect(message && readAddress(message)).toBeNull();
  });

  it("what was written is read back", () => {
    const orders = fc.record({
      interfaceIndex: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      prefixLength: fc.integer({ min: 0, max: 32 }),
      bytes: fc.oneof(...[4, 16].map((length) => fc.uint8Array({ minLength: length, maxLength: length }))),
      lifetime: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 2 })),
    });
    fc.assert(
      fc.property(orders, ({ interfaceIndex, prefixLength, bytes, lifetime }) => {
        const address = ipFromBytes(bytes.length === 4 ? 4 : 6, bytes, 0);
        const full = order({ interfaceIndex, lifetime, address: { ...order().address, address, prefixLength } });
        const [message] = readMessages(addAddress(full, 1));
        expect(message && readAddress(message)).toEqual({
          interfaceIndex,
          address,
          prefixLength,
          secondary: false,
          tentative: false,
          validSeconds: lifetime,
        });
      }),
    );
  });
});
