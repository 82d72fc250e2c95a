/**
 * Routes and rules as keepalived's dumps write them: its words, in its order, with the kernel's numbers. Owns the text of one
 * object; which section it stands in is decided elsewhere.
 */
import { familyOf, HOST_PREFIX, type IpAddress } from "../lib/ip.ts";
import {
  type Encapsulation,
  type NextHop,
  PROTOCOL_KEEPALIVED,
  type Prefix,
  ROUTE_UNICAST,
  type Route,
  type Rule,
  TABLE_MAIN,
} from "../routing/model.ts";

/** RTN_* of linux/rtnetlink.h. */
const ROUTE_TYPES: Readonly<Record<number, string>> = {
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
  10: "nat",
  11: "xresolve",
};

/** RTAX_*: number, word, and for times how many units a millisecond has. In keepalived's order: times before numbers. */
const TIMES = [
  { attribute: 4, word: "rtt", perMilli: 8 },
  { attribute: 5, word: "rttvar", perMilli: 4 },
  { attribute: 13, word: "rto_min", perMilli: 1 },
] as const;
const NUMBERS = [
  [2, "mtu"],
  [3, "window"],
  [6, "ssthresh"],
  [7, "cwnd"],
  [8, "advmss"],
  [9, "reordering"],
  [10, "hoplimit"],
  [11, "initcwnd"],
  [14, "initrwnd"],
  [15, "quickack"],
  [17, "fastopen_no_cookie"],
] as const;
const [RTAX_FEATURES, RTAX_CONGESTION] = [12, 16] as const;
const FEATURE_ECN = 1;

const PREFERENCES: Readonly<Record<number, string>> = { 0: "medium", 1: "high", 3: "low" };

/** A word and its value; nothing for null. */
const given = (word: string, value: string | number | null): readonly string[] =>
  value === null ? [] : [`${word} ${value}`];

/** A whole-host prefix is written without its length. */
const prefixText = ({ address, length }: Prefix): string =>
  length === HOST_PREFIX[familyOf(address)] ? address : `${address}/${length}`;

const viaText = (gateway: IpAddress | null): string | null =>
  gateway === null ? null : `${familyOf(gateway) === 4 ? "inet" : "inet6"} ${gateway}`;

/** `prepend 10.0.0.0/16 via inet 10.9.0.9 dev eth0 proto 18 metric 7`. */
export function routeText(route: Route): string {
  return [
    ...placementWords(route),
    prefixText(route.destination),
    ...given("from", route.source === null ? null : prefixText(route.source)),
    ...given("src", route.preferredSource),
    ...given("tos", route.tos),
    ...encapsulationText(route.encapsulation),
    ...given("via", viaText(route.gateway)),
    ...given("dev", route.device),
    ...given("table", route.table === TABLE_MAIN ? null : route.table),
    ...given("proto", routeProtocol(route)),
    ...given("scope", route.scope),
    ...given("metric", route.priority),
    ...(route.onlink ? ["onlink"] : []),
    ...given("realms", route.realms === null ? null : realmsText(route.realms)),
    ...given("expires", route.expires === null ? null : `${route.expires}sec`),
    ...metricTexts(route),
    ...given("pref", route.preference === null ? null : (PREFERENCES[route.preference] ?? route.preference)),
    ...given("ttl-propagate", route.ttlPropagate === null ? null : route.ttlPropagate ? "enabled" : "disabled"),
    ...route.nextHops.map(nextHopText),
    ...(route.tracked ? [] : ["no_track"]),
  ].join(" ");
}

/** A route that leads nowhere has nothing to be put in front of. */
function placementWords({ placement, type }: Route): readonly string[] {
  if (type === ROUTE_UNICAST) return [placement];
  return [placement === "append" ? placement : "add", ROUTE_TYPES[type] ?? String(type)];
}

/** keepalived marks what it watches; a route with no_track has no protocol of its own unless the line gives one. */
function routeProtocol({ protocol, text }: Route): number | null {
  const unmarked = protocol === PROTOCOL_KEEPALIVED && /\bno_track\b/.test(text) && !/\bproto(col)?\b/.test(text);
  return unmarked ? null : protocol;
}

function metricTexts(route: Route): readonly string[] {
  const values = new Map(route.metrics.map(({ attribute, value }) => [attribute, value]));
  const numberOf = (attribute: number): number | null => values.get(attribute) ?? null;
  const lock = (attribute: number): string => ((route.locked & (1 << attribute)) === 0 ? "" : "lock ");
  const congestion = route.congestionControl;
  return [
    ...given("congctl", congestion === null ? null : `${lock(RTAX_CONGESTION)}${congestion}`),
    ...TIMES.flatMap(({ attribute, word, perMilli }) => {
      const value = numberOf(attribute);
      return given(word, value === null ? null : `${lock(attribute)}${value / perMilli}ms`);
    }),
    ...given("features", ((numberOf(RTAX_FEATURES) ?? 0) & FEATURE_ECN) === 0 ? null : "ecn"),
    ...NUMBERS.flatMap(([attribute, word]) => {
      const value = numberOf(attribute);
      return given(word, value === null ? null : `${lock(attribute)}${value}`);
    }),
  ];
}

/** Only the destination realm: one number. */
function realmsText(realms: number): string {
  const source = realms >>> 16;
  return source === 0 ? String(realms) : `${source}/${realms & 0xffff}`;
}

function nextHopText(hop: NextHop): string {
  return [
    "nexthop",
    ...given("via", viaText(hop.gateway)),
    ...given("dev", hop.device),
    `weight ${hop.weight}`,
    ...(hop.onlink ? ["onlink"] : []),
    ...given("realm", hop.realms === null ? null : realmsText(hop.realms)),
    ...encapsulationText(hop.encapsulation),
  ].join(" ");
}

function encapsulationText(encapsulation: Encapsulation | null): readonly string[] {
  if (encapsulation === null) return [];
  if (encapsulation.kind === "mpls") return [`encap mpls ${encapsulation.labels.join("/")}`];
  if (encapsulation.kind === "ila") return [`encap ila ${encapsulation.locator.replace(/(.{4})(?=.)/g, "$1:")}`];
  const { kind, id, destination, source, tos, ttl, flags } = encapsulation;
  const six = kind === "ip6";
  return [
    `encap ${kind}`,
    ...given("id", id),
    ...given("dst", destination),
    ...given("src", source),
    ...given(six ? "tc" : "tos", tos),
    ...given(six ? "hoplimit" : "ttl", ttl),
    ...given("flags", flags === null ? null : `0x${flags.toString(16)}`),
  ];
}

/** FR_ACT_* of linux/fib_rules.h that need no table. */
const ACTIONS: Readonly<Record<number, string>> = {
  3: "nop",
  6: "type blackhole",
  7: "type unreachable",
  8: "type prohibit",
};
const GOTO = 2;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** `from 10.9.0.0/24 priority 200 tos 0x0 protocol 18 lookup 100`. */
export function ruleText(rule: Rule): string {
  const { from, to, fwmark, fwmask } = rule;
  const mark = fwmark === null ? null : `${hex(fwmark)}${fwmask === null ? "" : `/${hex(fwmask)}`}`;
  return [
    ...(rule.invert ? ["not"] : []),
    `from ${from === null ? "all" : prefixText(from)}`,
    ...given("to", to === null ? null : prefixText(to)),
    `priority ${rule.priority}`,
    `tos ${hex(rule.tos ?? 0)}`,
    ...given("fwmark", mark),
    ...given("iif", rule.inputDevice),
    ...given("oif", rule.outputDevice),
    ...given("suppress_prefixlen", rule.suppressPrefixLength),
    ...given("suppress_ifgroup", rule.suppressGroup),
    ...given("tun_id", rule.tunnelId),
    ...given("uidrange", rangeText(rule.userIds)),
    ...(rule.l3mdev ? ["l3mdev"] : []),
    ...given("protocol", rule.protocol === 0 ? null : rule.protocol),
    ...given("ipproto", rule.ipProtocol),
    ...given("sport", rangeText(rule.sourcePorts)),
    ...given("dport", rangeText(rule.destinationPorts)),
    ...given("realms", rule.realms === null ? null : realmsText(rule.realms)),
    actionText(rule),
    ...(rule.tracked ? [] : ["no_track"]),
  ].join(" ");
}

const rangeText = (range: Rule["userIds"]): string | null => (range === null ? null : `${range.first}-${range.last}`);

function actionText({ action, gotoTarget, table }: Rule): string {
  if (action === GOTO) return `goto ${gotoTarget ?? 0}`;
  return ACTIONS[action] ?? `lookup ${table ?? 0}`;
}
