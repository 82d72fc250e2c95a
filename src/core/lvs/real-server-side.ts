/**
 * The other side of LVS: what a real server needs so that it takes packets for the virtual address and says nothing of it (ipvsadm(8), the
 * kernel's ip-sysctl.rst). Pure: what is there comes in, what to set and what is wrong goes out.
 *
 * With DR and TUN the server has the virtual address itself, and a client's ARP question for it must never be answered: else the client's
 * network goes to that server past the director. arp_ignore 1 answers only for addresses of the interface that is asked, arp_announce 2 never
 * asks in the name of the virtual address.
 */
import { type Family, familyOf, type IpAddress } from "../lib/ip.ts";

export type ServerMethod = "dr" | "tun" | "nat";

/** A setting below /proc/sys/net. */
export interface Setting {
  readonly path: string;
  readonly value: number;
}

/** The interface that gets the virtual address: one that answers no ARP. */
export const HOLDER = { dr: "lo", tun: "tunl0" } as const;
export const HOLDER6 = { dr: "lo", tun: "ip6tnl0" } as const;

export function holderOf(method: "dr" | "tun", family: Family): string {
  return family === 4 ? HOLDER[method] : HOLDER6[method];
}

/** IPv6 has no ARP: an address on lo is not announced by neighbour discovery on other interfaces. */
export function settingsFor(method: ServerMethod, address: IpAddress): readonly Setting[] {
  if (method === "nat" || familyOf(address) === 6) return [];
  const quiet = ["all", HOLDER[method]].flatMap((device) => [
    { path: `ipv4/conf/${device}/arp_ignore`, value: 1 },
    { path: `ipv4/conf/${device}/arp_announce`, value: 2 },
  ]);
  if (method === "dr") return quiet;
  // What comes out of the tunnel has the client's address, to which the way leads through another interface.
  return [...quiet, { path: "ipv4/conf/tunl0/rp_filter", value: 2 }];
}

export interface ServerFacts {
  readonly method: ServerMethod;
  readonly address: IpAddress;
  /** Interfaces that have the address; null: none has. */
  readonly heldBy: string | null;
  /** What a setting is; null: the kernel has none of that name. */
  readonly setting: (path: string) => number | null;
  /** Next hop of the default route; null: there is none. */
  readonly gateway: IpAddress | null;
  /** With NAT: the director's address on this network; null: not said. */
  readonly director: IpAddress | null;
}

export interface ServerFinding {
  readonly problem: string;
  readonly remedy: string;
}

/** What keeps this host from being a real server of that service; empty: nothing. */
export function findServerFaults(facts: ServerFacts): readonly ServerFinding[] {
  return facts.method === "nat" ? natFaults(facts) : directFaults(facts, facts.method);
}

function natFaults({ heldBy, address, gateway, director }: ServerFacts): readonly ServerFinding[] {
  const findings: ServerFinding[] = [];
  if (heldBy !== null)
    findings.push({
      problem: `${address} is on ${heldBy}: with NAT only the director has it`,
      remedy: `ip addr del ${address} dev ${heldBy}`,
    });
  if (gateway === null)
    findings.push({
      problem: "there is no default route, so answers do not find their way back through the director",
      remedy: "make the director this host's default gateway",
    });
  else if (director !== null && director !== gateway)
    findings.push({
      problem: `answers leave by ${gateway}, past the director ${director}: clients get them from an address that they have not asked`,
      remedy: `ip route replace default via ${director}`,
    });
  return findings;
}

function directFaults({ heldBy, address, setting }: ServerFacts, method: "dr" | "tun"): readonly ServerFinding[] {
  const holder = holderOf(method, familyOf(address));
  const findings: ServerFinding[] = [];
  if (heldBy === null)
    findings.push({
      problem: `${address} is not on this host, so it drops what the director sends`,
      remedy: `holdfast realserver up ${address} --method ${method}`,
    });
  else if (heldBy !== holder)
    findings.push({
      problem: `${address} is on ${heldBy}, which answers ARP questions for it: clients come past the director`,
      remedy: `holdfast realserver up ${address} --method ${method}, and take it off ${heldBy}`,
    });
  for (const { path, value } of settingsFor(method, address)) {
    const now = setting(path);
    if (now === null || now >= value) continue;
    findings.push({
      problem: `net.${path.replaceAll("/", ".")} is ${now}: ${why(path)}`,
      remedy: `sysctl -w net.${path.replaceAll("/", ".")}=${value}`,
    });
  }
  return findings;
}

function why(path: string): string {
  if (path.endsWith("arp_ignore")) return "this host answers ARP questions for the virtual address";
  if (path.endsWith("arp_announce"))
    return "this host asks in the name of the virtual address and draws its traffic here";
  return "packets out of the tunnel are dropped as forged";
}
