/** Networks of this host's interfaces, for what the doctor asks. */
import { networkInterfaces } from "node:os";
import { parseNetwork, within } from "../core/doctor/firewall/facts.ts";
import type { Network } from "../core/doctor/firewall/model.ts";
import { familyOf, HOST_PREFIX, type IpAddress } from "../core/lib/ip.ts";

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

/** Interfaces that carry it. */
export function placesOf(address: IpAddress): readonly string[] {
  return Object.keys(networkInterfaces()).filter((name) => networksOf(name).some((one) => one.address === address));
}
