/**
 * IPv4 addresses by rtnetlink (rtnetlink(7), RTM_NEWADDR and RTM_DELADDR) with kernel lifetimes.
 *
 * A renewal must never bring back an address that the kernel has already dropped. RTM_NEWADDR has no "replace only": without
 * NLM_F_CREATE it still creates. So a renewal carries IFA_F_MCAUTOJOIN, which the kernel acts on for a new address only, and
 * refuses (EINVAL) because a unicast address is no group it could join. An address that exists ignores the flag.
 */
import { type IpAddress, ipBytes, ipv4FromBytes } from "../lib/ip.ts";
import type { VirtualAddress } from "../vrrp/config.ts";
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

const AF_INET = 2;
const IFADDR_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_F_SECONDARY = 0x01;
const IFA_F_MCAUTOJOIN = 0x400;
/** Lifetime without end. */
const INFINITE = 0xffff_ffff;

export interface AddressRecord {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly secondary: boolean;
  /** Seconds the kernel will still keep it; null means for ever. */
  readonly validSeconds: number | null;
}

export interface AddressOrder {
  readonly interfaceIndex: number;
  readonly address: VirtualAddress;
  /** Whole seconds; null means for ever. */
  readonly lifetime: number | null;
}

export function dumpAddresses(sequence: number): Uint8Array {
  const fixed = new Uint8Array(IFADDR_BYTES);
  fixed[0] = AF_INET;
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
  const local = ipBytes(order.address.address);
  return writeMessage({ type: RTM_DELADDR, flags: NLM_F_REQUEST | NLM_F_ACK, sequence }, fixedPart(order), [
    { type: IFA_LOCAL, value: local },
    { type: IFA_ADDRESS, value: local },
  ]);
}

/** Reads RTM_NEWADDR and RTM_DELADDR of IPv4; null when the message is another one or is damaged. */
export function readAddress(message: NetlinkMessage): AddressRecord | null {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return null;
  const { payload } = message;
  if (payload.length < IFADDR_BYTES || payload[0] !== AF_INET) return null;
  const attributes = readAttributes(payload, IFADDR_BYTES);
  // On point-to-point links IFA_ADDRESS is the other end; ours is IFA_LOCAL.
  const local = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (local?.length !== 4) return null;
  const flags = readUint32(attributes.get(IFA_FLAGS) ?? new Uint8Array(0)) ?? payload[2] ?? 0;
  const valid = readUint32(attributes.get(IFA_CACHEINFO) ?? new Uint8Array(0), 4);
  return {
    interfaceIndex: viewOf(payload).getUint32(4, true),
    address: ipv4FromBytes(local, 0),
    prefixLength: payload[1] ?? 0,
    secondary: (flags & IFA_F_SECONDARY) !== 0,
    validSeconds: valid === null || valid === INFINITE ? null : valid,
  };
}

interface NewAddressManner {
  readonly flags: number;
  readonly existingOnly: boolean;
}

function newAddress(order: AddressOrder, sequence: number, manner: NewAddressManner): Uint8Array {
  const { address, lifetime } = order;
  const local = ipBytes(address.address);
  const attributes: Attribute[] = [
    { type: IFA_LOCAL, value: local },
    { type: IFA_ADDRESS, value: local },
  ];
  if (address.broadcast !== null) attributes.push({ type: IFA_BROADCAST, value: ipBytes(address.broadcast) });
  if (address.label !== null) attributes.push({ type: IFA_LABEL, value: writeText(address.label) });
  // Preferred as long as it is valid: the kernel wants no more, and less would mark the address deprecated.
  const valid = lifetime ?? INFINITE;
  attributes.push({ type: IFA_CACHEINFO, value: writeUint32(valid, valid, 0, 0) });
  if (manner.existingOnly) attributes.push({ type: IFA_FLAGS, value: writeUint32(IFA_F_MCAUTOJOIN) });
  const flags = NLM_F_REQUEST | NLM_F_ACK | manner.flags;
  return writeMessage({ type: RTM_NEWADDR, flags, sequence }, fixedPart(order), attributes);
}

function fixedPart({ address, interfaceIndex }: AddressOrder): Uint8Array {
  const fixed = new Uint8Array(IFADDR_BYTES);
  fixed[0] = AF_INET;
  fixed[1] = address.prefixLength;
  fixed[3] = address.scope;
  viewOf(fixed).setUint32(4, interfaceIndex, true);
  return fixed;
}
