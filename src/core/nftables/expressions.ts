/**
 * Expressions of nftables rules as the kernel takes them (linux/netfilter/nf_tables.h): only those that the rules of a virtual router
 * need. A rule is a list of them; each loads a register, compares it, or gives the verdict. Registers 1 and 2 hold 16 bytes each.
 * Numbers are in network order; values are bytes as they stand in a packet or, for interface indexes, in the host's order.
 */
import { type Attribute, writeAttributes, writeText } from "../netlink/message.ts";

export interface Expression {
  readonly name: string;
  readonly data: readonly Attribute[];
}

export type Register = 1 | 2;

/** NLA_F_NESTED: nf_tables insists on it. */
export const NESTED = 0x8000;

export function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0);
  return bytes;
}

export const nested = (type: number, attributes: readonly Attribute[]): Attribute => ({
  type: type | NESTED,
  value: writeAttributes(attributes),
});
const number = (type: number, value: number): Attribute => ({ type, value: bigEndian(value) });
const text = (type: number, value: string): Attribute => ({ type, value: writeText(value) });
/** NFTA_DATA_VALUE. */
export const data = (type: number, value: Uint8Array): Attribute => nested(type, [{ type: 1, value }]);

const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const META = { iif: 4, oif: 5, nfproto: 15, l4proto: 16, oifkind: 27 } as const;

function payload(base: number, offset: number, length: number): Expression {
  return { name: "payload", data: [number(1, 1), number(2, base), number(3, offset), number(4, length)] };
}

/** Bytes of the IP header into register 1. */
export const loadNetwork = (offset: number, length: number): Expression => payload(NETWORK_HEADER, offset, length);

/** The first byte behind the IP header (and its extensions) into register 1: the ICMPv6 type. */
export const loadTransportByte = (): Expression => payload(TRANSPORT_HEADER, 0, 1);

export function loadMeta(key: keyof typeof META, register: Register = 1): Expression {
  return { name: "meta", data: [number(2, META[key]), number(1, register)] };
}

/** Goes on only if register 1 begins with these bytes. */
export function equals(value: Uint8Array): Expression {
  return { name: "cmp", data: [number(1, 1), number(2, 0), data(3, value)] };
}

/** Register 1 and a mask. */
export function masked(mask: Uint8Array): Expression {
  const zeros = new Uint8Array(mask.length);
  return {
    name: "bitwise",
    data: [number(1, 1), number(2, 1), number(3, mask.length), data(4, mask), data(5, zeros)],
  };
}

/** A set by its name, and by its number within the batch that makes both. */
export interface SetReference {
  readonly name: string;
  readonly id: number;
}

/** Goes on only if register 1 is in the set. */
export function isIn({ name, id }: SetReference): Expression {
  return { name: "lookup", data: [number(2, 1), text(1, name), number(4, id)] };
}

/** Goes on only if register 1 is not in the set: NFT_LOOKUP_F_INV. */
export function isNotIn({ name, id }: SetReference): Expression {
  return { name: "lookup", data: [number(2, 1), text(1, name), number(4, id), number(5, 1)] };
}

/** Replaces register 2 by what the map holds for it. */
export function mapRegister2({ name, id }: SetReference): Expression {
  return { name: "lookup", data: [number(2, 2), number(3, 2), text(1, name), number(4, id)] };
}

/** A copy of the packet to the address in register 1, by the interface in register 2. */
export const duplicate = (): Expression => ({ name: "dup", data: [number(1, 1), number(2, 2)] });

export const counter = (): Expression => ({ name: "counter", data: [] });

const NF_DROP = 0;
const NF_ACCEPT = 1;
const NFT_GOTO = -4;

function verdict(code: number, chain: string | null): Expression {
  const parts = [number(1, code), ...(chain === null ? [] : [text(2, chain)])];
  // NFT_REG_VERDICT; NFTA_DATA_VERDICT inside.
  return { name: "immediate", data: [number(1, 0), nested(2, [nested(2, parts)])] };
}

export const drop = (): Expression => verdict(NF_DROP, null);
export const accept = (): Expression => verdict(NF_ACCEPT, null);
export const goTo = (chain: string): Expression => verdict(NFT_GOTO, chain);
