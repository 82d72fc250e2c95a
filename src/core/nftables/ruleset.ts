/**
 * The rules a virtual router needs, in keepalived's form (2.2.7, `nft list ruleset`): no traffic to or from the addresses of a MASTER
 * that must not accept it, and no membership reports or router solicitations from a virtual MAC, which would teach the switches
 * a place where it is not.
 *
 * One table for each family that has something to say. What differs from keepalived: the table carries a comment that says whose
 * it is, and it is gone when nothing needs it.
 */
import { familyOf, type IpAddress, ipBytes, isLinkLocal } from "../lib/ip.ts";
import { writeUint32 } from "../netlink/message.ts";
import {
  accept,
  counter,
  drop,
  duplicate,
  type Expression,
  equals,
  goTo,
  isIn,
  loadMeta,
  loadNetwork,
  loadTransportByte,
  mapRegister2,
  masked,
} from "./expressions.ts";
import {
  changeElements,
  deleteTable,
  type Family,
  type NftSet,
  newChain,
  newRule,
  newSet,
  newTable,
  type SetElement,
  type TableOrder,
} from "./messages.ts";

/** nftables, nftables_priority, nftables_counters. */
export interface FirewallSettings {
  readonly table: string;
  /** Of the base chains; -1 is before the ordinary filter. */
  readonly priority: number;
  readonly counters: boolean;
}

export const DEFAULT_FIREWALL: FirewallSettings = { table: "keepalived", priority: -1, counters: false };

/** What the rules have to do at this moment. */
export interface FirewallNeeds {
  /** Addresses held here that nobody may talk to; the interface counts for link-local ones. */
  readonly closed: readonly { readonly address: IpAddress; readonly interfaceIndex: number }[];
  /** macvlans and what they stand on: what they would report, their base reports. */
  readonly virtual: readonly { readonly index: number; readonly base: number; readonly ipv6: boolean }[];
}

const MAP: NftSet = { name: "vmac_map", id: 1, key: "iface_index", value: "iface_index" };
const VIRTUAL: NftSet = { name: "vmac_set", id: 2, key: "iface_index" };
const VIPS_4: NftSet = { name: "vips", id: 3, key: "ipv4_addr" };
const VIPS_6: NftSet = { name: "vips", id: 4, key: "ipv6_addr" };
const NEIGHBOUR: NftSet = { name: "neighbor-discovery", id: 5, key: "icmpv6_type", constant: 2 };
const LINK_LOCAL: NftSet = { name: "vips_link_local", id: 6, key: ["ipv6_addr", "iface_index"] };

/** A table as it is to be: everything in it, in the order of its making. */
export interface Table {
  readonly family: Family;
  readonly name: string;
  readonly chains: readonly { readonly name: string; readonly point: "input" | "output" | null }[];
  readonly sets: readonly { readonly set: NftSet; readonly elements: readonly SetElement[] }[];
  readonly rules: readonly { readonly chain: string; readonly expressions: readonly Expression[] }[];
}

/** The tables that are needed, none when nothing is. */
export function tablesFor(settings: FirewallSettings, needs: FirewallNeeds): readonly Table[] {
  return [ipv4Table(settings, needs), ipv6Table(settings, needs)].filter((table) => table.rules.length > 0);
}

const PROTOCOL_IGMP = Uint8Array.of(2);
const PROTOCOL_ICMPV6 = Uint8Array.of(58);
const MLD2_REPORT = Uint8Array.of(143);
const ROUTER_SOLICITATION = Uint8Array.of(133);
const NEIGHBOUR_SOLICITATION = Uint8Array.of(135);
const NEIGHBOUR_ADVERTISEMENT = Uint8Array.of(136);
/** The name of the kind in 16 bytes, as `meta oifkind` gives it. */
const MACVLAN = Uint8Array.from({ length: 16 }, (_, at) => "macvlan".charCodeAt(at) || 0);
const FE80_MASK = Uint8Array.from({ length: 16 }, (_, at) => [0xff, 0xc0][at] ?? 0);
const FE80 = Uint8Array.from({ length: 16 }, (_, at) => [0xfe, 0x80][at] ?? 0);

const loadSource4 = (): Expression => loadNetwork(12, 4);
const loadDestination4 = (): Expression => loadNetwork(16, 4);
const loadSource6 = (): Expression => loadNetwork(8, 16);
const loadDestination6 = (): Expression => loadNetwork(24, 16);
const isIcmpv6 = (type: Uint8Array): readonly Expression[] => [
  loadMeta("l4proto"),
  equals(PROTOCOL_ICMPV6),
  loadTransportByte(),
  equals(type),
];
const leavesByMacvlan = (): readonly Expression[] => [loadMeta("oifkind"), equals(MACVLAN)];

/** Collects rules; each ends with a counter, if asked for, and its verdict. */
class RuleList {
  readonly rules: { readonly chain: string; readonly expressions: readonly Expression[] }[] = [];
  readonly #counters: boolean;

  constructor(counters: boolean) {
    this.#counters = counters;
  }

  add(chain: string, matches: readonly Expression[], verdict: Expression): void {
    const counted = this.#counters ? [counter()] : [];
    this.rules.push({ chain, expressions: [...matches, ...counted, verdict] });
  }
}

function ipv4Table(settings: FirewallSettings, needs: FirewallNeeds): Table {
  const rules = new RuleList(settings.counters);
  const sets: Table["sets"][number][] = [];
  const closed = needs.closed.filter(({ address }) => familyOf(address) === 4);
  if (needs.virtual.length > 0) {
    sets.push({ set: MAP, elements: baseElements(needs) });
    const igmp = [loadNetwork(9, 1), equals(PROTOCOL_IGMP), ...leavesByMacvlan()];
    rules.add("out", [...igmp, loadDestination4(), loadMeta("oif", 2), mapRegister2(MAP), duplicate()], drop());
  }
  if (closed.length > 0) {
    sets.push({ set: VIPS_4, elements: closed.map(({ address }) => ({ key: ipBytes(address) })) });
    rules.add("out", [loadSource4(), isIn(VIPS_4)], drop());
    rules.add("in", [loadDestination4(), isIn(VIPS_4)], drop());
  }
  const input = closed.length > 0 ? [{ name: "in", point: "input" as const }] : [];
  const chains = [{ name: "out", point: "output" as const }, ...input];
  return { family: "ip", name: settings.table, chains, sets, rules: rules.rules };
}

function ipv6Table(settings: FirewallSettings, needs: FirewallNeeds): Table {
  const rules = new RuleList(settings.counters);
  const sets: Table["sets"][number][] = [];
  const chains: Table["chains"][number][] = [{ name: "out", point: "output" }];
  const closed = needs.closed.filter(({ address }) => familyOf(address) === 6);
  if (needs.virtual.length > 0 && (closed.length > 0 || needs.virtual.some(({ ipv6 }) => ipv6))) {
    sets.push({ set: MAP, elements: baseElements(needs) });
    sets.push({ set: VIRTUAL, elements: needs.virtual.map(({ index }) => ({ key: writeUint32(index) })) });
    const report = [...isIcmpv6(MLD2_REPORT), ...leavesByMacvlan(), loadDestination6(), loadMeta("oif", 2)];
    rules.add("out", [...report, mapRegister2(MAP), duplicate()], drop());
    const solicitation = [...isIcmpv6(ROUTER_SOLICITATION), ...leavesByMacvlan(), loadMeta("oif")];
    rules.add("out", [...solicitation, isIn(VIRTUAL)], drop());
  }
  if (closed.length > 0) {
    closeIpv6(closed, sets, rules);
    chains.push({ name: "in", point: "input" });
    chains.push({ name: "in_link_local", point: null }, { name: "out_link_local", point: null });
  }
  return { family: "ip6", name: settings.table, chains, sets, rules: rules.rules };
}

/** Neighbour discovery stays: without it nobody could learn that the address is there, and the virtual router would be no use. */
function closeIpv6(closed: FirewallNeeds["closed"], sets: Table["sets"][number][], rules: RuleList): void {
  const types = [NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT];
  const local = closed.filter(({ address }) => isLinkLocal(address));
  const others = closed.filter(({ address }) => !isLinkLocal(address));
  sets.push({ set: VIPS_6, elements: others.map(({ address }) => ({ key: ipBytes(address) })) });
  sets.push({ set: NEIGHBOUR, elements: types.map((key) => ({ key })) });
  const discovery = [loadMeta("l4proto"), equals(PROTOCOL_ICMPV6), loadTransportByte(), isIn(NEIGHBOUR)];
  if (local.length > 0) {
    const keys = local.map(({ address, interfaceIndex }) => joined(ipBytes(address), writeUint32(interfaceIndex)));
    sets.push({ set: LINK_LOCAL, elements: keys.map((key) => ({ key })) });
    rules.add("in_link_local", [loadDestination6(), loadMeta("iif", 2), isIn(LINK_LOCAL)], drop());
    rules.add("out_link_local", [loadSource6(), loadMeta("oif", 2), isIn(LINK_LOCAL)], drop());
  }
  const ways = [
    { chain: "out", load: loadSource6 },
    { chain: "in", load: loadDestination6 },
  ];
  for (const { chain, load } of ways) {
    rules.add(chain, discovery, accept());
    rules.add(chain, [load(), masked(FE80_MASK), equals(FE80)], goTo(`${chain}_link_local`));
    rules.add(chain, [load(), isIn(VIPS_6)], drop());
  }
}

function baseElements({ virtual }: FirewallNeeds): readonly SetElement[] {
  return virtual.map(({ index, base }) => ({ key: writeUint32(index), value: writeUint32(base) }));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return Uint8Array.of(...first, ...second);
}

/** Everything in one transaction, whatever was there before: made first so that removing it cannot fail. */
export function replaceTable(table: Table, priority: number, comment: string): readonly TableOrder[] {
  const { family, name } = table;
  const place = { family, table: name };
  return [
    newTable(family, name, comment),
    deleteTable(family, name),
    newTable(family, name, comment),
    ...table.chains.map(({ name: chain, point }) =>
      newChain(family, name, { name: chain, hook: point === null ? null : { point, priority } }),
    ),
    ...table.sets.flatMap(({ set, elements }) => [
      newSet(family, name, set),
      ...changeElements(place, set, "add", elements),
    ]),
    ...table.rules.map(({ chain, expressions }) => newRule(place, chain, expressions)),
  ];
}

/**
 * Only what became different, which keeps the counters and is what a takeover needs: elements of sets. Null when the tables differ
 * in more than that.
 */
export function changeTable(before: Table, after: Table): readonly TableOrder[] | null {
  if (shapeOf(before) !== shapeOf(after)) return null;
  const place = { family: after.family, table: after.name };
  return after.sets.flatMap(({ set, elements }, position) => {
    const old = before.sets[position]?.elements ?? [];
    // Within another batch a set has its name only.
    const reference = { name: set.name, id: 0 };
    return [
      ...changeElements(place, reference, "remove", without(old, elements)),
      ...changeElements(place, reference, "add", without(elements, old)),
    ];
  });
}

function shapeOf({ family, name, chains, sets, rules }: Table): string {
  return `${family} ${name} ${chains.map((chain) => chain.name)} ${sets.map(({ set }) => set.name)} ${rules.length}`;
}

function without(elements: readonly SetElement[], others: readonly SetElement[]): readonly SetElement[] {
  const keys = new Set(others.map(keyOf));
  return elements.filter((element) => !keys.has(keyOf(element)));
}

function keyOf({ key, value }: SetElement): string {
  return `${key} ${value ?? ""}`;
}
