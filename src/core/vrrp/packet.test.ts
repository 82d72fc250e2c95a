import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { seconds } from "../lib/units.ts";
import { unicastTransport } from "./config.ts";
import { configWith, hearingAt, ip, virtualAddress } from "./example-config.ts";
import { decode, encodeAdvert, peekVirtualRouterId } from "./packet.ts";
import { validate } from "./validate.ts";
import { VECTOR_SOURCE, WIRE_VECTORS } from "./vectors/keepalived.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (it) => it.toString(16).padStart(2, "0")).join("");
const PEER = ip("10.99.0.2");

function encoded(vector: (typeof WIRE_VECTORS)[number]): Uint8Array {
  const { config, destination, priority } = vector;
  return encodeAdvert(config, { source: VECTOR_SOURCE, destination, priority });
}

describe("adverts are keepalived 2.2.7's, byte for byte", () => {
  for (const vector of WIRE_VECTORS) {
    it(`writes: ${vector.name}`, () => {
      expect(hex(encoded(vector).subarray(20))).toBe(vector.hex);
    });

    it(`reads and accepts: ${vector.name}`, () => {
      const packet = decode(encoded(vector), null);
      if (!packet.ok) throw new Error(packet.error.detail);
      expect(packet.value).toMatchObject({
        source: VECTOR_SOURCE,
        destination: vector.destination,
        version: vector.config.version,
        virtualRouterId: vector.config.virtualRouterId,
        priority: vector.priority,
        advertInterval: vector.config.advertInterval,
        addresses: vector.config.advertised.map((it) => it.address),
      });
      const accepted = validate(vector.config, packet.value, hearingAt(PEER));
      expect(accepted).toMatchObject({ ok: true, value: { notices: [], advert: { priority: vector.priority } } });
    });
  }
});

describe("the IPv4 header", () => {
  const config = configWith();
  const fields = { source: VECTOR_SOURCE, destination: ip("224.0.0.18"), priority: 100 };

  it("RFC 9568 section 5.1.1: TTL 255, protocol 112, our source, the group as destination", () => {
    const packet = encodeAdvert(config, fields);
    expect(packet[8]).toBe(255);
    expect(packet[9]).toBe(112);
    expect(hex(packet.subarray(12, 20))).toBe("0a630001e0000012");
  });

  it("is keepalived's: TOS c0, no DF, 20 bytes, the right length; id and checksum left to the kernel", () => {
    const packet = encodeAdvert(config, fields);
    expect(hex(packet.subarray(0, 8))).toBe(`45c0${packet.length.toString(16).padStart(4, "0")}00000000`);
    expect(hex(packet.subarray(10, 12))).toBe("0000");
  });

  it("takes unicast_ttl for unicast peers", () => {
    const transport = unicastTransport([PEER], { ttl: 7 });
    expect(encodeAdvert(configWith({ transport }), { ...fields, destination: PEER })[8]).toBe(7);
  });
});

describe("version 3", () => {
  it("RFC 9568 section 5.2.7: the interval is 12 bits of centiseconds", () => {
    const config = configWith({ version: 3, advertInterval: seconds(40.95) });
    const packet = encodeAdvert(config, { source: VECTOR_SOURCE, destination: PEER, priority: 1 });
    expect(hex(packet.subarray(24, 26))).toBe("0fff");
    expect(decode(packet, null)).toMatchObject({ ok: true, value: { advertInterval: seconds(40.95) } });
  });

  it("v3_checksum_as_v2 leaves the pseudo-header out", () => {
    const config = configWith({ version: 3, v3ChecksumAsV2: true });
    const packet = encodeAdvert(config, { source: VECTOR_SOURCE, destination: PEER, priority: 1 });
    expect(decode(packet, null)).toMatchObject({ ok: true, value: { checksumPlain: true, checksumPseudo: false } });
  });
});

describe("decoding", () => {
  const good = encoded(WIRE_VECTORS[0]!);
  const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = good.slice();
    change(bytes);
    return bytes;
  };
  const reasons: readonly (readonly [string, string, Uint8Array])[] = [
    ["nothing at all", "truncated", new Uint8Array(0)],
    ["only an IPv4 header", "truncated", good.slice(0, 20)],
    ["one byte missing at the end", "truncated", good.slice(0, -1)],
    ["an IPv6 packet", "ip-header", changed((it) => it.fill(0x60, 0, 1))],
    ["an IPv4 header of 16 bytes", "ip-header", changed((it) => it.fill(0x44, 0, 1))],
    ["another protocol", "ip-header", changed((it) => it.fill(6, 9, 10))],
    ["a first fragment", "ip-header", changed((it) => it.fill(0x20, 6, 7))],
    ["a later fragment", "ip-header", changed((it) => it.fill(1, 7, 8))],
    ["a total length without room", "ip-header", changed((it) => it.fill(27, 3, 4))],
    ["version 4", "version", changed((it) => it.fill(0x41, 20, 21))],
    ["fewer addresses than counted", "length", changed((it) => it.fill(3, 23, 24))],
    ["more addresses than counted", "length", changed((it) => it.fill(1, 23, 24))],
  ];
  for (const [name, reason, bytes] of reasons) {
    it(`refuses ${name}: ${reason}`, () => {
      expect(decode(bytes, null)).toMatchObject({ ok: false, error: { reason } });
    });
  }

  it("reads past IPv4 options", () => {
    const bytes = new Uint8Array(good.length + 4);
    bytes.set(good.subarray(0, 20));
    bytes.set(good.subarray(20), 24);
    bytes[0] = 0x46;
    bytes[3] = bytes.length;
    expect(peekVirtualRouterId(bytes, 4)).toBe(51);
    expect(decode(bytes, null)).toMatchObject({ ok: true, value: { priority: 150, checksumPlain: true } });
  });

  it("ignores what Ethernet padded behind the packet", () => {
    const padded = new Uint8Array(60);
    padded.set(good);
    expect(decode(padded, null)).toEqual(decode(good, null));
  });

  it(
    "any advert that can be configured is read back as it was written",
    () => {
      fc.assert(
        fc.property(anyConfig, fc.integer({ min: 0, max: 255 }), (config, priority) => {
          const packet = decode(encodeAdvert(config, { source: VECTOR_SOURCE, destination: PEER, priority }), null);
          if (!packet.ok) throw new Error(packet.error.detail);
          expect(packet.value).toMatchObject({ priority, virtualRouterId: config.virtualRouterId, type: 1 });
          expect(packet.value.addresses).toEqual(config.advertised.map((it) => it.address));
          expect(packet.value.advertInterval).toBe(config.advertInterval);
          expect(config.version === 2 ? packet.value.checksumPlain : packet.value.checksumPseudo).toBe(true);
        }),
        { numRuns: runs(2_000, 100_000) },
      );
    },
    SEARCH_TIMEOUT,
  );

  it(
    "random bytes never throw",
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
          survives(bytes);
        }),
        { numRuns: runs(20_000, 1_000_000) },
      );
    },
    SEARCH_TIMEOUT,
  );

  it(
    "mutated adverts by the hundred thousand never throw, and none that is damaged is accepted as another advert",
    () => {
      const random = xorshift(0x9e3779b9);
      const rounds = runs(200_000, 5_000_000);
      let refused = 0;
      for (let round = 0; round < rounds; round++) {
        const vector = WIRE_VECTORS[round % WIRE_VECTORS.length]!;
        const original = ORIGINALS[round % WIRE_VECTORS.length]!;
        const bytes = mutate(original, random);
        const packet = decode(bytes, null);
        const accepted = packet.ok ? validate(vector.config, packet.value, hearingAt(PEER)) : packet;
        if (!accepted.ok) {
          refused++;
          if (accepted.error.detail === "") throw new Error(`no detail for ${accepted.error.reason}`);
        } else if (differsInOneBit(bytes, original)) {
          // One flipped bit cannot leave the checksum right: whatever is still accepted was flipped outside the message.
          expect(hex(bytes.subarray(20))).toBe(hex(original.subarray(20)));
        }
      }
      expect(refused).toBeGreaterThan(rounds / 2);
    },
    SEARCH_TIMEOUT,
  );
});

const ORIGINALS = WIRE_VECTORS.map(encoded);

const anyConfig = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    virtualRouterId: fc.integer({ min: 1, max: 255 }),
    centiseconds: fc.integer({ min: 1, max: 40 }),
    addresses: fc.array(fc.ipV4(), { maxLength: 20 }),
    password: fc.array(fc.nat(255), { minLength: 8, maxLength: 8 }),
  })
  .map(({ version, virtualRouterId, centiseconds, addresses, password }) =>
    configWith({
      version,
      virtualRouterId,
      advertInterval: version === 2 ? seconds(centiseconds) : seconds(centiseconds / 100),
      advertised: addresses.map(virtualAddress),
      authentication: version === 2 ? { kind: "pass", password } : { kind: "none" },
    }),
  );

function survives(bytes: Uint8Array): void {
  peekVirtualRouterId(bytes, 4);
  const packet = decode(bytes, null);
  if (!packet.ok) return;
  for (const vector of WIRE_VECTORS) validate(vector.config, packet.value, hearingAt(PEER));
}

/** A seeded generator, so that a failure can be repeated. */
function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  const changes = random(4) + 1;
  for (let change = 0; change < changes; change++) {
    const at = random(Math.max(1, bytes.length));
    const kind = random(8);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = Uint8Array.from([...bytes, ...bytes.subarray(at)]);
    else if (kind === 2) bytes[at] = random(256);
    else if (bytes.length > at) bytes[at] = bytes[at]! ^ (1 << random(8));
  }
  return bytes;
}

function differsInOneBit(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let bits = 0;
  for (let at = 0; at < one.length; at++) {
    for (let rest = one[at]! ^ other[at]!; rest > 0; rest &= rest - 1) bits++;
  }
  return bits === 1;
}
