import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareIp,
  familyOf,
  ipBytes,
  ipFromBytes,
  isLinkLocal,
  isMulticast,
  networkOf,
  parseIp,
  parseIpv4,
} from "./ip.ts";

const address = (text: string) => {
  const parsed = parseIp(text);
  if (parsed === null) throw new Error(`no address: ${text}`);
  return parsed;
};

describe("RFC 5952: one way to write an IPv6 address", () => {
  const spellings: readonly (readonly [string, string, string])[] = [
    ["4.1: leading zeros go", "2001:0db8::0001", "2001:db8::1"],
    ["4.2.1: as short as possible", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["4.2.2: one group of zeros stays", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["4.2.3: the longest run", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["4.2.3: the first of equal runs", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["4.3: lower case", "2001:DB8::ABCD", "2001:db8::abcd"],
    ["5: IPv4-mapped", "::FFFF:c000:0201", "::ffff:192.0.2.1"],
    ["all zeros", "0:0:0:0:0:0:0:0", "::"],
    ["zeros first", "0:0:0:0:0:0:0:1", "::1"],
    ["zeros last", "fe80:0:0:0:0:0:0:0", "fe80::"],
    ["no zeros", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["IPv4 at the end", "64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ];
  for (const [rule, written, canonical] of spellings) {
    it(rule, () => expect(parseIp(written)).toBe(canonical));
  }

  for (const wrong of [
    "",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "::1.2.3.256",
    "::1.2.3",
    "::01.2.3.4",
    "1.2.3.4::",
    "fe80::1%eth0",
    "fe80::1/64",
    " ::1",
  ]) {
    it(`\`${wrong}\` is no address`, () => expect(parseIp(wrong)).toBeNull());
  }

  it("any sixteen bytes come back from their text, and that text is canonical", () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        const text = ipFromBytes(6, bytes, 0);
        expect(Array.from(ipBytes(text))).toEqual(Array.from(bytes));
        expect(parseIp(text)).toBe(text);
        expect(isIPv6(text)).toBe(true);
      }),
    );
  });

  it("takes exactly what inet_pton(3) takes", () => {
    const text = fc.oneof(
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdefF:::.."), maxLength: 42 }),
      fc.ipV4().map((tail) => `::ffff:${tail}`),
    );
    fc.assert(
      fc.property(text, (it) => {
        expect(parseIp(it) !== null).toBe(isIPv6(it) || isIPv4(it));
      }),
    );
  });
});

/** Half of all groups are zeros, so that every kind of run occurs. */
const sixteen = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));

describe("order and kinds", () => {
  it("RFC 9568 section 6.4.3: compares as unsigned integers in network order, not as text", () => {
    expect(compareIp(address("fe80::9"), address("fe80::10"))).toBeLessThan(0);
    expect(compareIp(address("9.0.0.1"), address("10.0.0.1"))).toBeLessThan(0);
    expect(compareIp(address("fe80::1"), address("2001:db8::1"))).toBeGreaterThan(0);
    expect(compareIp(address("2001:db8::1"), address("2001:DB8:0::1"))).toBe(0);
  });

  it("is the order of the bytes", () => {
    fc.assert(
      fc.property(sixteen, sixteen, (a, b) => {
        const order = compareIp(ipFromBytes(6, a, 0), ipFromBytes(6, b, 0));
        expect(Math.sign(order)).toBe(Math.sign(Buffer.compare(a, b)));
      }),
    );
  });

  it("tells families, groups and link-local addresses apart", () => {
    expect([familyOf(address("192.0.2.1")), familyOf(address("::1"))]).toEqual([4, 6]);
    const multicast = ["224.0.0.18", "239.255.255.255", "ff02::12", "ff3e::1"];
    expect(multicast.every((it) => isMulticast(address(it)))).toBe(true);
    expect(["223.0.0.1", "240.0.0.1", "fe80::1", "ff::1"].some((it) => isMulticast(address(it)))).toBe(false);
    expect(["fe80::1", "febf::1"].every((it) => isLinkLocal(address(it)))).toBe(true);
    expect(["fec0::1", "fe8::1", "2001:db8::1", "169.254.0.1"].some((it) => isLinkLocal(address(it)))).toBe(false);
  });

  it("cuts an address to its network", () => {
    const network = (text: string, length: number) => networkOf(address(text), length);
    expect(network("2001:db8:1:2:3:4:5:6", 64)).toBe("2001:db8:1:2::");
    expect(network("2001:db8:ffff::1", 33)).toBe("2001:db8:8000::");
    expect([network("fe80::1", 128), network("fe80::1", 0)]).toEqual(["fe80::1", "::"]);
    expect([network("192.0.2.77", 24), network("192.0.2.77", 27)]).toEqual(["192.0.2.0", "192.0.2.64"]);
  });

  it("IPv4 alone is asked for where only IPv4 will do", () => {
    expect(parseIpv4("192.0.2.1")).toBe("192.0.2.1");
    expect(parseIpv4("::1")).toBeNull();
    expect(parseIpv4("192.0.2.01")).toBeNull();
  });
});
