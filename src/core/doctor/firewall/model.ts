/**
 * A packet filter as rules that can be asked about one packet: what nft-ruleset.ts and iptables-save.ts read, and walk.ts walks. A condition that
 * depends on what nobody knows beforehand (a mark, a rate, an unknown source) is neither true nor false.
 */
import type { Family, IpAddress } from "../../lib/ip.ts";

/** Null: it depends on something that is not known. */
export type Truth = boolean | null;

/** An address, or any of a network: of a multicast sender nobody knows more. */
export interface Network {
  readonly address: IpAddress;
  /** 0 to 32 or 128; the whole length for one address. */
  readonly prefixLength: number;
}

/** A packet as it would come or go: the first of its kind, which no connection table knows. */
export interface ProbePacket {
  readonly direction: "input" | "output";
  readonly family: Family;
  /** 112 VRRP, 51 AH, 6 TCP. */
  readonly protocol: number;
  /** The interface by which it comes or goes. */
  readonly interface: string;
  /** Null: nobody knows. */
  readonly source: Network | null;
  readonly destination: Network | null;
  /** Of TCP; null elsewhere. */
  readonly destinationPort: number | null;
  readonly multicast: boolean;
}

export type Action =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly target: string };

export interface FilterRule {
  /** nftables' handle; null: iptables has none. */
  readonly handle: number | null;
  /** Place in its chain, from 1. */
  readonly number: number;
  /** As its tool writes it. */
  readonly text: string;
  /** What it does with that packet; `certain` false: it may do so. Null: nothing. */
  judge(packet: ProbePacket): { readonly action: Action; readonly certain: boolean } | null;
}

/** Where the kernel asks a chain by itself. */
export interface ChainBase {
  /** "ingress", "prerouting", "input", "output", "postrouting", "egress" ... */
  readonly hook: string;
  /** Lower comes first. */
  readonly priority: number;
  readonly policy: "accept" | "drop";
  /** Of family netdev: the interfaces it is for. */
  readonly devices: readonly string[];
}

export interface FilterChain {
  readonly tool: "nft" | "iptables" | "ip6tables";
  /** "ip", "ip6", "inet", "netdev", "bridge" ... */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly base: ChainBase | null;
  readonly rules: readonly FilterRule[];
}

export type PacketFilter = readonly FilterChain[];
