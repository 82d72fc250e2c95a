/** Changes of addresses on their way to the kernel, and which of an instance's addresses are the same. */
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { AddressChange } from "../ports/network.ts";
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
