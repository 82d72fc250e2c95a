/** Which rule keeps adverts or the peer link from their way, and the command that lets them through. */
import { familyOf, HOST_PREFIX, type IpAddress } from "../../lib/ip.ts";
import { type PeerLinkConfig, placeInWords } from "../../peer-link/config.ts";
import type { VrrpInstanceConfig } from "../../vrrp/config.ts";
import { type DoctorCode, found, type HostFinding } from "../catalogue.ts";
import type { Network, PacketFilter, ProbePacket } from "./model.ts";
import { type Obstacle, obstacles } from "./walk.ts";

export interface FilterQuestion {
  readonly filter: PacketFilter;
  readonly instances: readonly VrrpInstanceConfig[];
  readonly peerLink: PeerLinkConfig | null;
  /** Networks of an interface's own addresses. */
  readonly networksOf: (device: string) => readonly Network[];
  /** The interface that leads to an address; null: not known. */
  readonly deviceTo: (address: IpAddress) => string | null;
}

export function judgeFilter(question: FilterQuestion): readonly HostFinding[] {
  const asked = [...question.instances.flatMap((one) => advertPackets(one, question)), ...linkPackets(question)];
  const findings = new Map<string, { readonly finding: HostFinding; readonly subjects: Set<string> }>();
  for (const { id, subject, packet } of asked) {
    for (const obstacle of decisive(obstacles(question.filter, packet))) {
      const what = `${placeOf(obstacle)} ${obstacle.certain ? "drops" : "may drop"} ${nameOf(packet)}`;
      const key = `${id} ${what}`;
      const code = obstacle.certain ? id : "firewall-perhaps";
      const known = findings.get(key) ?? {
        finding: found(code, null, what, permit(obstacle, packet)),
        subjects: new Set<string>(),
      };
      known.subjects.add(subject);
      findings.set(key, known);
    }
  }
  return [...findings.values()].map(({ finding, subjects }) => ({ ...finding, server: [...subjects].join(", ") }));
}

/** What may stop it is of no interest where something does for certain. */
function decisive(all: readonly Obstacle[]): readonly Obstacle[] {
  const certain = all.filter((one) => one.certain);
  return certain.length > 0 ? certain : all;
}

interface Asked {
  readonly id: DoctorCode;
  readonly subject: string;
  readonly packet: ProbePacket;
}

const whole = (address: IpAddress): Network => ({ address, prefixLength: HOST_PREFIX[familyOf(address)] });

const PROTOCOL = { vrrp: 112, ah: 51, tcp: 6 } as const;

function advertPackets(vrrp: VrrpInstanceConfig, { networksOf }: FilterQuestion): readonly Asked[] {
  const { family, transport, authentication } = vrrp;
  const protocol = authentication.kind === "ah" ? PROTOCOL.ah : PROTOCOL.vrrp;
  const [network = null] = networksOf(vrrp.interface).filter(({ address }) => familyOf(address) === family);
  const own = vrrp.sourceAddress ?? network?.address ?? null;
  const ownWhole = own === null ? null : whole(own);
  const base = { family, protocol, destinationPort: null } as const;
  const pairs =
    transport.kind === "unicast"
      ? transport.peers.map((peer) => ({ peer: whole(peer), to: whole(peer), at: ownWhole, multicast: false }))
      : [{ peer: network, to: whole(transport.group), at: whole(transport.group), multicast: true }];
  return pairs.flatMap(({ peer, to, at, multicast }): readonly Asked[] => [
    {
      id: "firewall-in",
      subject: vrrp.name,
      packet: {
        ...base,
        direction: "input",
        interface: vrrp.hearsVia ?? vrrp.interface,
        source: peer,
        destination: at,
        multicast,
      },
    },
    {
      id: "firewall-out",
      subject: vrrp.name,
      packet: {
        ...base,
        direction: "output",
        interface: vrrp.sendsVia ?? vrrp.interface,
        source: ownWhole,
        destination: to,
        multicast,
      },
    },
  ]);
}

function linkPackets({ peerLink, deviceTo }: FilterQuestion): readonly Asked[] {
  if (peerLink === null) return [];
  const { listen, peers } = peerLink;
  return peers.flatMap((peer): readonly Asked[] => {
    const device = deviceTo(peer.address);
    if (device === null) return [];
    const base = {
      family: familyOf(peer.address),
      protocol: PROTOCOL.tcp,
      interface: device,
      multicast: false,
    };
    const subject = `peer_link ${placeInWords(peer)}`;
    const [own, other] = [whole(listen.address), whole(peer.address)];
    const comes = { direction: "input", source: other, destination: own, destinationPort: listen.port } as const;
    const goes = { direction: "output", source: own, destination: other, destinationPort: peer.port } as const;
    return [
      { id: "firewall-peer-link", subject, packet: { ...base, ...comes } },
      { id: "firewall-peer-link", subject, packet: { ...base, ...goes } },
    ];
  });
}

function nameOf({ direction, protocol, destinationPort, family }: ProbePacket): string {
  const way = direction === "input" ? "incoming" : "outgoing";
  if (protocol === PROTOCOL.tcp) return `${way} connections to port ${destinationPort} of the peer link`;
  const what =
    protocol === PROTOCOL.ah ? "adverts with authentication headers (IP protocol 51)" : "adverts (IP protocol 112)";
  return `${way} ${family === 6 ? "IPv6 " : ""}${what}`;
}

const chainName = ({ tool, family, table, name }: Obstacle["chain"]): string =>
  tool === "nft" ? `${family} ${table} ${name}` : `${name} of ${tool}, table ${table}`;

function placeOf({ chain, base, rule }: Obstacle): string {
  if (rule === null) return `the policy of chain ${chainName(chain)}`;
  const handle = rule.handle === null ? "" : ` (handle ${rule.handle})`;
  const from = chain === base ? "" : `, reached from ${base.name}`;
  return `rule ${rule.number}${handle} of chain ${chainName(chain)}${from}: \`${rule.text}\``;
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 51: "ah", 112: "vrrp" };

function permit(obstacle: Obstacle, packet: ProbePacket): string {
  const { chain } = obstacle;
  if (chain.table === "firewalld") return permitFirewalld(packet);
  if (chain.name.startsWith("ufw-") || obstacle.base.rules.some(({ text }) => text.includes("ufw-")))
    return permitUfw(packet);
  if (chain.tool === "nft" && !isIptablesNft(obstacle)) return permitNft(obstacle, packet);
  return permitIptables(obstacle, packet);
}

/** Tables that `iptables-nft` made: their rules are better changed by it. */
function isIptablesNft({ base: { family, table, name } }: Obstacle): boolean {
  return ["ip", "ip6"].includes(family) && ["filter", "mangle", "raw"].includes(table) && name === name.toUpperCase();
}

const ofNft = ({ protocol, destinationPort }: ProbePacket): string =>
  destinationPort === null ? `meta l4proto ${protocol}` : `tcp dport ${destinationPort}`;

/** In front of the rule, of the whole chain where its handle is not known; a chain that only has its policy in the way gets it at its end. */
function permitNft({ chain, base, rule }: Obstacle, packet: ProbePacket): string {
  const place = `${chain.family} ${chain.table} ${chain.name}`;
  const text = `${ofNft(packet)} accept`;
  const position = rule === null || rule.handle === null ? "" : ` position ${rule.handle}`;
  const command =
    rule === null
      ? `nft add rule ${base.family} ${base.table} ${base.name} ${text}`
      : `nft insert rule ${place}${position} ${text}`;
  return `${command}; and the same in /etc/nftables.conf, for the next boot`;
}

function permitIptables({ base, chain }: Obstacle, packet: ProbePacket): string {
  const tool = chain.tool === "nft" ? (base.family === "ip6" ? "ip6tables" : "iptables") : chain.tool;
  const table = base.table === "filter" ? "" : ` -t ${base.table}`;
  const side = packet.direction === "input" ? "-i" : "-o";
  return `${tool}${table} -I ${base.name} 1 ${side} ${packet.interface} ${ofIptables(packet)} -j ACCEPT; and save it (netfilter-persistent save, or service iptables save)`;
}

const ofIptables = ({ protocol, destinationPort }: ProbePacket): string =>
  destinationPort === null ? `-p ${protocol}` : `-p tcp --dport ${destinationPort}`;

/** What `nft` adds to firewalld's own table is lost at its next reload. */
function permitFirewalld({ protocol, destinationPort, interface: device, direction }: ProbePacket): string {
  const what =
    destinationPort === null ? `--add-protocol=${PROTOCOL_NAMES[protocol]}` : `--add-port=${destinationPort}/tcp`;
  const [where, name] =
    direction === "input"
      ? ["--zone=ZONE", `ZONE is what firewall-cmd --get-zone-of-interface=${device} says`]
      : ["--policy=POLICY", "POLICY is the one of firewall-cmd --get-active-policies that stands in the rule's chain"];
  return `firewall-cmd --permanent ${where} ${what} && firewall-cmd --reload; ${name}`;
}

/** ufw's own words know neither protocol in every version: its file of rules does. */
function permitUfw(packet: ProbePacket): string {
  const { destinationPort, direction, interface: device, family, protocol } = packet;
  if (destinationPort !== null)
    return `ufw allow ${direction === "input" ? "in" : "out"} on ${device} to any port ${destinationPort} proto tcp`;
  const file = family === 6 ? "/etc/ufw/before6.rules" : "/etc/ufw/before.rules";
  const chain = `ufw${family === 6 ? "6" : ""}-before-${direction}`;
  return `in ${file}, before COMMIT: -A ${chain} -p ${protocol} -j ACCEPT; then ufw reload`;
}
