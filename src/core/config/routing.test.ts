import { describe, expect, it } from "vitest";
import type { Route, Rule } from "../routing/model.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const FILES = {
  "/usr/lib/iproute2/rt_tables": "# reserved\n255 local\n100 uplink\n",
  "/etc/iproute2/rt_tables": "101 uplink\n0x66 hexed\n",
  "/etc/iproute2/rt_tables.d/more.conf": "103 more # a comment\n",
  "/etc/iproute2/rt_dsfield": "0x28 AF11\n",
  "/etc/iproute2/rt_realms": "7 lan\n",
  "/etc/iproute2/group": "5 uplinks\n",
};

function load(text: string) {
  const loaded = loadConfig(memorySource({ ...FILES, "/k.conf": text }), "/k.conf");
  return { ...loaded, codes: loaded.diagnostics.map(({ code }) => code) };
}

function instance(block: string, line: string) {
  const loaded = load(
    `vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 192.0.2.1\n }\n ${block} {\n ${line}\n }\n}\n`,
  );
  return { vrrp: loaded.config.instances[0]?.vrrp, codes: loaded.codes };
}

const route = (line: string): Partial<Route> & { codes: readonly string[] } => {
  const { vrrp, codes } = instance("virtual_routes", line);
  return { ...vrrp?.routes[0], codes };
};
const rule = (line: string): Partial<Rule> & { codes: readonly string[] } => {
  const { vrrp, codes } = instance("virtual_rules", line);
  return { ...vrrp?.rules[0], codes };
};

describe("a route line", () => {
  it("names prefix, gateway and interface, and is ours by its protocol", () => {
    expect(route("10.50.0.0/16 via 10.9.0.2 dev eth0")).toMatchObject({
      family: 4,
      type: 1,
      destination: { address: "10.50.0.0", length: 16 },
      gateway: "10.9.0.2",
      device: "eth0",
      table: 254,
      protocol: 18,
      tracked: true,
      placement: "prepend",
      codes: [],
    });
  });

  it("default takes its family from the gateway", () => {
    expect(route("default via fe80::1 dev eth0").destination).toEqual({ address: "::", length: 0 });
    expect(route("default via 10.9.0.2 dev eth0").destination).toEqual({ address: "0.0.0.0", length: 0 });
    expect(route("inet6 default dev eth0").family).toBe(6);
  });

  it("metrics carry the kernel's numbers, times those of iproute2", () => {
    const { metrics, locked, congestionControl } = route(
      "10.50.0.0/16 dev eth0 mtu lock 1400 hoplimit 9 rtt 300ms rttvar 1s rto_min 250ms features ecn congctl lock cubic",
    );
    expect(metrics).toEqual([
      { attribute: 2, value: 1400 },
      { attribute: 10, value: 9 },
      { attribute: 4, value: 2400 },
      { attribute: 5, value: 4000 },
      { attribute: 13, value: 250 },
      { attribute: 12, value: 1 },
    ]);
    expect(locked).toBe((1 << 2) | (1 << 16));
    expect(congestionControl).toBe("cubic");
  });

  it("next hops keep weight, flags and realms; what is wrong with one costs that one", () => {
    const { nextHops, codes } = route("10.1.0.0/16 nexthop via 10.9.0.3 weight 2 realms 5/lan nexthop dev eth0 onlink");
    expect(nextHops).toEqual([
      { gateway: "10.9.0.3", device: null, weight: 2, onlink: false, realms: 0x5_0007, encapsulation: null },
      { gateway: null, device: "eth0", weight: 1, onlink: true, realms: null, encapsulation: null },
    ]);
    expect(codes).toEqual(["route-not-tracked"]);
    expect(route("10.1.0.0/16 no_track nexthop via 10.9.0.3 nexthop dev eth0 weight 300")).toMatchObject({
      nextHops: [{ gateway: "10.9.0.3" }],
      codes: ["bad-route"],
    });
  });

  it("`via A or B` is two next hops", () => {
    const { nextHops, gateway, codes } = route("10.1.0.0/16 via 10.9.0.2 or 10.9.0.3 no_track");
    expect([gateway, nextHops?.map((hop) => hop.gateway), codes]).toEqual([
      null,
      ["10.9.0.2", "10.9.0.3"],
      ["deprecated-word"],
    ]);
  });

  it("encapsulations are read whole", () => {
    const encap = (text: string) => route(`10.1.0.0/16 dev eth0 encap ${text} metric 7`).encapsulation;
    expect(encap("mpls 100/200")).toEqual({ kind: "mpls", labels: [100, 200] });
    expect(encap("ila 2001:db8:0:1")).toEqual({ kind: "ila", locator: "20010db800000001" });
    expect(encap("ip id 5 dst 10.9.0.3 ttl 9 tos AF11")).toEqual({
      kind: "ip",
      id: "5",
      destination: "10.9.0.3",
      source: null,
      tos: 0x28,
      ttl: 9,
      flags: null,
    });
    expect(encap("ip6 dst 2001:db8::1 hoplimit 3")).toMatchObject({ kind: "ip6", ttl: 3 });
    expect(route("10.1.0.0/16 dev eth0 encap ip ttl 9")).toMatchObject({ encapsulation: null, codes: ["bad-route"] });
  });

  it("names come from iproute2's files, the administrator's last", () => {
    const table = (name: string) => route(`10.1.0.0/16 dev eth0 table ${name}`).table;
    expect(["local", "uplink", "hexed", "more", "0x10", "4294967295"].map(table)).toEqual([
      255, 101, 0x66, 103, 16, 4_294_967_295,
    ]);
    expect(route("10.1.0.0/16 dev eth0 table nope")).toMatchObject({ codes: ["unknown-name"] });
    expect(route("10.1.0.0/16 dev eth0 scope link no_track protocol zebra")).toMatchObject({
      scope: 253,
      protocol: 11,
    });
  });

  it("iproute_etc_dir is where names are looked for", () => {
    const text =
      "global_defs { iproute_etc_dir /opt/names\n}\nstatic_routes {\n 10.1.0.0/16 dev eth0 table special\n}\nvrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n";
    const files = { "/k.conf": text, "/opt/names/rt_tables": "77 special" };
    expect(loadConfig(memorySource(files), "/k.conf").config.host.statics.routes[0]?.table).toBe(77);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["10.50.0.0/16 via 300.9.0.2 dev eth0", "bad-route"],
    ["10.50.0.0/16 via 2001:db8::1 dev eth0", "bad-route"],
    ["via 10.9.0.2 dev eth0", "bad-route"],
    ["10.50.0.0/16 dev eth0 expires 100", "bad-route"],
    ["10.50.0.0/16 dev eth0 quickack 2", "bad-route"],
    ["10.50.0.0/16 dev eth0 junk", "bad-route"],
    ["10.50.0.0/16 dev eth0 track_group G", "bad-route"],
    ["10.50.0.0/16 dev eth0 realms foo", "bad-route"],
    ["10.50.0.0/16 dev eth0 via", "missing-argument"],
  ];
  for (const [line, code] of wrong) {
    it(`\`${line}\` is left out`, () => {
      const { vrrp, codes } = instance("virtual_routes", line);
      expect([vrrp?.routes, codes]).toEqual([[], [code]]);
    });
  }
});

describe("a rule line", () => {
  it("carries every selector", () => {
    const line =
      "not from 10.1.0.0/16 to 10.2.0.0/16 fwmark 0x10/0xff tos 0x10 iif eth0 oif eth1 uidrange 5-6 ipproto udp sport 10-20 " +
      "dport 30 tunnel-id 7 table uplink priority 9 suppress_prefixlength 0 suppress_ifgroup uplinks realms 5/6";
    expect(rule(line)).toMatchObject({
      invert: true,
      from: { address: "10.1.0.0", length: 16 },
      to: { address: "10.2.0.0", length: 16 },
      fwmark: 16,
      fwmask: 255,
      tos: 16,
      inputDevice: "eth0",
      outputDevice: "eth1",
      userIds: { first: 5, last: 6 },
      ipProtocol: 17,
      sourcePorts: { first: 10, last: 20 },
      destinationPorts: { first: 30, last: 30 },
      tunnelId: "7",
      table: 101,
      priority: 9,
      suppressPrefixLength: 0,
      suppressGroup: 5,
      realms: 0x5_0006,
      protocol: 18,
      codes: [],
    });
  });

  it("actions exclude each other; goto leads forward", () => {
    expect(rule("from all goto 100 priority 8")).toMatchObject({ action: 2, gotoTarget: 100, table: null });
    expect(rule("nop priority 9").action).toBe(3);
    expect(rule("type blackhole priority 9").action).toBe(6);
    expect(rule("from all l3mdev priority 9")).toMatchObject({ action: 1, l3mdev: true, table: null });
    for (const line of [
      "from 10.1.1.1 priority 5",
      "from 10.1.1.1 priority 5 table 5 goto 10",
      "from 10.1.1.1 priority 15 goto 10",
      "from 10.1.1.1 goto 10",
      "from 10.1.1.1 priority 5 type throw",
      "from 10.1.1.1 priority 5 table 0",
      "from all priority 15 blackhole suppress_prefixlength 0",
      "from 2001:db8::/48 priority 15 table 5 realms 5",
      "from 10.1.1.1 to 2001:db8::1 priority 15 table 5",
      "from 10.1.1.1 priority 15 table 5 sport x",
    ]) {
      expect([line, rule(line).codes]).toEqual([line, ["bad-rule"]]);
    }
  });

  it("without preference it gets keepalived's, counting down", () => {
    const { vrrp, codes } = instance("virtual_rules", "from 10.1.1.1 table 5\n from 10.1.1.2 table 5\n inet6 table 5");
    expect(vrrp?.rules.map(({ priority }) => priority)).toEqual([16_384, 16_383, 16_384]);
    expect(codes).toEqual(["rule-no-preference", "rule-no-preference", "rule-no-preference"]);
  });
});

describe("static objects", () => {
  const INSTANCE =
    "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n";

  it("belong to the host; an address without device goes to default_interface", () => {
    const { config, codes } = load(
      `global_defs {\n default_interface eth7\n}\nstatic_ipaddress {\n 10.7.0.1/24\n 10.7.0.2/24 dev eth1 no_track\n}\nstatic_rules {\n from all table 5 preference 3\n}\n${INSTANCE}`,
    );
    const { addresses, rules } = config.host.statics;
    expect(addresses.map(({ address, tracked }) => [address.device, tracked])).toEqual([
      ["eth7", true],
      ["eth1", false],
    ]);
    expect([rules.length, codes]).toEqual([1, []]);
  });

  it("name a track group that stands above them", () => {
    const object = "static_routes {\n 10.1.0.0/16 dev eth0 track_group G\n}\n";
    const group = "track_group G {\n group {\n  V\n }\n}\n";
    const good = load(group + object + INSTANCE);
    expect(good.config.host.statics).toMatchObject({
      groups: [{ name: "G", instances: ["V"] }],
      routes: [{ trackGroup: "G" }],
    });
    expect(good.codes).toEqual([]);
    expect(load(object + group + INSTANCE).codes).toEqual(["unknown-track-group"]);
  });

  it("link delays are seconds, up as down unless given", () => {
    const { config, codes } = load(`interface_up_down_delays {\n eth0 1\n eth1 0.5 2\n eth2 300\n}\n${INSTANCE}`);
    expect(config.host.linkDelays).toEqual([
      { interface: "eth0", down: 1_000_000, up: 1_000_000 },
      { interface: "eth1", down: 500_000, up: 2_000_000 },
    ]);
    expect(codes).toEqual(["out-of-range"]);
  });
});

describe("options of an address", () => {
  const address = (line: string) => {
    const { vrrp, codes } = instance("virtual_ipaddress_excluded", line);
    return { ...vrrp?.excluded[0], codes };
  };

  it("are kept where keepalived keeps them", () => {
    expect(address("10.9.0.6/24 noprefixroute home preferred_lft 5 no_track -nodad")).toMatchObject({
      options: { flags: 0x210, preferredLifetime: 5, untracked: true, duplicateDetection: true, peer: null },
      codes: [],
    });
    expect(address("10.9.0.6 peer 10.9.0.7")).toMatchObject({ prefixLength: 32, options: { peer: "10.9.0.7" } });
    expect(address("10.9.0.6/24 brd -").broadcast).toBe("10.9.0.0");
    expect(address("10.9.0.6/24 brd +").broadcast).toBe("10.9.0.255");
    expect(address("10.9.0.6/24").options).toBeUndefined();
  });

  it("what is wrong with one costs the option, or the address, as with keepalived", () => {
    expect(address("10.9.0.6/24 peer 10.9.0.7")).toMatchObject({ prefixLength: 32, codes: ["bad-value"] });
    expect(address("10.9.0.6/32 brd +")).toMatchObject({ address: "10.9.0.6", broadcast: null, codes: ["bad-value"] });
    for (const line of ["10.9.0.6/24 brd nope", "10.9.0.6/24 label eth0:much-too-long-1"]) {
      expect([line, address(line).address]).toEqual([line, undefined]);
    }
  });
});
