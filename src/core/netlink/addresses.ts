/**
 * Addresses of both families by rtnetlink (rtnetlink(7), RTM_NEWADDR and RTM_DELADDR) with kernel lifetimes.
 *
 * A renewal must never bring back an address that the kernel has already dropped. RTM_NEWADDR has no "replace only": without
 * NLM_F_CREATE it still creates. So a renewal carries what the kernel refuses (EINVAL) for a new address and ignores for one that
 * exists. IPv4: IFA_F_MCAUTOJOIN, because a unicast address is no group it could join. IPv6 would show that flag from then on, but
 * looks at the prefix length of new addresses only: there it is an impossible one.
 */
import { ADDRESS_BYTES, familyOf, HOST_PREFIX, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import type { VirtualAddress } from "../vrrp/config.ts";
import { familyNumber, familyOfNumber } from "./family.ts";
import {
  type Attribute,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  readAttributes,
  readUint32,
  viewOf,
  writeMessage,
  writeText,
  writeUint32,
} from "./message.ts";

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

/** All families that have addresses; the kernel answers with those it has. */
const AF_UNSPEC = 0;
const IFADDR_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_F_SECONDARY = 0x01;
const IFA_F_NODAD = 0x02;
const IFA_F_OPTIMISTIC = 0x04;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_NOPREFIXROUTE = 0x200;
const IFA_F_MCAUTOJOIN = 0x400;
/** No prefix is that long. */
const IMPOSSIBLE_PREFIX = 255;
/** Lifetime without end. */
const INFINITE = 0xffff_ffff;

export interface AddressRecord {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** Of IPv4: another address of the prefix is the primary one. */
  readonly secondary: boolean;
  /** Of IPv6: not to be used, because duplicate address detection has not ended, or has found another host. */
  readonly tentative: boolean;
  /** Of IPv6: detection has found another host that has it; it stays `tentative`. */
  readonly duplicate?: true;
  /** Seconds the kernel will still keep it; null means for ever. */
  readonly validSeconds: number | null;
}

export interface AddressOrder {
  readonly interfaceIndex: number;
  readonly address: VirtualAddress;
  /** Whole seconds; null means for ever. */
  readonly lifetime: number | null;
  /**
   * Of IPv6: the on-link route of the prefix is left alone. For an address with a lifetime whose prefix the host also has from a
   * router advertisement: the kernel would give that one route our lifetime (addrconf.c), and it would end with the address.
   */
  readonly keepsPrefixRoute?: boolean;
}

export function dumpAddresses(sequence: number): Uint8Array {
  const fixed = new Uint8Array(IFADDR_BYTES);
  fixed[0] = AF_UNSPEC;
  return writeMessage({ type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence }, fixed, []);
}

/** Adds an address; EEXIST when it is there. */
export function addAddress(order: AddressOrder, sequence: number): Uint8Array {
  return newAddress(order, sequence, { flags: NLM_F_CREATE | NLM_F_EXCL, existingOnly: false });
}

/** Sets the lifetime of an address, or adds it. */
export function replaceAddress(order: AddressOrder, sequence: number): Uint8Array {
  return newAddress(order, sequence, { flags: NLM_F_CREATE | NLM_F_REPLACE, existingOnly: false });
}

/** Sets the lifetime of an address that is there; EINVAL when it is not. */
export function renewAddress(order: AddressOrder, sequence: number): Uint8Array {
  return newAddress(order, sequence, { flags: NLM_F_REPLACE, existingOnly: true });
}

/** Removes an address; EADDRNOTAVAIL when it is not there. */
export function removeAddress(order: AddressOrder, sequence: number): Uint8Array {
  const head = { type: RTM_DELADDR, flags: NLM_F_REQUEST | NLM_F_ACK, sequence };
  return writeMessage(head, fixedPart(order), ends(order.address));
}

/** Reads RTM_NEWADDR and RTM_DELADDR of IPv4 and IPv6; null when the message is another one or is damaged. */
export function readAddress(message: NetlinkMessage): AddressRecord | null {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return null;
  const { payload } = message;
  const family = payload.length < IFADDR_BYTES ? null : familyOfNumber(payload[0]);
  if (family === null) return null;
  const attributes = readAttributes(payload, IFADDR_BYTES);
  // On point-to-point links IFA_ADDRESS is the other end; ours is IFA_LOCAL.
  const local = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (local?.length !== ADDRESS_BYTES[family]) return null;
  const flags = readUint32(attributes.get(IFA_FLAGS) ?? new Uint8Array(0)) ?? payload[2] ?? 0;
  const valid = readUint32(attributes.get(IFA_CACHEINFO) ?? new Uint8Array(0), 4);
  return {
    interfaceIndex: viewOf(payload).getUint32(4, true),
    address: ipFromBytes(family, local, 0),
    prefixLength: payload[1] ?? 0,
    // The same bit means "temporary" (RFC 8981) there.
    secondary: family === 4 && (flags & IFA_F_SECONDARY) !== 0,
    tentative: family === 6 && isTentative(flags),
    ...(family === 6 && (flags & IFA_F_DADFAILED) !== 0 && { duplicate: true as const }),
    validSeconds: valid === null || valid === INFINITE ? null : valid,
  };
}

/** An optimistic address (RFC 4429) may be used meanwhile. */
function isTentative(flags: number): boolean {
  if ((flags & IFA_F_DADFAILED) !== 0) return true;
  return (flags & IFA_F_TENTATIVE) !== 0 && (flags & IFA_F_OPTIMISTIC) === 0;
}

interface NewAddressManner {
  readonly flags: number;
  readonly existingOnly: boolean;
}

function newAddress(order: AddressOrder, sequence: number, manner: NewAddressManner): Uint8Array {
  const { address, lifetime } = order;
  const attributes: Attribute[] = [...ends(address)];
  if (address.broadcast !== null) attributes.push({ type: IFA_BROADCAST, value: ipBytes(address.broadcast) });
  if (address.label !== null) attributes.push({ type: IFA_LABEL, value: writeText(address.label) });
  const valid = lifetime ?? INFINITE;
  const preferred = preferredOf(address, valid);
  attributes.push({ type: IFA_CACHEINFO, value: writeUint32(preferred, valid, 0, 0) });
  const addressFlags = flagsOf(order, manner);
  if (addressFlags !== 0) attributes.push({ type: IFA_FLAGS, value: writeUint32(addressFlags) });
  const flags = NLM_F_REQUEST | NLM_F_ACK | manner.flags;
  const fixed = fixedPart(order);
  if (manner.existingOnly && familyOf(address.address) === 6) fixed[1] = IMPOSSIBLE_PREFIX;
  return writeMessage({ type: RTM_NEWADDR, flags, sequence }, fixed, attributes);
}

/** On point-to-point links IFA_ADDRESS is the other end; the kernel compares it also when it removes one. */
function ends({ address, options }: VirtualAddress): readonly Attribute[] {
  return [
    { type: IFA_LOCAL, value: ipBytes(address) },
    { type: IFA_ADDRESS, value: ipBytes(options?.peer ?? address) },
  ];
}

/**
 * Preferred as long as it is valid, unless the file says how long; the kernel wants no more, and less marks the address deprecated (RFC 4862 section 5.5.4): not a
 * source for new connections. keepalived's default for a single IPv6 address, which goes when the host is no longer master.
 */
function preferredOf({ address, prefixLength, options }: VirtualAddress, valid: number): number {
  const given = options?.preferredLifetime ?? null;
  if (given === "forever") return valid;
  if (given !== null) return Math.min(given, valid);
  return familyOf(address) === 6 && prefixLength === HOST_PREFIX[6] ? 0 : valid;
}

/** Virtual addresses go without duplicate address detection, as keepalived's: the election has decided who has them. */
function flagsOf({ address, keepsPrefixRoute }: AddressOrder, { existingOnly }: NewAddressManner): number {
  const given = address.options?.flags ?? 0;
  if (familyOf(address.address) === 4) return existingOnly ? given | IFA_F_MCAUTOJOIN : given;
  const detection = address.options?.duplicateDetection === true ? 0 : IFA_F_NODAD;
  return given | detection | (keepsPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0);
}

function fixedPart({ address, interfaceIndex }: AddressOrder): Uint8Array {
  const fixed = new Uint8Array(IFADDR_BYTES);
  fixed[0] = familyNumber(familyOf(address.address));
  fixed[1] = address.prefixLength;
  fixed[3] = address.scope;
  viewOf(fixed).setUint32(4, interfaceIndex, true);
  return fixed;
}
