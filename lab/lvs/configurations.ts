/**
 * Configurations for the comparison with keepalived: what it makes of them in the kernel is what we must make. Addresses of 10.9.0.0/24 and
 * 2001:db8::/64; no checker that could succeed, so that the table does not depend on time. Left out is what we do otherwise on purpose: of two
 * blocks for one service keepalived mixes the servers, here the first counts.
 */
export interface Case {
  readonly name: string;
  readonly text: string;
}

const SCHEDULERS = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh", "fo", "ovf"];
const SERVERS = ["real_server 10.9.0.11 80 { weight 3\n}", "real_server 10.9.0.12 80 { weight 1\n}"];

function service(head: string, lines: readonly string[], servers: readonly string[] = SERVERS): string {
  return `virtual_server ${head} {\n${[...lines, ...servers].join("\n")}\n}\n`;
}

const tcp = (...lines: string[]): readonly string[] => ["protocol TCP", ...lines];
const WEB = "10.9.0.1 80";
const real = (endpoint: string, ...lines: string[]): string => `real_server ${endpoint} {\n${lines.join("\n")}\n}`;

export const CASES: readonly Case[] = [
  ...SCHEDULERS.map((name) => ({
    name: `scheduler ${name}`,
    text: service(WEB, tcp(`lvs_sched ${name}`, "lvs_method NAT")),
  })),
  { name: "DR", text: service(WEB, tcp("lb_algo rr", "lb_kind DR")) },
  { name: "TUN", text: service(WEB, tcp("lb_algo rr", "lb_kind TUN")) },
  { name: "NAT to another port", text: service(WEB, tcp("lvs_sched rr", "lvs_method NAT"), [real("10.9.0.11 8080")]) },
  { name: "NAT without a port", text: service(WEB, tcp("lvs_sched rr", "lvs_method NAT"), [real("10.9.0.11")]) },
  { name: "DR with another port", text: service(WEB, tcp("lvs_sched rr", "lvs_method DR"), [real("10.9.0.11 8080")]) },
  {
    name: "tunnel by GUE",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method TUN type gue port 6080"), [real("10.9.0.11 80")]),
  },
  {
    name: "tunnel by GRE with checksum",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method TUN type gre csum"), [real("10.9.0.11 80")]),
  },
  {
    name: "a method for each server",
    text: service(WEB, tcp("lvs_sched wlc", "lvs_method DR"), [
      real("10.9.0.11 80"),
      real("10.9.0.12 8080", "lvs_method NAT"),
      real("10.9.0.13 80", "lvs_method TUN"),
    ]),
  },
  { name: "nothing but a server", text: service(WEB, [], [real("10.9.0.11 80")]) },
  { name: "persistence", text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "persistence_timeout 120")) },
  {
    name: "persistence without a number",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "persistence_timeout")),
  },
  {
    name: "persistence for networks",
    text: service(
      WEB,
      tcp("lvs_sched rr", "lvs_method DR", "persistence_timeout 60", "persistence_granularity 255.255.255.0"),
    ),
  },
  {
    name: "granularity alone",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "persistence_granularity 255.255.0.0")),
  },
  {
    name: "persistence by content",
    text: service("10.9.0.1 5060", [
      "protocol UDP",
      "lvs_sched rr",
      "lvs_method DR",
      "persistence_timeout 60",
      "persistence_engine sip",
    ]),
  },
  {
    name: "every port",
    text: service("10.9.0.1 0", tcp("lvs_sched rr", "lvs_method DR", "persistence_timeout 50"), [real("10.9.0.11 0")]),
  },
  {
    name: "thresholds",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR"), [real("10.9.0.11 80", "uthreshold 100", "lthreshold 50")]),
  },
  {
    name: "weight 0",
    text: service(WEB, tcp("lvs_sched wrr", "lvs_method DR"), [real("10.9.0.11 80", "weight 0"), real("10.9.0.12 80")]),
  },
  {
    name: "weight of the service",
    text: service(WEB, tcp("lvs_sched wrr", "lvs_method DR", "weight 7"), [real("10.9.0.11 80")]),
  },
  {
    name: "UDP",
    text: service("10.9.0.1 53", ["protocol UDP", "lvs_sched rr", "lvs_method NAT"], [real("10.9.0.11 53")]),
  },
  {
    name: "SCTP",
    text: service("10.9.0.1 9899", ["protocol SCTP", "lvs_sched rr", "lvs_method NAT"], [real("10.9.0.11 9899")]),
  },
  {
    name: "one packet scheduling",
    text: service("10.9.0.1 53", ["protocol UDP", "lvs_sched rr", "lvs_method NAT", "ops"], [real("10.9.0.11 53")]),
  },
  { name: "ops over TCP", text: service(WEB, tcp("lvs_sched rr", "lvs_method NAT", "ops")) },
  { name: "sh with its flags", text: service(WEB, tcp("lvs_sched sh", "lvs_method DR", "sh-port", "sh-fallback")) },
  { name: "mh with its flags", text: service(WEB, tcp("lvs_sched mh", "lvs_method DR", "mh-port", "mh-fallback")) },
  { name: "flags by number", text: service(WEB, tcp("lvs_sched sh", "lvs_method DR", "flag-1", "flag-3")) },
  { name: "a flag of another scheduler", text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "sh-port")) },
  { name: "mark", text: service("fwmark 7", ["lvs_sched rr", "lvs_method DR"], [real("10.9.0.11")]) },
  {
    name: "mark with NAT and ports",
    text: service("fwmark 7", ["lvs_sched rr", "lvs_method NAT"], [real("10.9.0.11 8080")]),
  },
  { name: "mark of IPv6", text: service("fwmark 8", ["lvs_sched rr", "lvs_method DR"], [real("2001:db8::11")]) },
  {
    name: "mark with persistence",
    text: service("fwmark 9", ["lvs_sched rr", "lvs_method DR", "persistence_timeout 30"], [real("10.9.0.11")]),
  },
  {
    name: "IPv6",
    text: service("2001:db8::1 80", tcp("lvs_sched wlc", "lvs_method NAT"), [
      real("2001:db8::11 8080"),
      real("2001:db8::12 80"),
    ]),
  },
  {
    name: "IPv6 with persistence for networks",
    text: service(
      "2001:db8::1 80",
      tcp("lvs_sched rr", "lvs_method DR", "persistence_timeout 60", "persistence_granularity 64"),
      [real("2001:db8::11 80")],
    ),
  },
  {
    name: "tunnel from IPv4 to IPv6",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method TUN"), [real("2001:db8::11 80")]),
  },
  {
    name: "group of addresses and a mark",
    text: `virtual_server_group G {\n10.9.0.1 80\n10.9.0.2 443\n}\n${service("group G", tcp("lvs_sched rr", "lvs_method NAT"))}`,
  },
  {
    name: "group of a range",
    text: `virtual_server_group G {\n10.9.0.20-23 80\n}\n${service("group G", tcp("lvs_sched rr", "lvs_method DR"))}`,
  },
  {
    name: "group with a mark",
    text: `virtual_server_group G {\n10.9.0.1 80\nfwmark 5\n}\n${service("group G", tcp("lvs_sched rr", "lvs_method DR"))}`,
  },
  {
    name: "several services",
    text:
      service(WEB, tcp("lvs_sched rr", "lvs_method DR")) +
      service("10.9.0.1 443", tcp("lvs_sched wrr", "lvs_method DR"), [real("10.9.0.11 443"), real("10.9.0.12 443")]) +
      service("10.9.0.1 53", ["protocol UDP", "lvs_sched rr", "lvs_method DR"], [real("10.9.0.11 53")]),
  },
  {
    name: "the same server twice",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR"), [
      real("10.9.0.11 80", "weight 2"),
      real("10.9.0.11 80", "weight 5"),
    ]),
  },
  {
    name: "sorry server with enough servers",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "sorry_server 10.9.0.19 80")),
  },
  {
    name: "servers that begin as down, and a sorry server",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "alpha", "delay_loop 60", "sorry_server 10.9.0.19 80"), [
      real("10.9.0.11 80", "TCP_CHECK {\n}"),
      real("10.9.0.12 80", "TCP_CHECK {\n}"),
    ]),
  },
  {
    name: "inhibited servers that begin as down",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "alpha", "delay_loop 60", "inhibit_on_failure"), [
      real("10.9.0.11 80", "TCP_CHECK {\n}"),
      real("10.9.0.12 80"),
    ]),
  },
  {
    name: "inhibited servers",
    text: service(WEB, tcp("lvs_sched rr", "lvs_method DR", "inhibit_on_failure"), [
      real("10.9.0.11 80", "inhibit_on_failure"),
    ]),
  },
  {
    name: "conditions and definitions",
    text: `$SCHED=sed\n${service(WEB, tcp("lvs_sched $SCHED", "lvs_method DR"))}`,
  },
];
