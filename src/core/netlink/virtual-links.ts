/**
 * Interfaces on top of others by rtnetlink (rtnetlink(7), RTM_NEWLINK with IFLA_LINKINFO): macvlan for a virtual MAC, ipvlan for
 * addresses of their own on a shared MAC. Requests are iproute2's, byte for byte but for the order of attributes.
 *
 * The alias of an interface says whose it is (core/netlink/owner-tag.ts). Nothing here decides what is made or removed.
 */
import type { VirtualInterface } from "../vrrp/virtual-interface.ts";
import { AF_INET6 } from "./family.ts";
import { IFINFO_BYTES, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from "./links.ts";
import {
  type Attribute,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  readAttributes,
  readText,
  readUint32,
  viewOf,
  writeAttributes,
  writeMessage,
  writeText,
  writeUint32,
} from "./message.ts";

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const IFLA_IPVLAN_MODE = 1;
const IFLA_IPVLAN_FLAGS = 2;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFF_UP = 0x1;
/** No traffic between macvlans of one base: two virtual routers of one host have nothing to say to each other. */
const MACVLAN_MODE_PRIVATE = 1;
const IPVLAN_MODE_L2 = 0;
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;

/** What is needed to tell an interface of ours from another's of the same name. */
export interface VirtualLinkRecord {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND: "macvlan", "ipvlan", "veth" ...; null for hardware. */
  readonly kind: string | null;
  /** Index of the interface underneath; null without one. */
  readonly base: number | null;
  /** Index of the bridge, bond or VRF it belongs to; null without one. */
  readonly master: number | null;
  readonly mac: Uint8Array;
  /** Device group (ip-link(8)); 0 unless somebody set one. */
  readonly group: number;
  /** A macvlan in private mode. */
  readonly isPrivate: boolean;
  readonly alias: string;
}

export interface CreateLinkOrder {
  readonly link: VirtualInterface;
  readonly baseIndex: number;
  /** Index of the VRF device; null for none. */
  readonly master: number | null;
}

/** Makes the interface, still down; EEXIST when the name is taken, EOPNOTSUPP when the kernel has no such kind. */
export function createLink({ link, baseIndex, master }: CreateLinkOrder, sequence: number): Uint8Array {
  const attributes: Attribute[] = [];
  if (link.mac !== null) attributes.push({ type: IFLA_ADDRESS, value: Uint8Array.from(link.mac) });
  if (link.group !== null) attributes.push({ type: IFLA_GROUP, value: writeUint32(link.group) });
  attributes.push(
    { type: IFLA_LINK, value: writeUint32(baseIndex) },
    { type: IFLA_IFNAME, value: writeText(link.name) },
  );
  if (master !== null) attributes.push({ type: IFLA_MASTER, value: writeUint32(master) });
  attributes.push({
    type: IFLA_LINKINFO,
    value: writeAttributes([
      { type: IFLA_INFO_KIND, value: withoutZero(link.kind) },
      { type: IFLA_INFO_DATA, value: writeAttributes(kindData(link)) },
    ]),
  });
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE;
  return writeMessage({ type: RTM_NEWLINK, flags, sequence }, infoFor(0), attributes);
}

function kindData(link: VirtualInterface): readonly Attribute[] {
  if (link.kind === "macvlan") return [{ type: IFLA_MACVLAN_MODE, value: writeUint32(MACVLAN_MODE_PRIVATE) }];
  return [
    { type: IFLA_IPVLAN_MODE, value: Uint8Array.of(IPVLAN_MODE_L2, 0) },
    { type: IFLA_IPVLAN_FLAGS, value: Uint8Array.of(IPVLAN_FLAGS[link.ipvlanMode], 0) },
  ];
}

/** No link-local IPv6 address by itself: it would speak from the virtual MAC while another host is MASTER. */
export function stopAddressGeneration(index: number, sequence: number): Uint8Array {
  const mode = [{ type: IFLA_INET6_ADDR_GEN_MODE, value: Uint8Array.of(IN6_ADDR_GEN_MODE_NONE) }];
  const families = [{ type: AF_INET6, value: writeAttributes(mode) }];
  return changeLink(index, sequence, [{ type: IFLA_AF_SPEC, value: writeAttributes(families) }]);
}

export function setAlias(index: number, alias: string, sequence: number): Uint8Array {
  return changeLink(index, sequence, [{ type: IFLA_IFALIAS, value: withoutZero(alias) }]);
}

export function setUp(index: number, sequence: number): Uint8Array {
  const fixed = infoFor(index);
  viewOf(fixed).setUint32(8, IFF_UP, true);
  viewOf(fixed).setUint32(12, IFF_UP, true);
  return writeMessage({ type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK, sequence }, fixed, []);
}

/** Removes an interface with all its addresses; ENODEV when it is gone. */
export function deleteLink(index: number, sequence: number): Uint8Array {
  return writeMessage({ type: RTM_DELLINK, flags: NLM_F_REQUEST | NLM_F_ACK, sequence }, infoFor(index), []);
}

export function setGroup(index: number, group: number, sequence: number): Uint8Array {
  return changeLink(index, sequence, [{ type: IFLA_GROUP, value: writeUint32(group) }]);
}

/** Removes every interface of a device group at once: the kernel waits for its readers once, and not for each interface. */
export function deleteGroup(group: number, sequence: number): Uint8Array {
  const header = { type: RTM_DELLINK, flags: NLM_F_REQUEST | NLM_F_ACK, sequence };
  return writeMessage(header, infoFor(0), [{ type: IFLA_GROUP, value: writeUint32(group) }]);
}

/** Asks for one interface; the acknowledgement ends the answer, as the end of a dump does. */
export function askLink(name: string, sequence: number): Uint8Array {
  const header = { type: RTM_GETLINK, flags: NLM_F_REQUEST | NLM_F_ACK, sequence };
  return writeMessage(header, infoFor(0), [{ type: IFLA_IFNAME, value: writeText(name) }]);
}

/** Reads RTM_NEWLINK; null when the message is another one or is damaged. */
export function readVirtualLink(message: NetlinkMessage): VirtualLinkRecord | null {
  if (message.type !== RTM_NEWLINK || message.payload.length < IFINFO_BYTES) return null;
  const attributes = readAttributes(message.payload, IFINFO_BYTES);
  const name = attributes.get(IFLA_IFNAME);
  if (name === undefined) return null;
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? NOTHING, 0);
  const kind = info.get(IFLA_INFO_KIND);
  const data = readAttributes(info.get(IFLA_INFO_DATA) ?? NOTHING, 0);
  const kindName = kind === undefined ? null : readText(kind);
  return {
    index: viewOf(message.payload).getInt32(4, true),
    name: readText(name),
    kind: kindName,
    base: readUint32(attributes.get(IFLA_LINK) ?? NOTHING),
    master: readUint32(attributes.get(IFLA_MASTER) ?? NOTHING),
    // A copy: the datagram's buffer is used again.
    mac: Uint8Array.from(attributes.get(IFLA_ADDRESS) ?? NOTHING),
    group: readUint32(attributes.get(IFLA_GROUP) ?? NOTHING) ?? 0,
    isPrivate: kindName === "macvlan" && readUint32(data.get(IFLA_MACVLAN_MODE) ?? NOTHING) === MACVLAN_MODE_PRIVATE,
    alias: readText(attributes.get(IFLA_IFALIAS) ?? NOTHING),
  };
}

const NOTHING = new Uint8Array(0);

function changeLink(index: number, sequence: number, attributes: readonly Attribute[]): Uint8Array {
  return writeMessage({ type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK, sequence }, infoFor(index), attributes);
}

function infoFor(index: number): Uint8Array {
  const fixed = new Uint8Array(IFINFO_BYTES);
  viewOf(fixed).setInt32(4, index, true);
  return fixed;
}

function withoutZero(text: string): Uint8Array {
  return writeText(text).subarray(0, text.length);
}
