/** Networks of this host's interfaces, for what the doctor asks. */
import { networkInterfaces } from "node:os";
import { parseNetwork, within } from "../core/doctor/firewall/facts.ts";
import type { Network } from "../core/doctor/firewall/model.ts";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import { familyOf, HOST_PREFIX, type IpAddress } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";

/** Those that hold other hosts come first. */
export function networksOf(device: string): readonly Network[] {
  return (networkInterfaces()[device] ?? [])
    .map(({ cidr }) => (cidr === null ? null : parseNetwork(cidr)))
    .filter((one) => one !== null)
    .sort((one, other) => hostFirst(one) - hostFirst(other));
}

const hostFirst = ({ address, prefixLength }: Network): number =>
  prefixLength === HOST_PREFIX[familyOf(address)] ? 1 : 0;

/** The interface whose network has that address; null: it lies behind a router. */
export function deviceTo(address: IpAddress): string | null {
  const asked = { address, prefixLength: HOST_PREFIX[familyOf(address)] };
  const names = Object.keys(networkInterfaces());
  return names.find((name) => networksOf(name).some((one) => within(asked, one) === true)) ?? null;
}

const IFF_LOOPBACK = 0x8;
const IFF_POINTOPOINT = 0x10;
const IFF_NOARP = 0x80;

export type Devices = ReadonlyMap<string, Pick<InterfaceFacts, "flags">>;

/** Loopback, dummies and tunnels do not: a real server of LVS-DR carries the virtual address there for ever (netdevice(7)). */
export const asksNeighbours = ({ flags }: Pick<InterfaceFacts, "flags">): boolean =>
  (flags & (IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP)) === 0;

/** Interfaces that carry it and speak for it on a link. */
export function placesOf(
  address: IpAddress,
  devices: Devices,
  networks: (device: string) => readonly Network[] = networksOf,
): readonly string[] {
  return [...devices]
    .filter(([name, facts]) => asksNeighbours(facts) && networks(name).some((one) => one.address === address))
    .map(([name]) => name);
}

/**
 * Where others are asked for the addresses of an instance: on the address's own interface, and where there are neighbours at all. Never with a
 * virtual hardware address: a switch would learn that the master is here.
 */
export function askedOf(
  { advertised, excluded, interface: own, virtualInterfaces }: VrrpInstanceConfig,
  devices: Devices,
): { readonly address: IpAddress; readonly device: string }[] {
  return [...advertised, ...excluded]
    .map(({ address, device }) => {
      const base = virtualInterfaces.find(({ name }) => name === device)?.base;
      return { address, device: base ?? device ?? own };
    })
    .filter(({ device }) => {
      const facts = devices.get(device);
      return facts !== undefined && asksNeighbours(facts);
    });
}
