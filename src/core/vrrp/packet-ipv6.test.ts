import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { ipBytes, parseIp } from "../lib/ip.ts";
import { millis, seconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { configWith, hearingAt, ip, virtualAddress } from "./example-config.ts";
import { decode, encodeAdvert, type Ipv6Header, peekSource, peekVirtualRouterId } from "./packet.ts";
import { validate } from "./validate.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (it) => it.toString(16).padStart(2, "0")).join("");
const SOURCE = ip("fe80::f4ba:c1ff:fe95:9674");
const GROUP = ip("ff02::12");
const OURS = ip("fe80::1");

const CONFIG = ipv6Config({ virtualRouterId: 12, priority: 250, advertised: addresses("fe80::12", "2001:db8::12") });

function ipv6Config(changes: Partial<VrrpInstanceConfig>): VrrpInstanceConfig {
  return configWith({ family: 6, version: 3, transport: { kind: "multicast", group: GROUP }, ...changes });
}

function addresses(...list: readonly string[]) {
  return list.map((text) => ({ ...virtualAddress(text), prefixLength: 128 }));
}

function headerOf(source: string, destination: string, hopLimit = 255): Ipv6Header {
  return { source: ipBytes(ip(source)), destination: ipBytes(ip(destination)), hopLimit };
}

const HEADER = headerOf(SOURCE, GROUP);
const encoded = (config = CONFIG, priority = 250) =>
  encodeAdvert(config, { source: SOURCE, destination: GROUP, priority });
/** Captured from keepalived 2.2.7: fe80::f4ba:c1ff:fe95:9674 > ff02::12. */
const GOLDEN = "310cfa0200645e3bfe80000000000000000000000000001220010db8000000000000000000000012";

describe("adverts over IPv6", () => {
  it("are keepalived 2.2.7's, byte for byte", () => {
    expect(hex(encoded())).toBe(GOLDEN);
  });

  it("are read and accepted", () => {
    const packet = decode(encoded(), HEADER);
    expect(packet).toMatchObject({
      ok: true,
      value: {
        family: 6,
        source: SOURCE,
        destination: GROUP,
        ttl: 255,
        version: 3,
        virtualRouterId: 12,
        priority: 250,
        advertInterval: seconds(1),
        addresses: ["fe80::12", "2001:db8::12"],
        checksumPseudo: true,
        authData: [],
        trailer: null,
      },
    });
    if (!packet.ok) return;
    expect(validate(CONFIG, packet.value, hearingAt(OURS))).toMatchObject({ ok: true, value: { notices: [] } });
  });

  it("RFC 9568 section 5.2.8: v3_checksum_as_v2 changes nothing, IPv6 has the one checksum", () => {
    expect(hex(encoded(ipv6Config({ ...CONFIG, v3ChecksumAsV2: true })))).toBe(GOLDEN);
  });

  const damaged = encoded();
  damaged[20]! ^= 1;
  const refusals: readonly (readonly [string, string, Uint8Array, Ipv6Header])[] = [
    ["RFC 9568 section 5.1.2.3: a hop limit below 255", "ttl", encoded(), headerOf(SOURCE, GROUP, 254)],
    ["a damaged address list", "checksum", damaged, HEADER],
    ["another destination under the same checksum", "checksum", encoded(), headerOf(SOURCE, "ff02::13")],
    ["our own packet", "own-packet", encoded(), headerOf(OURS, GROUP)],
    ["nothing", "truncated", new Uint8Array(0), HEADER],
    ["one byte less", "length", encoded().slice(0, -1), HEADER],
    ["IPv4 addresses by mistake", "length", encoded().slice(0, 16), HEADER],
    ["bytes of auth_hmac where none is configured", "length", new Uint8Array([...encoded(), ...trailer()]), HEADER],
  ];
  for (const [name, reason, bytes, header] of refusals) {
    it(`are refused: ${name}`, () => {
      const packet = decode(bytes, header);
      const judged = packet.ok ? validate(CONFIG, packet.value, hearingAt(OURS)) : packet;
      expect(judged).toMatchObject({ ok: false, error: { reason } });
    });
  }

  it("any that can be configured is read back as it was written", () => {
    fc.assert(
      fc.property(anyConfig, fc.nat(255), (config, priority) => {
        const bytes = encodeAdvert(config, { source: SOURCE, destination: GROUP, priority });
        expect(peekVirtualRouterId(bytes, 6)).toBe(config.virtualRouterId);
        expect(peekSource(bytes, HEADER)).toBe(SOURCE);
        const packet = decode(bytes, HEADER);
        expect(packet).toMatchObject({ ok: true, value: { priority, checksumPseudo: true } });
        if (!packet.ok) return;
        expect(packet.value.addresses).toEqual(config.advertised.map((it) => it.address));
        expect(packet.value.advertInterval).toBe(config.advertInterval);
      }),
      { numRuns: runs(1_000, 50_000) },
    );
  }, 60_000);

  it(
    "random bytes never throw, damaged ones are never accepted as another advert",
    () => {
      const bytes = fc.uint8Array({ maxLength: 120 });
      const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
      fc.assert(
        fc.property(bytes, sixteen, sixteen, fc.nat(255), (noise, source, destination, hopLimit) => {
          const packet = decode(noise, { source, destination, hopLimit });
          if (packet.ok) validate(CONFIG, packet.value, hearingAt(OURS));
        }),
        { numRuns: runs(10_000, 1_000_000) },
      );
      fc.assert(
        fc.property(fc.nat(encoded().length * 8 - 1), (bit) => {
          const flipped = encoded();
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          const packet = decode(flipped, HEADER);
          expect(packet.ok && validate(CONFIG, packet.value, hearingAt(OURS)).ok).toBe(false);
        }),
      );
    },
    SEARCH_TIMEOUT,
  );
});

describe("28 bytes behind the message", () => {
  it("IPv6: the checksum covers them; message and trailer are told apart", () => {
    const message = encoded();
    const signed = new Uint8Array([...message, ...trailer()]);
    expect(decode(signed, HEADER)).toMatchObject({
      ok: true,
      value: { checksumPseudo: false, addresses: ["fe80::12", "2001:db8::12"], trailer: { message, bytes: trailer() } },
    });
  });

  it("IPv4: the checksum ends with the message", () => {
    const config = configWith({ version: 3 });
    const packet = encodeAdvert(config, { source: ip("10.0.0.1"), destination: ip("224.0.0.18"), priority: 1 });
    const signed = new Uint8Array([...packet, ...trailer()]);
    signed[3] = signed.length;
    expect(decode(signed, null)).toMatchObject({
      ok: true,
      value: { checksumPseudo: true, addresses: ["192.0.2.100"] },
    });
  });
});

function trailer(): Uint8Array {
  return Uint8Array.from({ length: 28 }, (_, at) => at + 1);
}

const anyConfig = fc
  .record({
    virtualRouterId: fc.integer({ min: 1, max: 255 }),
    centiseconds: fc.integer({ min: 1, max: 4095 }),
    list: fc.array(fc.ipV6(), { maxLength: 80 }),
  })
  .map(({ virtualRouterId, centiseconds, list }) =>
    ipv6Config({
      virtualRouterId,
      advertInterval: millis(centiseconds * 10),
      advertised: addresses(...list.map((text) => parseIp(text) ?? "::1")),
    }),
  );
