/** This host as a director, for `holdfast doctor --lvs`: what the findings of core/lvs/director-side.ts are made of. */
import { networkInterfaces } from "node:os";
import type { IpAddress } from "../core/lib/ip.ts";
import type { VirtualServerConfig } from "../core/lvs/config.ts";
import {
  type AddressSight,
  askedAddresses,
  type DirectorFinding,
  findDirectorFaults,
} from "../core/lvs/director-side.ts";
import { readSetting } from "../linux/net-settings.ts";
import type { DaemonLink } from "./peer-link.ts";

/** Addresses asked side by side; each question takes its time whether somebody answers or not. */
const AT_ONCE = 16;

export async function examineDirector(
  servers: readonly VirtualServerConfig[],
  peers: Pick<DaemonLink, "sights">,
): Promise<readonly DirectorFinding[]> {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const sights = new Map<IpAddress, AddressSight>();
  const asked = [...askedAddresses(servers)];
  while (asked.length > 0) {
    const part = asked.splice(0, AT_ONCE);
    const seen = await Promise.all(part.map((address) => seenFromHere(peers, address)));
    for (const [at, sight] of seen.entries()) if (sight !== null) sights.set(part[at] as IpAddress, sight);
  }
  const addresses = new Set(own.map(({ address }) => address));
  return findDirectorFaults({ servers, setting: readSetting, addresses, sights });
}

async function seenFromHere(peers: Pick<DaemonLink, "sights">, address: IpAddress): Promise<AddressSight | null> {
  const here = (await peers.sights(address)).find(({ peer }) => peer === null)?.seen ?? null;
  return here === null || here.problem !== null ? null : { own: here.own, macs: here.macs };
}
