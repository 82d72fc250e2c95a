/** What a packet is, asked by a condition's name, and the comparison with what a rule says of it. */
import { familyOf, HOST_PREFIX, networkOf, parseIp } from "../../lib/ip.ts";
import type { Network, ProbePacket, Truth } from "./model.ts";

export type Fact =
  /** Any of these spellings. */
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "network"; readonly network: Network }
  /** Such a packet has no such field: no comparison matches. */
  | { readonly kind: "absent" }
  | { readonly kind: "unknown" };

export const ABSENT: Fact = { kind: "absent" };
export const UNKNOWN: Fact = { kind: "unknown" };
export const names = (...all: readonly string[]): Fact => ({ kind: "names", names: all });
export const number = (value: number): Fact => ({ kind: "number", value });
export const network = (value: Network | null): Fact =>
  value === null ? UNKNOWN : { kind: "network", network: value };

const PROTOCOLS: Readonly<Record<number, string>> = { 6: "tcp", 51: "ah", 112: "vrrp" };

/** By name and by number, as /etc/protocols has or has not that name. */
export function protocolFact(protocol: number): Fact {
  const name = PROTOCOLS[protocol];
  return names(String(protocol), ...(name === undefined ? [] : [name]));
}

/** "eth0", also for a rule's "eth*" (nftables) and "eth+" (iptables). */
export function matchesName(name: string, pattern: string): boolean {
  return /[*+]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Whether all, none or some of `ours` lie in `theirs`. */
export function within(ours: Network, theirs: Network): Truth {
  if (familyOf(ours.address) !== familyOf(theirs.address)) return false;
  const shorter = Math.min(ours.prefixLength, theirs.prefixLength);
  if (networkOf(ours.address, shorter) !== networkOf(theirs.address, shorter)) return false;
  return ours.prefixLength >= theirs.prefixLength ? true : null;
}

/** "192.0.2.0/24", "192.0.2.1", "192.0.2.0/255.255.255.0"; null when it is no address. */
export function parseNetwork(text: string): Network | null {
  const [head = "", tail] = text.split("/");
  const address = parseIp(head);
  if (address === null) return null;
  const whole = HOST_PREFIX[familyOf(address)];
  if (tail === undefined) return { address, prefixLength: whole };
  const prefixLength = /^\d+$/.test(tail) ? Number(tail) : maskLength(tail);
  return prefixLength === null || prefixLength > whole ? null : { address, prefixLength };
}

function maskLength(text: string): number | null {
  const mask = parseIp(text);
  if (mask === null || familyOf(mask) === 6) return null;
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : null;
}

/** The interface by which a packet comes ("in") or goes ("out"); empty on the other side, as the kernel has it. */
export function interfaceFact({ direction, interface: name }: ProbePacket, side: "in" | "out"): Fact {
  return names((direction === "input") === (side === "in") ? name : "");
}

/** Of several alternatives: one that is true decides. */
export function anyOf(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

/** Of several conditions: one that is false decides. */
export function allOf(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

export const not = (truth: Truth): Truth => (truth === null ? null : !truth);
