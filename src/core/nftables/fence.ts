/**
 * The rules of `fence strict`: packets to and from a held address pass only while its element in a set whose elements run out is alive. The
 * kernel counts that time by itself, on its monotonic clock: a process that is frozen or killed has no part in it, and
 * a step of the wall clock none either.
 *
 *     table inet holdfast_fence_1234 {
 *         set held   { type ipv4_addr;                elements = { 192.0.2.100 } }
 *         set open   { type ipv4_addr; flags timeout; elements = { 192.0.2.100 timeout 2s expires 1s984ms } }
 *         chain in   { type filter hook prerouting  priority -301; meta nfproto ipv4 ip daddr @held ip daddr != @open drop }
 *         chain out  { type filter hook postrouting priority 200;  meta nfproto ipv4 ip saddr @held ip saddr != @open drop }
 *     }
 *
 * and the same for IPv6, where a link-local address counts on its interface only. A second table in the family arp ends the answers to
 * ARP; neighbour discovery of IPv6 goes through the first.
 *
 * An element is renewed by taking it out and putting it in again in one transaction. Taking out one that has run out fails, and the whole
 * transaction with it: a fence that has closed cannot be opened by a renewal that comes too late.
 */
import { familyOf, type IpAddress, ipBytes, isLinkLocal } from "../lib/ip.ts";
import { writeUint32 } from "../netlink/message.ts";
import { drop, type Expression, equals, isIn, isNotIn, loadMeta, loadNetwork } from "./expressions.ts";
import {
  changeElements,
  deleteTable,
  type ElementAction,
  type Family,
  type NftSet,
  newChain,
  newRule,
  newSet,
  newTable,
  type SetElement,
  type TableOrder,
} from "./messages.ts";

/** An address behind the fence, and how long it stays open from now; 0 is closed. */
export interface FenceEntry {
  readonly address: IpAddress;
  /** Counts for link-local addresses. */
  readonly interfaceIndex: number;
  readonly openMillis: number;
}

/** By process: the tables of a daemon that was killed stay closed until somebody takes the addresses off. */
export const FENCE_TABLE = "holdfast_fence_";

/** Before connection tracking, so that nothing that is dropped leaves a trace there. */
const IN_PRIORITY = -301;
/** Behind source NAT: by then a reply has the address that it leaves with. */
const OUT_PRIORITY = 200;

interface Pair {
  readonly held: NftSet;
  readonly open: NftSet;
}

const IPV4: Pair = {
  held: { name: "held", id: 1, key: "ipv4_addr" },
  open: { name: "open", id: 2, key: "ipv4_addr", passing: true },
};
const IPV6: Pair = {
  held: { name: "held6", id: 3, key: "ipv6_addr" },
  open: { name: "open6", id: 4, key: "ipv6_addr", passing: true },
};
const LOCAL: Pair = {
  held: { name: "held_local", id: 5, key: ["ipv6_addr", "iface_index"] },
  open: { name: "open_local", id: 6, key: ["ipv6_addr", "iface_index"], passing: true },
};

/** A table as far as it differs from the other one. */
interface Place {
  readonly family: Family;
  readonly pairs: readonly Pair[];
}

const INET: Place = { family: "inet", pairs: [IPV4, IPV6, LOCAL] };
const ARP: Place = { family: "arp", pairs: [IPV4] };

/** `arp`: whether the kernel has that family. */
const placesOf = (arp: boolean): readonly Place[] => (arp ? [INET, ARP] : [INET]);

const NFPROTO_IPV4 = Uint8Array.of(2);
const NFPROTO_IPV6 = Uint8Array.of(10);
/** Offsets of the addresses in an ARP packet of Ethernet and IPv4. */
const ARP_SENDER = 14;
const ARP_TARGET = 24;

interface FenceTable {
  readonly name: string;
  readonly comment: string;
  readonly arp: boolean;
}

/** Everything anew in one transaction, whatever was there before. */
export function buildFence({ name, comment, arp }: FenceTable, entries: readonly FenceEntry[]): readonly TableOrder[] {
  return placesOf(arp).flatMap(({ family, pairs }) => [
    newTable(family, name, comment),
    deleteTable(family, name),
    newTable(family, name, comment),
    ...chainsOf(family, name),
    ...pairs.flatMap(({ held, open }) => [newSet(family, name, held), newSet(family, name, open)]),
    ...pairs.flatMap((pair) => [
      ...changeElements({ family, table: name }, pair.held, "add", heldIn(pair, entries)),
      ...changeElements({ family, table: name }, pair.open, "add", openIn(pair, entries)),
    ]),
    ...rulesOf(family, name),
  ]);
}

/** Made first, so that taking away what is not there cannot fail. */
export function removeFence({ name, comment, arp }: FenceTable): readonly TableOrder[] {
  return placesOf(arp).flatMap(({ family }) => [newTable(family, name, comment), deleteTable(family, name)]);
}

/** Addresses that come or go, beside others that stay as they are. Fails when one that goes has closed: build anew then. */
export function changeFence(
  { name, arp }: Omit<FenceTable, "comment">,
  action: ElementAction,
  entries: readonly FenceEntry[],
): readonly TableOrder[] {
  return placesOf(arp).flatMap(({ family, pairs }) =>
    pairs.flatMap((pair) => [
      ...changeElements({ family, table: name }, byName(pair.held), action, heldIn(pair, entries)),
      ...changeElements({ family, table: name }, byName(pair.open), action, timesFor(action, openIn(pair, entries))),
    ]),
  );
}

/** The time of open addresses begins anew; fails with ENOENT when one of them has closed, and changes nothing then. */
export function renewFence(
  { name, arp }: Omit<FenceTable, "comment">,
  entries: readonly FenceEntry[],
): readonly TableOrder[] {
  return placesOf(arp).flatMap(({ family, pairs }) =>
    pairs.flatMap((pair) => {
      const elements = openIn(pair, entries);
      const place = { family, table: name };
      return [
        ...changeElements(place, byName(pair.open), "remove", timesFor("remove", elements)),
        ...changeElements(place, byName(pair.open), "add", elements),
      ];
    }),
  );
}

/** Within another batch a set has its name only. */
const byName = ({ name }: NftSet) => ({ name, id: 0 });

const timesFor = (action: ElementAction, elements: readonly SetElement[]): readonly SetElement[] =>
  action === "add" ? elements : elements.map(({ key }) => ({ key }));

function chainsOf(family: Family, table: string): readonly TableOrder[] {
  const points =
    family === "arp"
      ? ([
          ["in", "input", 0],
          ["out", "output", 0],
        ] as const)
      : ([
          ["in", "prerouting", IN_PRIORITY],
          ["out", "postrouting", OUT_PRIORITY],
        ] as const);
  return points.map(([name, point, priority]) => newChain(family, table, { name, hook: { point, priority } }));
}

function rulesOf(family: Family, table: string): readonly TableOrder[] {
  const rule = (chain: string, only: readonly Expression[], load: readonly Expression[], { held, open }: Pair) =>
    newRule({ family, table }, chain, [...only, ...load, isIn(held), ...load, isNotIn(open), drop()]);
  if (family === "arp") {
    return [rule("in", [], [loadNetwork(ARP_TARGET, 4)], IPV4), rule("out", [], [loadNetwork(ARP_SENDER, 4)], IPV4)];
  }
  const ipv4 = [loadMeta("nfproto"), equals(NFPROTO_IPV4)];
  const ipv6 = [loadMeta("nfproto"), equals(NFPROTO_IPV6)];
  const source6 = loadNetwork(8, 16);
  const destination6 = loadNetwork(24, 16);
  return [
    rule("in", ipv4, [loadNetwork(16, 4)], IPV4),
    rule("out", ipv4, [loadNetwork(12, 4)], IPV4),
    rule("in", ipv6, [destination6], IPV6),
    rule("out", ipv6, [source6], IPV6),
    rule("in", ipv6, [destination6, loadMeta("iif", 2)], LOCAL),
    rule("out", ipv6, [source6, loadMeta("oif", 2)], LOCAL),
  ];
}

function isOf(pair: Pair, address: IpAddress): boolean {
  if (familyOf(address) === 4) return pair === IPV4;
  return pair === (isLinkLocal(address) ? LOCAL : IPV6);
}

const keyOf = (pair: Pair, { address, interfaceIndex }: FenceEntry): Uint8Array =>
  pair === LOCAL ? Uint8Array.of(...ipBytes(address), ...writeUint32(interfaceIndex)) : ipBytes(address);

const heldIn = (pair: Pair, entries: readonly FenceEntry[]): readonly SetElement[] =>
  entries.filter(({ address }) => isOf(pair, address)).map((entry) => ({ key: keyOf(pair, entry) }));

/**
 * One tick of the slowest clock there is (100 a second). Of less than a tick kernels before 6.12 make none at all, and such an element never
 * runs out.
 */
const SHORTEST_MILLIS = 10;

const openIn = (pair: Pair, entries: readonly FenceEntry[]): readonly SetElement[] =>
  entries
    .filter(({ address, openMillis }) => isOf(pair, address) && openMillis >= SHORTEST_MILLIS)
    .map((entry) => ({ key: keyOf(pair, entry), lasts: Math.floor(entry.openMillis) }));
