/** Changes of addresses on their way to the kernel, and which of an instance's addresses are the same. */
import { familyOf, type IpAddress, networkOf } from "../core/lib/ip.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { AddressChange, InterfaceAddress } from "../ports/network.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export interface PendingChange {
  readonly runtime: Runtime;
  readonly change: AddressChange;
  /** CLOCK_MONOTONIC, microseconds. */
  readonly decidedAt: number;
}

export function change(
  action: AddressChange["action"],
  interfaceIndex: number,
  address: VirtualAddress,
  lifetime: number | null,
): AddressChange {
  return { action, interfaceIndex, address, lifetime };
}

/** The same for an address that comes or stays, beside what the host has of its own. */
export function grant(
  action: "add" | "renew",
  place: { readonly interfaceIndex: number; readonly passing: PassingPrefixes },
  address: VirtualAddress,
  lifetime: number | null,
): AddressChange {
  const { interfaceIndex, passing } = place;
  if (passing.size === 0 || lifetime === null) return change(action, interfaceIndex, address, lifetime);
  const keepsPrefixRoute = passing.has(prefixKey(interfaceIndex, address));
  return { action, interfaceIndex, address, lifetime, keepsPrefixRoute };
}

/** IPv6 prefixes that the host itself has, but for a time only: from router advertisements. */
export type PassingPrefixes = ReadonlySet<string>;

export function passingPrefixes(
  present: readonly InterfaceAddress[],
  virtual: ReadonlySet<IpAddress>,
): PassingPrefixes {
  const own = present.filter(
    ({ address, validSeconds }) => validSeconds !== null && familyOf(address) === 6 && !virtual.has(address),
  );
  return new Set(own.map((entry) => prefixKey(entry.interfaceIndex, entry)));
}

function prefixKey(
  interfaceIndex: number,
  { address, prefixLength }: Pick<InterfaceAddress, "address" | "prefixLength">,
): string {
  return `${interfaceIndex} ${networkOf(address, prefixLength)}/${prefixLength}`;
}

export function sameAddress(a: VirtualAddress, b: VirtualAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength && a.device === b.device;
}

export function byRuntime(entries: readonly PendingChange[]): Map<Runtime, PendingChange[]> {
  const groups = new Map<Runtime, PendingChange[]>();
  for (const entry of entries) {
    const group = groups.get(entry.runtime);
    if (group === undefined) groups.set(entry.runtime, [entry]);
    else group.push(entry);
  }
  return groups;
}
