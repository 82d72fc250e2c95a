/**
 * The usual mistakes around a director, as its own host shows them. Pure: settings, answers to ARP and the configuration come in, what is wrong and
 * what to write goes out. The other side is real-server-side.ts; ports with DR are the configuration's own finding.
 */
import { type Family, familyOf, type IpAddress } from "../lib/ip.ts";
import type { VirtualServerConfig } from "./config.ts";
import { settingsFor } from "./real-server-side.ts";

export interface DirectorFinding {
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  /** The address that it is about; null: this host. */
  readonly server: string | null;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

export interface AddressSight {
  /** This host has it on an interface. */
  readonly own: boolean;
  /** Hardware addresses of others that answer for it. */
  readonly macs: readonly string[];
}

export interface DirectorFacts {
  readonly servers: readonly VirtualServerConfig[];
  /** A setting below /proc/sys/net; null: the kernel has none of that name. */
  readonly setting: (path: string) => number | null;
  /** This host's own addresses. */
  readonly addresses: ReadonlySet<string>;
  /** By virtual address; those that could not be asked are missing. */
  readonly sights: ReadonlyMap<IpAddress, AddressSight>;
}

/** IPv4 addresses of services that are forwarded by DR or TUN: every real server has them, and none may answer for them. */
export function askedAddresses(servers: readonly VirtualServerConfig[]): readonly IpAddress[] {
  const direct = servers.filter((server) => usesMethod(server, "dr") || usesMethod(server, "tun"));
  return [...new Set(direct.flatMap(addressesOf).filter((address) => familyOf(address) === 4))];
}

export function findDirectorFaults(facts: DirectorFacts): readonly DirectorFinding[] {
  return [...forwardFaults(facts), ...arpFaults(facts), ...ownServerFaults(facts), ...conntrackFaults(facts)];
}

type Method = "nat" | "dr" | "tun";

const usesMethod = ({ realServers }: VirtualServerConfig, method: Method): boolean =>
  realServers.some(({ forwarding }) => forwarding.method === method);

/** Of a range its ends: whoever answers for one answers for all. */
function addressesOf({ target }: VirtualServerConfig): readonly IpAddress[] {
  if (target.kind === "address") return [target.address];
  if (target.kind === "fwmark") return [];
  return target.group.entries.flatMap((entry) => (entry.kind === "range" ? [entry.first, entry.last] : []));
}

const FORWARDING: Readonly<Record<Family, string>> = {
  4: "ipv4/ip_forward",
  6: "ipv6/conf/all/forwarding",
};

const sysctl = (path: string): string => `net.${path.replaceAll("/", ".")}`;

function forwardFaults({ servers, setting }: DirectorFacts): readonly DirectorFinding[] {
  const natted = servers.flatMap(({ realServers }) =>
    realServers.filter(({ forwarding }) => forwarding.method === "nat"),
  );
  const families = new Set(natted.map(({ address }) => familyOf(address)));
  return [...families].flatMap((family) => {
    const path = FORWARDING[family];
    if (setting(path) !== 0) return [];
    return [
      {
        id: "lvs-forward",
        severity: "error" as const,
        server: null,
        what: `${sysctl(path)} is 0`,
        why: "with NAT the answers of real servers pass this host, and it does not forward them",
        fix: `sysctl -w ${sysctl(path)}=1`,
      },
    ];
  });
}

function arpFaults({ sights }: DirectorFacts): readonly DirectorFinding[] {
  return [...sights].flatMap(([address, { own, macs }]) => {
    // Without the address somebody else is the director, and may answer.
    const strangers = own ? macs.length : macs.length - 1;
    if (strangers < 1) return [];
    return [
      {
        id: "lvs-arp",
        severity: "error" as const,
        server: address,
        what: own
          ? `${macs.join(", ")} ${macs.length > 1 ? "answer" : "answers"} ARP for it, beside this host`
          : `${macs.length} hosts answer ARP for it: ${macs.join(", ")}`,
        why: "a real server that answers draws clients past the director",
        fix: `holdfast realserver up ${address} on the host with that MAC (\`ip neigh\` names it)`,
      },
    ];
  });
}

/** Where this host is one of the real servers as well. */
function ownServerFaults({ servers, addresses, setting }: DirectorFacts): readonly DirectorFinding[] {
  const wanted = servers.flatMap((server) =>
    server.realServers
      .filter(({ address }) => addresses.has(address))
      .flatMap(({ forwarding }) => addressesOf(server).flatMap((address) => settingsFor(forwarding.method, address))),
  );
  const unique = new Map(wanted.map((one) => [one.path, one]));
  return [...unique.values()].flatMap(({ path, value }) => {
    const now = setting(path);
    // A device that is not there is found by `realserver status`.
    if (now === null || now >= value) return [];
    const reversed = path.endsWith("rp_filter");
    return [
      {
        id: reversed ? "lvs-rp-filter" : "lvs-arp-setting",
        severity: "error" as const,
        server: null,
        what: `${sysctl(path)} is ${now}, and this host is a real server as well`,
        why: reversed
          ? "packets out of the tunnel are dropped as forged"
          : "while another host is the director, this one speaks for the virtual address",
        fix: `sysctl -w ${sysctl(path)}=${value}`,
      },
    ];
  });
}

/** Nine tenths full. */
const FULL = 0.9;

function conntrackFaults({ servers, setting }: DirectorFacts): readonly DirectorFinding[] {
  const most = setting("netfilter/nf_conntrack_max");
  if (most === null || servers.length === 0) return [];
  const findings: DirectorFinding[] = [];
  const count = setting("netfilter/nf_conntrack_count") ?? 0;
  if (most > 0 && count >= most * FULL)
    findings.push({
      id: "lvs-conntrack-full",
      severity: "error",
      server: null,
      what: `the firewall follows ${count} connections of ${most} at most`,
      why: "when the table is full, packets of new connections are dropped",
      fix: "sysctl -w net.netfilter.nf_conntrack_max=..., or notrack for the services' packets",
    });
  if (servers.some((server) => usesMethod(server, "nat")) && setting("ipv4/vs/conntrack") === 0)
    findings.push({
      id: "lvs-conntrack",
      severity: "note",
      server: null,
      what: "net.ipv4.vs.conntrack is 0, and the firewall follows connections (nf_conntrack)",
      why: "rules by state and SNAT do not see balanced connections: answers may be dropped as invalid",
      fix: "sysctl -w net.ipv4.vs.conntrack=1 where such rules are used",
    });
  return findings;
}
