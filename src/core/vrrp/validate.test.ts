import { describe, expect, it } from "vitest";
import { seconds } from "../lib/units.ts";
import { unicastTransport, type VrrpInstanceConfig } from "./config.ts";
import { configWith, hearingAt, ip, password, virtualAddress } from "./example-config.ts";
import { decode, encodeAdvert, type Packet } from "./packet.ts";
import { validate } from "./validate.ts";

const OURS = ip("10.99.0.2");
const SENDER = ip("10.99.0.1");
const CONTEXT = hearingAt(OURS);
const GROUP = ip("224.0.0.18");
const PASS = configWith({ authentication: password("1111") });
const V3 = configWith({ version: 3 });
const UNICAST = configWith({ transport: unicastTransport([SENDER], { checkSource: true }) });

/** What a peer with this configuration sends. */
function from(config: VrrpInstanceConfig, changes: Partial<Packet> = {}): Packet {
  const destination = config.transport.kind === "multicast" ? GROUP : OURS;
  const packet = decode(encodeAdvert(config, { source: SENDER, destination, priority: 90 }), null);
  if (!packet.ok) throw new Error(packet.error.detail);
  return { ...packet.value, ...changes };
}

const refusal = (config: VrrpInstanceConfig, packet: Packet): string | null => {
  const result = validate(config, packet, CONTEXT);
  return result.ok ? null : result.error.reason;
};

describe("an advert is accepted", () => {
  it("from a peer with the same configuration", () => {
    for (const config of [configWith(), PASS, V3, UNICAST]) {
      const result = validate(config, from(config), CONTEXT);
      const advert = { source: SENDER, priority: 90, advertInterval: config.advertInterval };
      expect(result).toEqual({ ok: true, value: { advert, notices: [] } });
    }
  });

  it("with another address list: noticed only, or two masters would result from a list changed host by host", () => {
    const theirs = from(configWith({ advertised: [virtualAddress("192.0.2.7"), virtualAddress("192.0.2.8")] }));
    const result = validate(configWith(), theirs, CONTEXT);
    expect(result).toMatchObject({ ok: true, value: { notices: [{ reason: "address-list" }] } });
    if (result.ok) expect(result.value.notices[0]?.detail).toContain("192.0.2.7 192.0.2.8");
  });

  it("with the same addresses in another order", () => {
    const list = [virtualAddress("192.0.2.7"), virtualAddress("192.0.2.8")];
    const packet = from(configWith({ advertised: [...list].reverse() }));
    expect(validate(configWith({ advertised: list }), packet, CONTEXT)).toMatchObject({
      ok: true,
      value: { notices: [] },
    });
  });

  it("RFC 9568 section 6.4.2: with another interval in version 3, to be learned", () => {
    const packet = from(configWith({ version: 3, advertInterval: seconds(0.25) }));
    expect(validate(V3, packet, CONTEXT)).toMatchObject({ ok: true, value: { advert: { advertInterval: 250_000 } } });
  });

  it("from a unicast peer behind a router, whatever TTL is left", () => {
    expect(refusal(UNICAST, from(UNICAST, { ttl: 3 }))).toBeNull();
  });

  it("from anybody by unicast, unless check_unicast_src says otherwise", () => {
    const transport = unicastTransport([ip("10.99.0.9")]);
    expect(refusal(configWith({ transport }), from(UNICAST))).toBeNull();
  });
});

describe("an advert is dropped, with the reason counted", () => {
  const cases: readonly (readonly [string, string, VrrpInstanceConfig, Packet])[] = [
    ["that came from our own address", "own-packet", configWith(), from(configWith(), { source: OURS })],
    ["RFC 9568 section 7.1: by multicast with a TTL below 255", "ttl", configWith(), from(configWith(), { ttl: 254 })],
    ["of version 3 in version 2", "version", configWith(), from(V3)],
    ["of version 2 in version 3", "version", V3, from(configWith())],
    ["without authentication where PASS is asked", "auth-type", PASS, from(configWith())],
    ["with PASS where none is asked", "auth-type", configWith(), from(PASS)],
    ["with an unknown authentication", "auth-type-unknown", PASS, from(PASS, { authType: 9 })],
    ["with another password", "auth-fail", PASS, from(configWith({ authentication: password("1112") }))],
    [
      "with a password that only begins like ours",
      "auth-fail",
      PASS,
      from(configWith({ authentication: password("11110") })),
    ],
    [
      "RFC 3768 section 7.1: with another interval",
      "interval",
      configWith(),
      from(configWith({ advertInterval: seconds(2) })),
    ],
    ["of version 3 with interval 0", "interval", V3, from(V3, { advertInterval: seconds(0) })],
    ["of an unknown type", "type", configWith(), from(configWith(), { type: 2 })],
    ["with a wrong checksum", "checksum", configWith(), from(configWith(), { checksumPlain: false })],
    ["of version 3 without pseudo-header", "checksum", V3, from(configWith({ version: 3, v3ChecksumAsV2: true }))],
    [
      "of version 3 with pseudo-header and v3_checksum_as_v2",
      "checksum",
      configWith({ version: 3, v3ChecksumAsV2: true }),
      from(V3),
    ],
    [
      "by unicast where multicast is configured",
      "wrong-destination",
      configWith(),
      from(configWith(), { destination: OURS }),
    ],
    ["by multicast where unicast is configured", "wrong-destination", UNICAST, from(UNICAST, { destination: GROUP })],
    [
      "by multicast to another group",
      "wrong-destination",
      configWith(),
      from(configWith(), { destination: ip("224.0.0.19") }),
    ],
    ["from a stranger with check_unicast_src", "not-a-peer", UNICAST, from(UNICAST, { source: ip("10.99.0.77") })],
    [
      "by an owner with owner_ignore_adverts",
      "owner-ignores",
      configWith({ priority: 255, ownerIgnoreAdverts: true }),
      from(configWith()),
    ],
  ];
  for (const [name, reason, config, packet] of cases) {
    it(`${name}: ${reason}`, () => {
      expect(refusal(config, packet)).toBe(reason);
    });
  }

  it("in keepalived's order: TTL before version before authentication before interval before checksum", () => {
    const everything = { ttl: 1, version: 3, authType: 2, advertInterval: seconds(9), checksumPlain: false } as const;
    let packet = from(PASS, everything);
    const seen: (string | null)[] = [];
    for (const repair of [
      {},
      { ttl: 255 },
      { version: 2 },
      { authType: 1 },
      { advertInterval: seconds(1) },
      { checksumPlain: true },
    ] as const) {
      packet = { ...packet, ...repair };
      seen.push(refusal(PASS, packet));
    }
    expect(seen).toEqual(["ttl", "version", "auth-type", "interval", "checksum", null]);
  });

  it("owner_ignore_adverts means nothing below priority 255", () => {
    expect(refusal(configWith({ ownerIgnoreAdverts: true }), from(configWith()))).toBeNull();
  });

  it("the detail never shows a password", () => {
    const result = validate(PASS, from(configWith({ authentication: password("geheim99") })), CONTEXT);
    expect(JSON.stringify(result)).not.toMatch(/geheim|1111/);
  });
});

describe("rules of single peers and old ones", () => {
  const ttl = (min: number, max: number): VrrpInstanceConfig =>
    configWith({
      transport: unicastTransport([SENDER], { checkSource: true, peerTtls: [{ peer: SENDER, min, max }] }),
    });

  it("min_ttl and max_ttl: only in the range", () => {
    expect(refusal(ttl(60, 64), from(UNICAST, { ttl: 60 }))).toBeNull();
    expect(refusal(ttl(60, 64), from(UNICAST, { ttl: 59 }))).toBe("ttl");
    expect(refusal(ttl(60, 64), from(UNICAST, { ttl: 65 }))).toBe("ttl");
  });

  it("the checksum of keepalived before 1.3.6 is believed and noticed, unless never", () => {
    const unicast = (checksum: "auto" | "old" | "new"): VrrpInstanceConfig =>
      configWith({ version: 3, transport: unicastTransport([SENDER], { checksum }) });
    const old = from(unicast("old"));
    expect(validate(unicast("auto"), old, CONTEXT)).toMatchObject({ value: { notices: [{ reason: "old-checksum" }] } });
    expect(refusal(unicast("new"), old)).toBe("checksum");
  });

  it("skip_check_adv_addr compares the list of a master once", () => {
    const config = configWith({ receive: { ...configWith().receive, skipCheckAdvAddr: true } });
    const theirs = from(configWith({ advertised: [virtualAddress("192.0.2.7")] }));
    expect(validate(config, theirs, CONTEXT)).toMatchObject({ value: { notices: [{ reason: "address-list" }] } });
    expect(validate(config, theirs, { ...CONTEXT, lastSource: SENDER })).toMatchObject({ value: { notices: [] } });
  });

  it("an address list without any of ours asks whether the virtual router id is used twice", () => {
    const result = validate(configWith(), from(configWith({ advertised: [virtualAddress("192.0.2.7")] })), CONTEXT);
    expect(result.ok && result.value.notices[0]?.detail).toContain("another virtual router");
  });

  it("version 3 notices another interval, and learns it", () => {
    const packet = from(configWith({ version: 3, advertInterval: seconds(0.25) }));
    expect(validate(V3, packet, CONTEXT)).toMatchObject({ value: { notices: [{ reason: "interval-differs" }] } });
  });
});
