import { describe, expect, it, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

function load(body: string, globals = "") {
  const text = `global_defs {\n${globals}\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 7\n${body}\n}\n`;
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  return { vrrp: config.instances[0]?.vrrp, codes: diagnostics.map((one) => one.code), diagnostics };
}

const vips = (...lines: readonly string[]) => `virtual_ipaddress {\n${lines.join("\n")}\n}`;
const advertised = (body: string) => load(body).vrrp?.advertised.map(({ address }) => address);

describe("an IPv6 instance", () => {
  it("has version 3, its own group and kernel leases like any other", () => {
    expect(load(vips("FE80:0::51", "2001:db8::51/64"), "vrrp_version 2")).toMatchObject({
      vrrp: {
        family: 6,
        version: 3,
        transport: { kind: "multicast", group: "ff02::12" },
        leaseSeconds: 2,
        advertised: [
          { address: "fe80::51", prefixLength: 128 },
          { address: "2001:db8::51", prefixLength: 64 },
        ],
      },
      codes: [],
    });
  });

  it("takes its group from vrrp_mcast_group6 or mcast_dst_ip", () => {
    const group = (body: string, globals = "") => load(`${body}\n${vips("fe80::51")}`, globals).vrrp?.transport;
    expect(group("", "vrrp_mcast_group6 ff02::55")).toMatchObject({ group: "ff02::55" });
    expect(group("mcast_dst_ip ff02::66", "vrrp_mcast_group6 ff02::55")).toMatchObject({ group: "ff02::66" });
    expect(group("", "vrrp_mcast_group4 224.0.0.99")).toMatchObject({ group: "ff02::12" });
  });

  it("unicast leaves with the kernel's hop limit unless unicast_ttl says otherwise", () => {
    const peers = `unicast_src_ip 2001:db8::1\nunicast_peer {\n2001:DB8::2\n}\n${vips("2001:db8::51")}`;
    const transport = { kind: "unicast", peers: ["2001:db8::2"], ttl: 64 };
    expect(load(peers).vrrp).toMatchObject({ family: 6, sourceAddress: "2001:db8::1", transport });
    expect(load(`unicast_ttl 3\n${peers}`).vrrp?.transport).toMatchObject({ ttl: 3 });
  });

  it("excluded addresses may be of either family", () => {
    const excluded = `virtual_ipaddress_excluded {\n192.0.2.9/24\n2001:db8::9/64\n}`;
    for (const first of [vips("fe80::51"), vips("192.0.2.1")]) {
      const { vrrp, codes } = load(`${first}\n${excluded}`);
      expect(vrrp?.excluded.map(({ address }) => address)).toEqual(["192.0.2.9", "2001:db8::9"]);
      expect(codes).toEqual([]);
    }
  });

  it("an explicit version 2 is keepalived's own and warned about; authentication there is not", () => {
    const { vrrp, codes } = load(`version 2\nauthentication {\nauth_type PASS\nauth_pass x\n}\n${vips("fe80::51")}`);
    expect(vrrp).toMatchObject({ version: 2, family: 6, authentication: { kind: "none" } });
    expect(codes).toEqual(["ipv6-version-2", "auth-ignored"]);
  });

  it("below an address version 2 is refused, as keepalived does", () => {
    const { vrrp, codes } = load(`${vips("fe80::51")}\nversion 2`);
    expect([vrrp?.version, codes]).toEqual([3, ["family-mismatch"]]);
  });

  it("89 addresses go into a packet of 1500 bytes; the rest is not advertised", () => {
    const { vrrp, codes } = load(vips(...Array.from({ length: 100 }, (_, at) => `2001:db8::1:${at.toString(16)}`)));
    expect([vrrp?.advertised.length, vrrp?.excluded.length]).toEqual([89, 11]);
    expect(codes).toEqual(["adjusted"]);
  });
});

test("one number serves an IPv4 and an IPv6 router on the same interface, and no two of one family", () => {
  const block = (name: string, vip: string) =>
    `vrrp_instance ${name} {\n interface eth0\n virtual_router_id 7\n${vips(vip)}\n}\n`;
  const text = block("A", "192.0.2.1") + block("B", "fe80::1") + block("C", "fe80::2");
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  expect(config.instances.map(({ vrrp }) => vrrp.name)).toEqual(["A", "B"]);
  expect(diagnostics.map(({ code }) => code)).toEqual(["duplicate-vrid"]);
});

describe("whatever names an address first decides the family", () => {
  test.each([
    [`${vips("192.0.2.1", "fe80::51")}`, 4, ["192.0.2.1"]],
    [`${vips("fe80::51", "192.0.2.1")}`, 6, ["fe80::51"]],
    [`native_ipv6\n${vips("192.0.2.1", "fe80::51")}`, 6, ["fe80::51"]],
    [`mcast_dst_ip 224.0.0.55\n${vips("fe80::51", "192.0.2.1")}`, 4, ["192.0.2.1"]],
    [`mcast_src_ip 10.0.0.1\n${vips("fe80::51")}`, 4, []],
    [`unicast_peer {\n2001:db8::2\n10.0.0.2\n}\n${vips("fe80::51")}`, 6, ["fe80::51"]],
    [`${vips("192.0.2.1")}\nnative_ipv6`, 4, ["192.0.2.1"]],
  ] as const)("%s", (body, family, expected) => {
    const { vrrp, codes } = load(body);
    expect(vrrp?.family).toBe(family);
    expect(advertised(body)).toEqual(expected);
    expect(codes).toContain("family-mismatch");
  });

  it("and nothing else: neither prefixes that are too long nor names", () => {
    expect(load(`${vips("nonsense", "2001:db8::1/129")}`)).toMatchObject({
      vrrp: { family: 6, advertised: [{ address: "2001:db8::1", prefixLength: 128 }] },
      codes: ["bad-address", "bad-address"],
    });
  });
});

test.each([
  ["mcast_dst_ip fe80::1", "bad-address"],
  ["mcast_dst_ip ff05::12", "bad-address"],
])("%s is no group for IPv6", (body, code) => {
  const { vrrp, codes } = load(`${body}\n${vips("fe80::51")}`);
  expect(vrrp?.transport).toMatchObject({ group: "ff02::12" });
  expect(codes).toEqual([code]);
});

test("a group beyond the link is used and complained of in vrrp_mcast_group6", () => {
  const { vrrp, codes } = load(vips("fe80::51"), "vrrp_mcast_group6 ff0e::55");
  expect(vrrp?.transport).toMatchObject({ group: "ff0e::55" });
  expect(codes).toEqual(["group-not-on-link"]);
});

test.each(["vrrp_mcast_group6 224.0.0.18", "vrrp_mcast_group6 fe80::1", "vrrp_mcast_group4 ff02::12"])(
  "%s is refused",
  (globals) => {
    const { vrrp, codes } = load(vips("fe80::51"), globals);
    expect(vrrp?.transport).toMatchObject({ group: "ff02::12" });
    expect(codes).toHaveLength(1);
  },
);

test.each([
  ["fe80::51 label eth0:1", ["fe80::51"]],
  ["fe80::51 scope link", ["fe80::51"]],
  ["fe80::51/64 brd +", []],
])("%s: an option that IPv6 does not have", (line, expected) => {
  const { vrrp, codes } = load(vips(line));
  expect(vrrp?.advertised.map(({ address }) => address)).toEqual(expected);
  expect(codes).toContain("bad-value");
});
