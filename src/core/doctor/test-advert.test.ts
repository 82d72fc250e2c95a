import { describe, expect, test } from "vitest";
import { ipBytes } from "../lib/ip.ts";
import { configWith, hearingAt, ip, password, virtualAddress } from "../vrrp/example-config.ts";
import { decode, type Packet } from "../vrrp/packet.ts";
import { validate } from "../vrrp/validate.ts";
import { encodeTestAdvert, isTestAdvert, judgeTests, type TestOutcome } from "./test-advert.ts";

const vrrp = configWith({ name: "VI_1", interface: "eth0", authentication: password("secret12") });
const way = { source: ip("192.0.2.1"), destination: ip("224.0.0.18") };

function read(bytes: Uint8Array, ipv6 = false): Packet {
  const header = { source: ipBytes(ip("fe80::1")), destination: ipBytes(ip("ff02::12")), hopLimit: 255 };
  const decoded = decode(bytes, ipv6 ? header : null);
  if (!decoded.ok) throw new Error(decoded.error.detail);
  return decoded.value;
}

describe("a test advert", () => {
  test("is nobody's: router 0, type 15, a right checksum, and nothing of the password", () => {
    const bytes = encodeTestAdvert(vrrp, way, ip("10.1.2.3"));
    const packet = read(bytes);
    expect(packet).toMatchObject({ virtualRouterId: 0, type: 15, authType: 0, ttl: 255, checksumPlain: true });
    expect(new TextDecoder().decode(bytes)).not.toContain("secret");
    expect([isTestAdvert(packet, ip("10.1.2.3")), isTestAdvert(packet, ip("10.1.2.4"))]).toEqual([true, false]);
    // Even if somebody counted it for the router that it tests.
    const taken = validate({ ...vrrp, authentication: { kind: "none" } }, packet, hearingAt(ip("192.0.2.2")));
    expect(taken).toMatchObject({ ok: false, error: { reason: "type" } });
  });

  test("in version 3, over both families", () => {
    const packet = read(encodeTestAdvert(configWith({ version: 3 }), way, ip("10.1.2.3")));
    expect(packet).toMatchObject({ version: 3, type: 15, checksumPseudo: true });
    const six = configWith({
      family: 6,
      version: 3,
      transport: { kind: "multicast", group: ip("ff02::12") },
      advertised: [virtualAddress("fe80::64")],
    });
    const endpoints = { source: ip("fe80::1"), destination: ip("ff02::12") };
    const read6 = read(encodeTestAdvert(six, endpoints, ip("2001:db8::7")), true);
    expect(read6).toMatchObject({ virtualRouterId: 0, type: 15, checksumPseudo: true });
    expect(isTestAdvert(read6, ip("2001:db8::7"))).toBe(true);
  });
});

describe("what came of it", () => {
  const heard = { interface: "eth0", arrived: true, delivered: true, problem: null, ah: false };
  const peer = { peer: "192.0.2.2:8112", heard, problem: null, clockOffset: 3 };
  const judge = (changes: Partial<typeof peer> | { heard: object | null }, outcome: Partial<TestOutcome> = {}) => {
    const told = { ...peer, ...changes } as TestOutcome["peers"][number];
    const { findings, unseen } = judgeTests([{ vrrp, unsent: null, peers: [told], ...outcome }]);
    return [
      ...findings.map(({ id, what }) => `${id}: ${what}`),
      ...unseen.map(({ what, why }) => `unseen: ${what}: ${why}`),
    ];
  };

  test.each<[string, Parameters<typeof judge>, string[]]>([
    ["heard", [{}], []],
    ["whether it was delivered is not known there", [{ heard: { ...heard, delivered: null } }], []],
    [
      "dropped behind the peer's interface",
      [{ heard: { ...heard, delivered: false } }],
      ["peer-deaf: test adverts arrive at eth0 of 192.0.2.2:8112, and that host gives them to no program"],
    ],
    [
      "dropped there because only that host has AH",
      [{ heard: { ...heard, delivered: false, ah: true } }],
      [
        "peer-deaf: 192.0.2.2:8112 has auth_type AH for virtual router 82, and this host's file has not: each refuses the other's adverts",
      ],
    ],
    [
      "lost on the way",
      [{ heard: { ...heard, arrived: false, delivered: false } }],
      ["peer-deaf: test adverts do not arrive at eth0 of 192.0.2.2:8112"],
    ],
    [
      "not sent",
      [{ heard: { ...heard, arrived: false } }, { unsent: "EPERM" }],
      ["peer-deaf: a test advert for 192.0.2.2:8112 cannot be sent: EPERM"],
    ],
    [
      "the peer cannot be asked",
      [{ heard: null, problem: "not connected", clockOffset: null } as never],
      ["unseen: whether adverts of VI_1 reach 192.0.2.2:8112: not connected"],
    ],
    [
      "the peer cannot listen",
      [{ heard: { ...heard, arrived: false, problem: "EPERM" } }],
      ["unseen: whether adverts of VI_1 reach 192.0.2.2:8112: EPERM"],
    ],
    ["clocks", [{ clockOffset: -1_400 }], ["clock-offset: its clock is 1400 ms behind this host's"]],
    ["clocks that are near", [{ clockOffset: 900 }], []],
  ])("%s", (_title, args, expected) => {
    expect(judge(...args)).toEqual(expected);
  });
});
