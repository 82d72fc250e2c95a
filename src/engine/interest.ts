/**
 * Which interfaces and addresses can matter to an instance. Hosts of containers change others thousands of times a second: a look
 * must cost the same however many instances there are.
 */
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { Link } from "../ports/network.ts";
import { addressesOf, type Runtime } from "./vrrp-runtime.ts";

export interface Interest {
  /** name: as the notice gives it, null when it gives none; address: of an address notice, null otherwise. */
  concerns(interfaceIndex: number, name: string | null, address: string | null): boolean;
}

export function interestOf(
  runtimes: readonly Runtime[],
  links: readonly Link[],
  hostDevices: readonly string[],
): Interest {
  const names = new Set(hostDevices);
  const sources = new Set<string>();
  for (const { config } of runtimes) {
    for (const name of interfacesOf(config)) names.add(name);
    if (config.sourceAddress !== null) sources.add(config.sourceAddress);
  }
  const known = new Map(links.map((link) => [link.index, link.name]));
  return {
    concerns(interfaceIndex, name, address) {
      if (address !== null && sources.has(address)) return true;
      const before = known.get(interfaceIndex);
      if (before !== undefined && names.has(before)) return true;
      // An interface that is not known yet has no name in a notice about its addresses.
      if (name === null) return before === undefined;
      return names.has(name);
    },
  };
}

function interfacesOf(config: VrrpInstanceConfig): readonly string[] {
  const named = [
    ...addressesOf(config).map(({ device }) => device),
    ...config.virtualInterfaces.flatMap(({ name, base }) => [name, base]),
    ...config.routes.flatMap((route) => [route.device, ...route.nextHops.map((hop) => hop.device)]),
    ...config.rules.map((rule) => rule.inputDevice),
  ];
  return [config.interface, ...config.trackInterfaces.map(({ key }) => key), ...named.filter((name) => name !== null)];
}
