/**
 * Routes by rtnetlink (rtnetlink(7), RTM_NEWROUTE and RTM_DELROUTE), encoded as keepalived encodes them, so that the kernel makes
 * the same routes of them. Interfaces come as names and are resolved by the caller's table; a route whose interface does not exist is
 * encoded as null. Reading takes what is needed to recognise one of our own.
 */
import { type Family, familyOf, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import type { NextHop, Prefix, Route } from "../routing/model.ts";
import { encapsulationAttributes } from "./encapsulation.ts";
import { familyNumber, familyOfNumber } from "./family.ts";
import {
  type Attribute,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  readAttributes,
  readUint32,
  viewOf,
  writeAttributes,
  writeMessage,
  writeUint32,
} from "./message.ts";

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;

const RTMSG_BYTES = 12;
const RTNEXTHOP_BYTES = 8;
const RTNH_F_ONLINK = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_NOWHERE = 255;

const RTA = {
  destination: 1,
  source: 2,
  outputInterface: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  multipath: 9,
  flow: 11,
  table: 15,
  via: 18,
  preference: 20,
  expires: 23,
  ttlPropagate: 26,
} as const;
const NLA_F_NESTED = 0x8000;
const RTAX_LOCK = 1;
const RTAX_CC_ALGO = 16;

/** Index of an interface by its name; null while there is none. */
export type DeviceIndex = (name: string) => number | null;

export type RouteAction = "add" | "replace" | "remove";

/** What tells one route of ours from another. */
export interface RouteRecord {
  readonly family: Family;
  readonly type: number;
  readonly table: number;
  readonly protocol: number;
  readonly tos: number;
  readonly destination: Prefix;
  readonly priority: number;
  /** Null for routes without interface, or with several. */
  readonly interfaceIndex: number | null;
  readonly gateway: IpAddress | null;
}

/** Null when an interface that the route names does not exist. */
export function writeRoute(
  route: Route,
  action: RouteAction,
  how: { readonly sequence: number; readonly deviceIndex: DeviceIndex },
): Uint8Array | null {
  const device = route.device === null ? 0 : how.deviceIndex(route.device);
  const hops = hopsOf(route, how.deviceIndex);
  if (device === null || hops === null) return null;
  const attributes = [
    ...addressAttributes(route),
    ...(device === 0 ? [] : [number(RTA.outputInterface, device)]),
    ...plainAttributes(route),
    ...metricAttributes(route),
    ...encapsulationAttributes(route.encapsulation),
    ...(hops.length === 0 ? [] : [{ type: RTA.multipath, value: hops }]),
  ];
  const head =
    action === "remove"
      ? { type: RTM_DELROUTE, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: how.sequence }
      : { type: RTM_NEWROUTE, flags: NLM_F_REQUEST | NLM_F_ACK | addFlags(route, action), sequence: how.sequence };
  return writeMessage(head, fixedPart(route, action), attributes);
}

function addFlags({ placement }: Route, action: RouteAction): number {
  if (action === "replace") return NLM_F_CREATE | NLM_F_REPLACE;
  if (placement === "append") return NLM_F_CREATE | NLM_F_APPEND;
  return placement === "add" ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
}

/** struct rtmsg: family, lengths, tos, table, protocol, scope, type, flags. */
function fixedPart(route: Route, action: RouteAction): Uint8Array {
  const fixed = new Uint8Array(RTMSG_BYTES);
  fixed[0] = familyNumber(route.family);
  fixed[1] = route.destination.length;
  fixed[2] = route.source?.length ?? 0;
  fixed[3] = route.tos ?? 0;
  fixed[4] = route.table < 256 ? route.table : 0;
  fixed[5] = route.protocol;
  fixed[6] = route.scope ?? (action === "remove" ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE);
  fixed[7] = route.type;
  viewOf(fixed).setUint32(8, route.onlink ? RTNH_F_ONLINK : 0, true);
  return fixed;
}

const number = (type: number, value: number): Attribute => ({ type, value: writeUint32(value) });

function addressAttributes({ destination, source, preferredSource, gateway, table, family }: Route): Attribute[] {
  const attributes: Attribute[] = [];
  if (table >= 256) attributes.push(number(RTA.table, table));
  if (destination.length > 0) attributes.push({ type: RTA.destination, value: ipBytes(destination.address) });
  if (source !== null && source.length > 0) attributes.push({ type: RTA.source, value: ipBytes(source.address) });
  if (preferredSource !== null) attributes.push({ type: RTA.preferredSource, value: ipBytes(preferredSource) });
  if (gateway !== null) attributes.push(gatewayAttribute(gateway, family));
  return attributes;
}

/** A gateway of the other family needs RTA_VIA, which names it. */
function gatewayAttribute(gateway: IpAddress, family: Family): Attribute {
  const bytes = ipBytes(gateway);
  if (familyOf(gateway) === family) return { type: RTA.gateway, value: bytes };
  return { type: RTA.via, value: Uint8Array.of(familyNumber(familyOf(gateway)), 0, ...bytes) };
}

function plainAttributes({ priority, realms, expires, preference, ttlPropagate }: Route): Attribute[] {
  const attributes: Attribute[] = [];
  if (priority !== null) attributes.push(number(RTA.priority, priority));
  if (realms !== null) attributes.push(number(RTA.flow, realms));
  if (expires !== null) attributes.push(number(RTA.expires, expires));
  if (preference !== null) attributes.push({ type: RTA.preference, value: Uint8Array.of(preference) });
  if (ttlPropagate !== null) attributes.push({ type: RTA.ttlPropagate, value: Uint8Array.of(ttlPropagate ? 1 : 0) });
  return attributes;
}

function metricAttributes({ metrics, congestionControl, locked }: Route): Attribute[] {
  const inner: Attribute[] = metrics.map(({ attribute, value }) => number(attribute, value));
  if (congestionControl !== null) inner.push({ type: RTAX_CC_ALGO, value: ascii(congestionControl) });
  if (inner.length === 0) return [];
  if (locked !== 0) inner.push(number(RTAX_LOCK, locked));
  return [{ type: RTA.metrics | NLA_F_NESTED, value: writeAttributes(inner) }];
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

/** struct rtnexthop, one after another, each with its own attributes. Null when an interface does not exist. */
function hopsOf(route: Route, deviceIndex: DeviceIndex): Uint8Array | null {
  const parts: number[] = [];
  for (const hop of route.nextHops) {
    const index = hop.device === null ? 0 : deviceIndex(hop.device);
    if (index === null) return null;
    const attributes = writeAttributes(hopAttributes(hop, route.family));
    const head = new Uint8Array(RTNEXTHOP_BYTES);
    const view = viewOf(head);
    view.setUint16(0, RTNEXTHOP_BYTES + attributes.length, true);
    view.setUint8(2, hop.onlink ? RTNH_F_ONLINK : 0);
    view.setUint8(3, hop.weight - 1);
    view.setInt32(4, index, true);
    parts.push(...head, ...attributes);
  }
  return Uint8Array.from(parts);
}

function hopAttributes({ gateway, realms, encapsulation }: NextHop, family: Family): Attribute[] {
  const attributes: Attribute[] = [];
  if (gateway !== null) attributes.push(gatewayAttribute(gateway, family));
  if (realms !== null) attributes.push(number(RTA.flow, realms));
  attributes.push(...encapsulationAttributes(encapsulation));
  return attributes;
}

/** Reads RTM_NEWROUTE and RTM_DELROUTE; null when the message is another one, of another family, or damaged. */
export function readRoute(message: NetlinkMessage): RouteRecord | null {
  if (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) return null;
  const { payload } = message;
  const family = familyOfNumber(payload[0]);
  if (family === null || payload.length < RTMSG_BYTES) return null;
  const attributes = readAttributes(payload, RTMSG_BYTES);
  const destination = readPrefixOf(family, attributes.get(RTA.destination), payload[1] ?? 0);
  if (destination === null) return null;
  const word = (type: number): number | null => readUint32(attributes.get(type) ?? EMPTY);
  const gateway = attributes.get(RTA.gateway);
  return {
    family,
    type: payload[7] ?? 0,
    table: word(RTA.table) ?? payload[4] ?? 0,
    protocol: payload[5] ?? 0,
    tos: payload[3] ?? 0,
    destination,
    priority: word(RTA.priority) ?? 0,
    interfaceIndex: word(RTA.outputInterface),
    gateway: gateway?.length === (family === 4 ? 4 : 16) ? ipFromBytes(family, gateway, 0) : null,
  };
}

const EMPTY = new Uint8Array(0);

/** The prefix of an attribute and its length; a missing attribute is the address of zeros. */
export function readPrefixOf(family: Family, bytes: Uint8Array | undefined, length: number): Prefix | null {
  const size = family === 4 ? 4 : 16;
  if (length > size * 8) return null;
  const address = bytes ?? new Uint8Array(size);
  return address.length === size ? { address: ipFromBytes(family, address, 0), length } : null;
}

/** The kernel gives IPv6 routes without metric this one (IP6_RT_PRIO_USER). */
const IPV6_METRIC = 1024;

/** Whether the kernel's route is the configured one: its key (prefix, tos, metric, table), and gateway and interface where it names one. */
export function isSameRoute(route: Route, record: RouteRecord, deviceIndex: DeviceIndex): boolean {
  const priority = route.priority ?? (route.family === 6 ? IPV6_METRIC : 0);
  if (route.family !== record.family || route.table !== record.table || priority !== record.priority) return false;
  if ((route.tos ?? 0) !== record.tos || route.type !== record.type || route.protocol !== record.protocol) return false;
  if (!isSamePrefix(route.destination, record.destination)) return false;
  if (route.gateway !== null && record.gateway !== null && route.gateway !== record.gateway) return false;
  return route.device === null || record.interfaceIndex === null || deviceIndex(route.device) === record.interfaceIndex;
}

/** The kernel clears the bits behind the length; the configuration may not have. */
export function isSamePrefix(a: Prefix, b: Prefix): boolean {
  if (a.length !== b.length || familyOf(a.address) !== familyOf(b.address)) return false;
  const left = ipBytes(a.address);
  const right = ipBytes(b.address);
  for (let bit = 0; bit < a.length; bit += 8) {
    const mask = a.length - bit >= 8 ? 0xff : (0xff00 >> (a.length - bit)) & 0xff;
    if ((((left[bit >> 3] ?? 0) ^ (right[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
