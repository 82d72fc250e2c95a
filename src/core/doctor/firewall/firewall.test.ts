// Recorded: rule sets that firewalld 1.3.3 and ufw 0.36.2 (by iptables-nft 1.8.9) made, and one by hand, as nft 1.0.6 and iptables-save list them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { unicastTransport } from "../../vrrp/config.ts";
import { configWith, ip, password } from "../../vrrp/example-config.ts";
import { judgeFilter } from "./findings.ts";
import { readIptablesSave, withIptables } from "./iptables-save.ts";
import type { PacketFilter, ProbePacket } from "./model.ts";
import { readNftRuleset } from "./nft-ruleset.ts";
import { obstacles } from "./walk.ts";

const recorded = (name: string): string => readFileSync(join(import.meta.dirname, "recorded", name), "utf8");

function nft(name: string): PacketFilter {
  const filter = readNftRuleset(recorded(`${name}.json`), recorded(`${name}.txt`));
  if (filter === null) throw new Error(`${name} cannot be read`);
  return filter;
}

/** As nft would list it: base chain `input` of inet filter with these rules. */
function nftRules(rules: readonly unknown[], policy = "accept", base: Record<string, unknown> = {}): PacketFilter {
  const at = { family: "inet", table: "filter" };
  const chain = { ...at, name: "input", hook: "input", prio: 0, policy, ...base };
  const listed = rules.map((expr, index) => ({ rule: { ...at, chain: "input", handle: index + 1, expr } }));
  const other = { chain: { ...at, name: "other" } };
  const stop = { rule: { ...at, chain: "other", handle: 99, expr: [{ drop: null }] } };
  const filter = readNftRuleset(JSON.stringify({ nftables: [{ chain }, other, ...listed, stop] }), "");
  if (filter === null) throw new Error("not read");
  return filter;
}

/** As nftRules(), with one rule's words for people. */
function nftWords(expr: unknown, words: string): PacketFilter {
  const at = { family: "inet", table: "filter" };
  const chain = { chain: { ...at, name: "input", hook: "input", prio: 0, policy: "accept" } };
  const rule = { rule: { ...at, chain: "input", handle: 7, expr } };
  const listing = [
    "table inet filter { # handle 1",
    "\tchain input { # handle 2",
    `\t\t${words} # handle 7`,
    "\t}",
    "}",
  ];
  return readNftRuleset(JSON.stringify({ nftables: [chain, rule] }), listing.join("\n")) ?? [];
}

const network = { address: ip("192.168.11.81"), prefixLength: 24 };
const multicast: ProbePacket = {
  direction: "input",
  family: 4,
  protocol: 112,
  interface: "eth0",
  source: network,
  destination: { address: ip("224.0.0.18"), prefixLength: 32 },
  destinationPort: null,
  multicast: true,
};

const match = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });
const PROTO = { meta: { key: "l4proto" } };
const SADDR = { payload: { protocol: "ip", field: "saddr" } };
const STATE = { ct: { key: "state" } };
const DROP = { drop: null };
const LIMIT = { limit: { rate: 50, per: "second", inv: true } };
/** `add @flood { ip saddr ... }` as nft 1.0 and later list it. */
const added = (stmt: unknown) => ({ set: { op: "add", elem: { payload: SADDR.payload }, set: "@flood", stmt } });
const ACCEPT = { accept: null };

const verdict = (filter: PacketFilter, packet = multicast): string =>
  obstacles(filter, packet)
    .map(({ rule, chain, certain }) => `${certain ? "" : "perhaps "}${chain.name} ${rule?.number ?? "policy"}`)
    .join("; ") || "passes";

describe("nftables", () => {
  test("a rate of each element that the JSON of an older nft leaves out is in the rule's words", () => {
    const words = "add @flood { ip saddr limit rate over 50/second } drop";
    expect(verdict(nftWords([added(undefined), DROP], words))).toBe("perhaps input 1");
    expect(verdict(nftWords([added(undefined), DROP], "add @flood { ip saddr } drop"))).toBe("input 1");
  });

  test.each<[string, unknown[], string]>([
    ["by number", [[match(PROTO, 112), DROP]], "input 1"],
    ["by name", [[match(PROTO, "vrrp"), DROP]], "input 1"],
    ["another protocol", [[match(PROTO, "tcp"), DROP]], "passes"],
    ["accepted before", [[match(PROTO, "vrrp"), ACCEPT], [DROP]], "passes"],
    ["accepted behind", [[DROP], [match(PROTO, "vrrp"), ACCEPT]], "input 1"],
    ["rejected", [[{ reject: { type: "icmpx" } }]], "input 1"],
    ["everything else than TCP and UDP", [[match(PROTO, { set: ["tcp", "udp"] }, "!="), DROP]], "input 1"],
    ["an interface", [[match({ meta: { key: "iifname" } }, "eth*"), DROP]], "input 1"],
    ["another interface", [[match({ meta: { key: "iifname" } }, "eth1"), DROP]], "passes"],
    ["an outgoing interface", [[match({ meta: { key: "oifname" } }, "eth0"), DROP]], "passes"],
    [
      "what established connections are not",
      [[match(STATE, ["established", "related"], "in"), ACCEPT], [DROP]],
      "input 2",
    ],
    ["the network of the senders", [[match(SADDR, { prefix: { addr: "192.168.0.0", len: 16 } }), DROP]], "input 1"],
    ["another network", [[match(SADDR, { prefix: { addr: "10.0.0.0", len: 8 } }), DROP]], "passes"],
    ["one host that may be the sender", [[match(SADDR, "192.168.11.82"), DROP]], "perhaps input 1"],
    ["at a rate", [[{ limit: { rate: 1, per: "second" } }, DROP]], "perhaps input 1"],
    ["at a rate of each element of a set", [[added([LIMIT]), DROP]], "perhaps input 1"],
    [
      "at a rate of each element of a meter",
      [[{ meter: { name: "flood", key: SADDR, stmt: LIMIT } }, DROP]],
      "perhaps input 1",
    ],
    ["with its sender kept in a set", [[added([{ counter: null }]), DROP]], "input 1"],
    ["behind what is perhaps accepted", [[match(SADDR, "192.168.11.82"), ACCEPT], [DROP]], "perhaps input 2"],
    ["a mark", [[match({ meta: { key: "mark" } }, 7), DROP]], "perhaps input 1"],
    ["fragments that are none", [[match({ payload: { protocol: "tcp", field: "dport" } }, 22, "!="), DROP]], "passes"],
    ["multicast", [[match({ meta: { key: "pkttype" } }, "multicast"), DROP]], "input 1"],
    ["by jump", [[{ jump: { target: "other" } }]], "other 1"],
    [
      "a map of verdicts",
      [
        [
          {
            vmap: {
              key: PROTO,
              data: {
                set: [
                  ["tcp", ACCEPT],
                  ["vrrp", DROP],
                ],
              },
            },
          },
        ],
      ],
      "input 1",
    ],
    ["a map without it", [[{ vmap: { key: PROTO, data: { set: [["tcp", DROP]] } } }]], "passes"],
    ["returned", [[{ return: null }], [DROP]], "passes"],
    ["IPv6 only", [[match({ meta: { key: "nfproto" } }, "ipv6"), DROP]], "passes"],
    [
      "a pair of fields",
      [[match({ concat: [{ meta: { key: "iifname" } }, PROTO] }, { set: [{ concat: ["eth0", "vrrp"] }] }), DROP]],
      "input 1",
    ],
  ])("%s", (_title, rules, expected) => {
    expect(verdict(nftRules(rules))).toBe(expected);
  });

  test("a policy counts when no rule decides, and for its hook and interfaces only", () => {
    expect(verdict(nftRules([], "drop"))).toBe("input policy");
    expect(verdict(nftRules([[match(PROTO, "vrrp"), ACCEPT]], "drop"))).toBe("passes");
    expect(verdict(nftRules([], "drop", { hook: "forward" }))).toBe("passes");
    expect(verdict(nftRules([], "drop", { hook: "output" }), { ...multicast, direction: "output" })).toBe(
      "input policy",
    );
    const onDevice = (dev: string) => nftRules([], "drop", { family: "netdev", hook: "ingress", dev });
    expect([verdict(onDevice("eth0")), verdict(onDevice("eth1"))]).toEqual(["input policy", "passes"]);
  });

  test("what is no listing is not read", () => {
    expect([readNftRuleset("", ""), readNftRuleset("{}", ""), readNftRuleset('{"nftables":[]}', "")]).toEqual([
      null,
      null,
      [],
    ]);
  });

  test("a listing by hand: sets, vmap, rates, the rule's own words", () => {
    expect(verdict(nft("by-hand"), { ...multicast, protocol: 51 })).toBe("input 7");
    expect(verdict(nft("by-hand"))).toBe("passes");
    const [bad] = obstacles(nft("by-hand"), { ...multicast, source: { address: ip("10.9.3.4"), prefixLength: 32 } });
    expect(bad?.rule).toMatchObject({ handle: 11, number: 5, text: "ip saddr @bad drop" });
    expect(obstacles(nft("by-hand"), { ...multicast, interface: "lo" })[0]?.chain.table).toBe("nd");
  });
});

describe("as firewalls of distributions make them", () => {
  const question = { instances: [configWith({ name: "VI_82" })], peerLink: null, deviceTo: () => "eth0" };
  const networksOf = () => [network];

  test("firewalld rejects at the end of the zone, and is told by its own command", () => {
    const [finding, ...more] = judgeFilter({ ...question, networksOf, filter: nft("firewalld") });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: "firewall-in", severity: "error", server: "VI_82" });
    expect(finding?.what).toBe(
      "rule 9 (handle 72) of chain inet firewalld filter_IN_public, reached from filter_INPUT: `reject with icmpx admin-prohibited` drops incoming adverts (IP protocol 112)",
    );
    expect(finding?.fix).toContain("firewall-cmd --permanent --zone=ZONE --add-protocol=vrrp && firewall-cmd --reload");
  });

  const save = recorded("ufw-iptables-save.txt");

  test("ufw drops by policy, and its own file permits it", () => {
    const filter = withIptables(nft("ufw"), [{ tool: "iptables", text: save }]);
    const [finding, ...more] = judgeFilter({ ...question, networksOf, filter });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: "firewall-in", severity: "error" });
    expect(finding?.what).toMatch(/^the policy of chain INPUT of iptables, table filter drops incoming adverts/);
    expect(finding?.fix).toContain("/etc/ufw/before.rules, before COMMIT: -A ufw-before-input -p 112 -j ACCEPT");
  });

  test("what iptables' extensions match is not in nft's list: without iptables-save it is a doubt", () => {
    const all = judgeFilter({ ...question, networksOf, filter: nft("ufw") });
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(["firewall-perhaps"]));
  });

  test("between unicast peers ufw drops in the same place", () => {
    const unicast = configWith({ transport: unicastTransport([ip("192.168.11.82")]) });
    const filter = withIptables([], [{ tool: "iptables", text: save }]);
    const all = judgeFilter({ ...question, instances: [unicast], networksOf, filter });
    expect(all.map(({ id }) => id)).toEqual(["firewall-in"]);
  });

  test("tables of iptables-legacy come beside those of nftables", () => {
    const legacy = save.replace("(nf_tables)", "(legacy)");
    const both = withIptables(nft("ufw"), [{ tool: "iptables", text: legacy }]);
    const count = (tool: string) => both.filter((chain) => chain.tool === tool && chain.base !== null).length;
    expect([count("nft"), count("iptables")]).toEqual([3, 3]);
  });
});

describe("iptables-save", () => {
  const save = (...rules: readonly string[]): PacketFilter =>
    readIptablesSave(
      ["*filter", ":INPUT ACCEPT [0:0]", ":MINE - [0:0]", ...rules, "COMMIT", ""].join("\n"),
      "iptables",
    );

  test.each<[string, string]>([
    ["-A INPUT -p vrrp -j DROP", "INPUT 1"],
    ["-A INPUT -p 112 -j REJECT --reject-with icmp-port-unreachable", "INPUT 1"],
    ["-A INPUT ! -p tcp -j DROP", "INPUT 1"],
    ["-A INPUT ! -p vrrp -j DROP", "passes"],
    ["-A INPUT -d 224.0.0.0/4 -j DROP", "INPUT 1"],
    ['-A INPUT -d 224.0.0.18/32 -i eth+ -p vrrp -m comment --comment "no -j ACCEPT here" -j DROP', "INPUT 1"],
    ["-A INPUT ! -s 192.168.0.0/255.255.0.0 -j DROP", "passes"],
    ["-A INPUT -s 192.168.11.82/32 -j DROP", "perhaps INPUT 1"],
    ["-A INPUT -m pkttype --pkt-type multicast -j DROP", "INPUT 1"],
    ["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j DROP", "passes"],
    ["-A INPUT -m limit --limit 1/sec -j DROP", "perhaps INPUT 1"],
    ['-A INPUT -p vrrp -j LOG --log-prefix "vrrp "', "passes"],
    ["-A INPUT -p tcp -m multiport --dports 22,8112 -j DROP", "passes"],
  ])("%s", (rule, expected) => {
    expect(verdict(save(rule))).toBe(expected);
  });

  test("own chains are followed, and the words of the rule are told with the command", () => {
    const filter = save("-A INPUT -j MINE", "-A MINE -p vrrp -j DROP");
    const [finding] = judgeFilter({
      filter,
      instances: [configWith({ name: "VI_1" })],
      peerLink: null,
      networksOf: () => [network],
      deviceTo: () => null,
    });
    expect(finding?.what).toBe(
      "rule 1 of chain MINE of iptables, table filter, reached from INPUT: `-p vrrp -j DROP` drops incoming adverts (IP protocol 112)",
    );
    expect(finding?.fix).toMatch(/^iptables -I INPUT 1 -i eth0 -p 112 -j ACCEPT; and save it/);
  });
});

describe("what is asked", () => {
  const link = {
    listen: { address: ip("192.168.11.81"), port: 8112 },
    peers: [{ address: ip("192.168.11.82"), port: 8112 }],
    keys: [],
    activeKey: 1,
    interval: configWith().advertInterval,
    timeout: configWith().advertInterval,
  };
  const ask = (filter: PacketFilter, changes: Parameters<typeof configWith>[0] = {}) =>
    judgeFilter({
      filter,
      instances: [configWith({ name: "VI_1", ...changes })],
      peerLink: link,
      networksOf: () => [network],
      deviceTo: () => "eth0",
    }).map(({ id, server, fix }) => [id, server, fix.split(";")[0]]);

  test("with auth_type AH protocol 51, and the port of the peer link both ways", () => {
    expect(ask(nftRules([[match(PROTO, "ah"), DROP]]), { authentication: password("secret") })).toEqual([]);
    expect(
      ask(nftRules([[match(PROTO, "ah"), DROP]]), {
        authentication: { kind: "ah", password: [1, 2, 3, 4, 5, 6, 7, 8] },
      }),
    ).toEqual([["firewall-in", "VI_1", "nft insert rule inet filter input position 1 meta l4proto 51 accept"]]);
    const port = [[match({ payload: { protocol: "tcp", field: "dport" } }, 8112), DROP]];
    expect(ask(nftRules(port))).toEqual([
      [
        "firewall-peer-link",
        "peer_link 192.168.11.82:8112",
        "nft insert rule inet filter input position 1 tcp dport 8112 accept",
      ],
    ]);
  });

  test("a rule whose handle is not known is preceded at the beginning of its chain", () => {
    const [chain, ...others] = nftRules([[match(PROTO, "vrrp"), DROP]]);
    const rules = (chain?.rules ?? []).map((rule) => ({ ...rule, handle: null }));
    expect(ask([{ ...(chain as PacketFilter[number]), rules }, ...others])).toEqual([
      ["firewall-in", "VI_1", "nft insert rule inet filter input meta l4proto 112 accept"],
    ]);
  });

  test("a policy is mended at the end of its chain, going out as well", () => {
    expect(ask(nftRules([[match(PROTO, "tcp"), ACCEPT]], "drop", { hook: "output" }))).toEqual([
      ["firewall-out", "VI_1", "nft add rule inet filter input meta l4proto 112 accept"],
    ]);
  });
});
