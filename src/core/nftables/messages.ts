/**
 * Messages of nf_tables (nfnetlink, linux/netfilter/nf_tables.h) and the batch that makes them one transaction: either all of it
 * is in force afterwards, or nothing has changed. Tables, chains, sets and rules as values in, bytes out; what rules there are is
 * ruleset.ts's.
 */
import {
  type Attribute,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  readAttributes,
  readText,
  writeMessage,
  writeText,
} from "../netlink/message.ts";
import { bigEndian, data, type Expression, nested, type SetReference } from "./expressions.ts";

export type Family = "ip" | "ip6" | "inet" | "arp";

const FAMILY_NUMBERS: Readonly<Record<Family, number>> = { inet: 1, ip: 2, arp: 3, ip6: 10 };
const FAMILIES = ["ip", "ip6", "inet", "arp"] as const;
const SUBSYSTEM = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFGENMSG_BYTES = 4;
/** List elements are attributes of this type. */
const LIST_ELEMENT = 1;
const MESSAGE = {
  newTable: 0,
  getTable: 1,
  delTable: 2,
  newChain: 3,
  newRule: 6,
  newSet: 9,
  newElements: 12,
  delElements: 14,
};

/** An order to nf_tables without its place in a batch. */
export interface TableOrder {
  readonly message: number;
  readonly flags: number;
  readonly family: Family;
  readonly attributes: readonly Attribute[];
}

const number = (type: number, value: number): Attribute => ({ type, value: bigEndian(value) });
const text = (type: number, value: string): Attribute => ({ type, value: writeText(value) });

export function newTable(family: Family, table: string, comment: string): TableOrder {
  // NFTNL_UDATA_TABLE_COMMENT, as nft writes and lists it.
  const remark = writeText(comment);
  const userData = Uint8Array.of(0, remark.length, ...remark);
  return {
    message: MESSAGE.newTable,
    flags: NLM_F_CREATE,
    family,
    attributes: [text(1, table), number(2, 0), { type: 6, value: userData }],
  };
}

/** ENOENT when there is none. */
export function deleteTable(family: Family, table: string): TableOrder {
  return { message: MESSAGE.delTable, flags: 0, family, attributes: [text(1, table)] };
}

export interface Chain {
  readonly name: string;
  /** Null for a chain that is only jumped to. */
  readonly hook: { readonly point: HookPoint; readonly priority: number } | null;
}

export type HookPoint = "prerouting" | "input" | "output" | "postrouting";

const HOOK_NUMBERS: Readonly<Record<HookPoint, number>> = { prerouting: 0, input: 1, output: 3, postrouting: 4 };
/** linux/netfilter_arp.h has numbers of its own, and these two only. */
const ARP_HOOK_NUMBERS: Readonly<Partial<Record<HookPoint, number>>> = { input: 0, output: 1 };
const NF_ACCEPT = 1;

export function newChain(family: Family, table: string, { name, hook }: Chain): TableOrder {
  const attributes = [text(1, table), text(3, name)];
  if (hook !== null) {
    attributes.push(text(7, "filter"), number(5, NF_ACCEPT));
    const point = (family === "arp" ? ARP_HOOK_NUMBERS[hook.point] : undefined) ?? HOOK_NUMBERS[hook.point];
    attributes.push(nested(4, [number(1, point), number(2, hook.priority)]));
  }
  return { message: MESSAGE.newChain, flags: NLM_F_CREATE, family, attributes };
}

/** Numbers that nft gives types of keys and data; the kernel only keeps them. */
export const SET_TYPES = {
  ipv4_addr: { number: 7, length: 4, hostOrder: false },
  ipv6_addr: { number: 8, length: 16, hostOrder: false },
  iface_index: { number: 20, length: 4, hostOrder: true },
  icmpv6_type: { number: 29, length: 1, hostOrder: false },
} as const;

export type SetType = keyof typeof SET_TYPES;

export interface NftSet extends SetReference {
  readonly key: SetType | readonly [SetType, SetType];
  /** Present in a map. */
  readonly value?: SetType;
  /** Never changes; the number of its elements is then its size. */
  readonly constant?: number;
  /** Its elements come with the time that they last. */
  readonly passing?: true;
}

const NFT_SET_CONSTANT = 0x2;
const NFT_SET_MAP = 0x8;
const NFT_SET_TIMEOUT = 0x10;

export function newSet(family: Family, table: string, set: NftSet): TableOrder {
  const { name, id, key, value, constant, passing } = set;
  const kind = (value === undefined ? 0 : NFT_SET_MAP) | (constant === undefined ? 0 : NFT_SET_CONSTANT);
  const flags = kind | (passing === true ? NFT_SET_TIMEOUT : 0);
  const attributes = [text(1, table), text(2, name), number(3, flags), ...keyAttributes(key)];
  if (value !== undefined) attributes.push(number(6, SET_TYPES[value].number), number(7, SET_TYPES[value].length));
  attributes.push(number(10, id));
  if (constant !== undefined) attributes.push(nested(9, [number(1, constant)]));
  attributes.push({ type: 13, value: byteOrders(key, value) });
  return { message: MESSAGE.newSet, flags: NLM_F_CREATE, family, attributes };
}

function keyAttributes(key: NftSet["key"]): readonly Attribute[] {
  if (typeof key === "string") return [number(4, SET_TYPES[key].number), number(5, SET_TYPES[key].length)];
  const [first, second] = key;
  // nft joins types with six bits each, and pads each part to four bytes.
  const type = (SET_TYPES[first].number << 6) | SET_TYPES[second].number;
  return [number(4, type), number(5, SET_TYPES[first].length + SET_TYPES[second].length)];
}

/** NFTNL_UDATA_SET_KEYBYTEORDER and _DATABYTEORDER: without them nft lists interface indexes as they are not. */
function byteOrders(key: NftSet["key"], value: SetType | undefined): Uint8Array {
  const order = (type: SetType): number => (SET_TYPES[type].hostOrder ? 1 : 2);
  const entry = (type: number, what: number): readonly number[] => [type, 4, what, 0, 0, 0];
  // A joined key has no order of its own.
  const entries = [...entry(0, typeof key === "string" ? order(key) : 0)];
  if (value !== undefined) entries.push(...entry(1, order(value)));
  return Uint8Array.from(entries);
}

export interface SetElement {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
  /** Whole milliseconds, in a set whose elements pass. */
  readonly lasts?: number;
}

/** nf_tables takes a list of at most 64 KiB. */
const ELEMENTS_PER_MESSAGE = 512;

export type ElementAction = "add" | "remove";

export function changeElements(
  place: { readonly family: Family; readonly table: string },
  set: SetReference,
  action: ElementAction,
  elements: readonly SetElement[],
): readonly TableOrder[] {
  const orders: TableOrder[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_MESSAGE) {
    const list = elements.slice(start, start + ELEMENTS_PER_MESSAGE).map((element) => elementOf(element));
    orders.push({
      message: action === "add" ? MESSAGE.newElements : MESSAGE.delElements,
      flags: action === "add" ? NLM_F_CREATE : 0,
      family: place.family,
      attributes: [text(1, place.table), text(2, set.name), number(4, set.id), nested(3, list)],
    });
  }
  return orders;
}

function elementOf({ key, value, lasts }: SetElement): Attribute {
  const parts = [data(1, key)];
  if (value !== undefined) parts.push(data(2, value));
  // NFTA_SET_ELEM_TIMEOUT, 64 bits.
  if (lasts !== undefined) parts.push({ type: 4, value: Uint8Array.of(...bigEndian(0), ...bigEndian(lasts)) });
  return nested(LIST_ELEMENT, parts);
}

export function newRule(
  place: { readonly family: Family; readonly table: string },
  chain: string,
  expressions: readonly Expression[],
): TableOrder {
  const list = expressions.map(({ name, data: parts }) => nested(LIST_ELEMENT, [text(1, name), nested(2, parts)]));
  return {
    message: MESSAGE.newRule,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    family: place.family,
    attributes: [text(1, place.table), text(2, chain), nested(4, list)],
  };
}

/** One transaction. Only its last order asks to be acknowledged: errors come unasked, and the kernel works in order. */
export function writeBatch(orders: readonly TableOrder[], firstSequence: number): Uint8Array {
  const parts = [control(NFNL_MSG_BATCH_BEGIN, firstSequence)];
  for (const [position, order] of orders.entries()) {
    const flags = NLM_F_REQUEST | order.flags | (position === orders.length - 1 ? NLM_F_ACK : 0);
    const head = { type: (SUBSYSTEM << 8) | order.message, flags, sequence: firstSequence + 1 + position };
    parts.push(writeMessage(head, general(FAMILY_NUMBERS[order.family], 0), order.attributes));
  }
  parts.push(control(NFNL_MSG_BATCH_END, firstSequence + orders.length + 1));
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const control = (type: number, sequence: number): Uint8Array =>
  writeMessage({ type, flags: NLM_F_REQUEST, sequence }, general(0, SUBSYSTEM), []);

/** struct nfgenmsg: family, version 0, resource in network order. */
function general(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}

export function dumpTables(sequence: number): Uint8Array {
  const type = (SUBSYSTEM << 8) | MESSAGE.getTable;
  return writeMessage({ type, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence }, general(0, 0), []);
}

export interface TableRecord {
  readonly family: Family;
  readonly name: string;
  readonly comment: string;
}

/** Reads a table of a family that we make tables in; null when the message is another one. */
export function readTable({ type, payload }: NetlinkMessage): TableRecord | null {
  if (type !== ((SUBSYSTEM << 8) | MESSAGE.newTable) || payload.length < NFGENMSG_BYTES) return null;
  const family = FAMILIES.find((candidate) => FAMILY_NUMBERS[candidate] === payload[0]);
  const attributes = readAttributes(payload, NFGENMSG_BYTES);
  const name = attributes.get(1);
  if (family === undefined || name === undefined) return null;
  const userData = attributes.get(6) ?? new Uint8Array(0);
  return { family, name: readText(name), comment: userData[0] === 0 ? readText(userData.subarray(2)) : "" };
}

/** Whether a notification says that something was taken out of a table of this name. */
export function removesFrom({ type, payload }: NetlinkMessage, table: string): boolean {
  if (type >> 8 !== SUBSYSTEM || !REMOVALS.has(type & 0xff) || payload.length < NFGENMSG_BYTES) return false;
  const name = readAttributes(payload, NFGENMSG_BYTES).get(1);
  return name !== undefined && readText(name) === table;
}

/** DELTABLE, DELCHAIN, DELRULE, DELSET, DELSETELEM: attribute 1 is the table in each. */
const REMOVALS: ReadonlySet<number> = new Set([2, 5, 8, 11, 14]);
