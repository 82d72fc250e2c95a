/** Conditions of nftables as `nft -j` writes them (libnftables-json(5)): the left side asked of a packet, the right side compared with it. */
import { parseIp } from "../../lib/ip.ts";
import {
  ABSENT,
  allOf,
  anyOf,
  type Fact,
  interfaceFact,
  matchesName,
  names,
  network,
  not,
  number,
  parseNetwork,
  protocolFact,
  UNKNOWN,
  within,
} from "./facts.ts";
import type { ProbePacket, Truth } from "./model.ts";

export type Json = unknown;
type JsonObject = { readonly [key: string]: Json };

export const asObject = (value: Json): JsonObject | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
export const asArray = (value: Json): readonly Json[] => (Array.isArray(value) ? value : []);
export const asText = (value: Json): string => (typeof value === "string" ? value : "");

/** Elements of the named sets and maps of one table; undefined: there is none of that name. */
export type NamedSets = (name: string) => readonly Json[] | undefined;

/** `{"op", "left", "right"}` of a match. */
export function judgeMatch(match: Json, packet: ProbePacket, sets: NamedSets): Truth {
  const { op, left, right } = asObject(match) ?? {};
  const found = compare(left, right, packet, sets);
  switch (op) {
    case "==":
    case "in":
      return found;
    case "!=":
      return isAbsent(left, packet) ? false : not(found);
    case "<":
    case ">":
    case "<=":
    case ">=":
      return ordered(factOf(left, packet), op, right);
    default:
      return null;
  }
}

/** Also the key of a verdict map. */
export function compare(left: Json, right: Json, packet: ProbePacket, sets: NamedSets): Truth {
  const parts = asObject(left)?.concat;
  if (parts !== undefined) return compareParts(asArray(parts), right, packet, sets);
  return compareFact(factOf(left, packet), right, sets);
}

function compareParts(left: readonly Json[], right: Json, packet: ProbePacket, sets: NamedSets): Truth {
  const alternatives = elementsOf(right, sets);
  if (alternatives === null) return null;
  return anyOf(
    alternatives.map((one) => {
      const values = asArray(asObject(bare(one))?.concat);
      return values.length === left.length
        ? allOf(left.map((part, at) => compareFact(factOf(part, packet), values[at], sets)))
        : null;
    }),
  );
}

/** Null: it cannot be told. One value is a list of one. */
function elementsOf(right: Json, sets: NamedSets): readonly Json[] | null {
  if (typeof right === "string" && right.startsWith("@")) return sets(right.slice(1)) ?? null;
  if (Array.isArray(right)) return right;
  const set = asObject(right)?.set;
  return set === undefined ? [right] : typeof set === "string" ? elementsOf(set, sets) : asArray(set);
}

/** An element with a timeout or a comment is wrapped. */
function bare(element: Json): Json {
  const wrapped = asObject(asObject(element)?.elem);
  return wrapped === null ? element : wrapped.val;
}

function compareFact(fact: Fact, right: Json, sets: NamedSets): Truth {
  if (fact.kind === "absent") return false;
  const alternatives = elementsOf(right, sets);
  if (alternatives === null || fact.kind === "unknown") return null;
  return anyOf(alternatives.map((one) => equals(fact, bare(one))));
}

type Known = Exclude<Fact, { readonly kind: "absent" | "unknown" }>;

function equals(fact: Known, value: Json): Truth {
  const range = asArray(asObject(value)?.range);
  switch (fact.kind) {
    case "names":
      if (range.length > 0 || asObject(value) !== null) return null;
      return fact.names.some((name) => matchesName(name, String(value)));
    case "number":
      if (range.length === 2) return fact.value >= Number(range[0]) && fact.value <= Number(range[1]);
      return Number.isNaN(Number(value)) ? null : fact.value === Number(value);
    case "network": {
      // A range of addresses is not looked into.
      const theirs = range.length > 0 ? null : networkFrom(value);
      return theirs === null ? null : within(fact.network, theirs);
    }
  }
}

function networkFrom(value: Json) {
  const prefix = asObject(asObject(value)?.prefix);
  if (prefix === null) return parseNetwork(asText(value));
  const address = parseIp(asText(prefix.addr));
  return address === null ? null : { address, prefixLength: Number(prefix.len) };
}

function ordered(fact: Fact, op: "<" | ">" | "<=" | ">=", right: Json): Truth {
  if (fact.kind === "absent") return false;
  if (fact.kind !== "number" || typeof right !== "number") return null;
  const { value } = fact;
  if (op === "<") return value < right;
  if (op === ">") return value > right;
  return op === "<=" ? value <= right : value >= right;
}

const isAbsent = (left: Json, packet: ProbePacket): boolean => factOf(left, packet).kind === "absent";

function factOf(left: Json, packet: ProbePacket): Fact {
  const expression = asObject(left) ?? {};
  const meta = asObject(expression.meta);
  if (meta !== null) return metaFact(asText(meta.key), packet);
  const payload = asObject(expression.payload);
  if (payload !== null) return payloadFact(asText(payload.protocol), asText(payload.field), packet);
  const ct = asObject(expression.ct);
  if (ct !== null) return connectionFact(asText(ct.key));
  const fib = asObject(expression.fib);
  return fib === null ? UNKNOWN : routeFact(fib, packet);
}

function metaFact(key: string, packet: ProbePacket): Fact {
  switch (key) {
    case "l4proto":
      return protocolFact(packet.protocol);
    case "iif":
    case "iifname":
      return interfaceFact(packet, "in");
    case "oif":
    case "oifname":
      return interfaceFact(packet, "out");
    case "nfproto":
      return names(packet.family === 4 ? "ipv4" : "ipv6");
    case "protocol":
      return names(packet.family === 4 ? "ip" : "ip6");
    case "pkttype":
      // What we send is not looked at before it leaves.
      if (packet.direction === "output") return UNKNOWN;
      return packet.multicast ? names("multicast") : names("host", "unicast");
    default:
      return UNKNOWN;
  }
}

function payloadFact(protocol: string, field: string, packet: ProbePacket): Fact {
  switch (protocol) {
    case "ip":
      return packet.family === 4 ? ipFact(field, "protocol", packet) : ABSENT;
    case "ip6":
      return packet.family === 6 ? ipFact(field, "nexthdr", packet) : ABSENT;
    case "tcp":
    case "th":
      return portFact(field, packet);
    case "ah":
      return packet.protocol === 51 ? UNKNOWN : ABSENT;
    case "ether":
    case "vlan":
    case "":
      return UNKNOWN;
    default:
      return ABSENT;
  }
}

function portFact(field: string, { destinationPort }: ProbePacket): Fact {
  if (destinationPort === null) return ABSENT;
  return field === "dport" ? number(destinationPort) : UNKNOWN;
}

function ipFact(field: string, protocolField: string, packet: ProbePacket): Fact {
  switch (field) {
    case protocolField:
      return protocolFact(packet.protocol);
    case "saddr":
      return network(packet.source);
    case "daddr":
      return network(packet.destination);
    case "version":
      return number(packet.family);
    default:
      return UNKNOWN;
  }
}

/** The first packet of its kind. */
function connectionFact(key: string): Fact {
  switch (key) {
    case "state":
      return names("new");
    case "status":
      return names("none");
    case "direction":
      return names("original");
    default:
      return UNKNOWN;
  }
}

/** A way back to the sender exists: where it does not, rp_filter's finding says so. */
function routeFact(fib: JsonObject, packet: ProbePacket): Fact {
  const flags = asArray(fib.flags);
  if (fib.result === "oif" && flags.includes("saddr")) return names(packet.interface, "true", "exists");
  if (fib.result !== "type" || !flags.includes("daddr")) return UNKNOWN;
  if (packet.multicast) return names("multicast");
  return packet.direction === "input" ? names("local") : names("unicast");
}
