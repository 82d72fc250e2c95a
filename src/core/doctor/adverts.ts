/** What was heard of each virtual router while the doctor listened, and what that means. Pure: packets and the daemon's own account come in. */
import type { IpAddress } from "../lib/ip.ts";
import { toSeconds } from "../lib/units.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { Drop, Packet } from "../vrrp/packet.ts";
import { validate } from "../vrrp/validate.ts";
import { found, type HostFinding } from "./catalogue.ts";
import type { DaemonFacts, DaemonInstance } from "./daemon-facts.ts";

/** An advert that came by the interface or left by it, as the device saw it: in front of the packet filter, or behind it. */
export interface HeardAdvert {
  readonly interface: string;
  readonly direction: "in" | "out";
  readonly packet: Packet;
}

export interface Listening {
  /** How long, in seconds. */
  readonly seconds: number;
  readonly adverts: readonly HeardAdvert[];
  /** heardKey() of what a program was given: behind the packet filter. Null: that could not be looked at. */
  readonly delivered: ReadonlySet<string> | null;
  /** Interfaces that were listened at. */
  readonly interfaces: ReadonlySet<string>;
}

export const heardKey = (device: string, family: 4 | 6, virtualRouterId: number): string =>
  `${device} ${family} ${virtualRouterId}`;

/** What one instance's adverts came to, for people and for `--json`. */
export interface HeardSummary {
  readonly instance: string;
  readonly interface: string;
  readonly virtualRouterId: number;
  /** Of this host. */
  readonly sent: number;
  readonly heard: readonly {
    readonly source: string;
    readonly adverts: number;
    readonly priority: number;
    /** Why the daemon refuses them; null: it believes them. */
    readonly refused: string | null;
  }[];
}

interface Sorted {
  readonly sent: number;
  readonly believed: ReadonlyMap<IpAddress, Group>;
  readonly refused: ReadonlyMap<IpAddress, Group>;
}

interface Group {
  count: number;
  readonly packet: Packet;
  readonly drop: Drop | null;
  readonly notices: readonly Drop[];
}

export const hearsVia = (vrrp: VrrpInstanceConfig): string => vrrp.hearsVia ?? vrrp.interface;

function sort(vrrp: VrrpInstanceConfig, own: DaemonInstance | null, { adverts }: Listening): Sorted {
  const believed = new Map<IpAddress, Group>();
  const refused = new Map<IpAddress, Group>();
  const context = { ownSource: own?.source ?? vrrp.sourceAddress, keyed: null, lastSource: null };
  const ours = adverts.filter((advert) => isOf(vrrp, advert));
  for (const { packet } of atOne(ours, "in", [hearsVia(vrrp), vrrp.interface, vrrp.sendsVia])) {
    const judged = validate(vrrp, packet, context);
    const into = judged.ok ? believed : refused;
    const known = into.get(packet.source);
    if (known !== undefined) known.count += 1;
    else if (judged.ok) into.set(packet.source, { count: 1, packet, drop: null, notices: judged.value.notices });
    else into.set(packet.source, { count: 1, packet, drop: judged.error, notices: [] });
  }
  return { sent: atOne(ours, "out", [vrrp.interface, vrrp.sendsVia, hearsVia(vrrp)]).length, believed, refused };
}

/** A packet of a virtual interface is seen there and at its base: only the first interface that saw any counts. */
function atOne(
  adverts: readonly HeardAdvert[],
  direction: HeardAdvert["direction"],
  devices: readonly (string | null)[],
): readonly HeardAdvert[] {
  const going = adverts.filter((one) => one.direction === direction);
  const first = devices.find((device) => going.some((one) => one.interface === device));
  return going.filter((one) => one.interface === first);
}

function isOf(vrrp: VrrpInstanceConfig, { interface: device, packet }: HeardAdvert): boolean {
  const { virtualRouterId, family } = packet;
  if (virtualRouterId !== vrrp.virtualRouterId || family !== vrrp.family) return false;
  return [hearsVia(vrrp), vrrp.interface, vrrp.sendsVia].includes(device);
}

export function summarise(vrrp: VrrpInstanceConfig, daemon: DaemonFacts | null, listening: Listening): HeardSummary {
  const { sent, believed, refused } = sort(vrrp, instanceOf(daemon, vrrp.name), listening);
  const heard = [...believed, ...refused].map(([source, { count, packet, drop }]) => ({
    source,
    adverts: count,
    priority: packet.priority,
    refused: drop?.detail ?? null,
  }));
  return { instance: vrrp.name, interface: vrrp.interface, virtualRouterId: vrrp.virtualRouterId, sent, heard };
}

const instanceOf = (daemon: DaemonFacts | null, name: string): DaemonInstance | null =>
  daemon?.instances.find((one) => one.name === name) ?? null;

/** Fewer packets than these may have come before or after the doctor listened on the other side. */
const PROOF = 2;

export function judgeAdverts(
  instances: readonly VrrpInstanceConfig[],
  daemon: DaemonFacts | null,
  listening: Listening,
): readonly HostFinding[] {
  const listened = instances.filter((vrrp) => listening.interfaces.has(hearsVia(vrrp)));
  return [
    ...listened.flatMap((vrrp) => judgeInstance(vrrp, daemon, listening)),
    ...strangers(listened, instances, listening),
  ];
}

function judgeInstance(
  vrrp: VrrpInstanceConfig,
  daemon: DaemonFacts | null,
  listening: Listening,
): readonly HostFinding[] {
  const own = instanceOf(daemon, vrrp.name);
  const sorted = sort(vrrp, own, listening);
  return [
    ...silence(vrrp, { own, daemon, sorted, listening }),
    ...blockedIn(vrrp, sorted, listening),
    ...blockedOut(vrrp, own, sorted, listening),
    ...disagreement(vrrp, sorted),
    ...twoMasters(vrrp, { own, daemon, sorted }),
  ];
}

interface Situation {
  readonly own: DaemonInstance | null;
  readonly daemon: DaemonFacts | null;
  readonly sorted: Sorted;
  readonly listening: Listening;
}

const router = ({ virtualRouterId, interface: device }: VrrpInstanceConfig): string =>
  `virtual router ${virtualRouterId} on ${device}`;

const tcpdump = (vrrp: VrrpInstanceConfig): string =>
  `tcpdump -ni ${vrrp.interface} ip proto ${vrrp.authentication.kind === "ah" ? 51 : 112}`.replace(
    "ip proto",
    vrrp.family === 6 ? "ip6 proto" : "ip proto",
  );

/** Whether one advert at least had to come in that time. */
const longEnough = (vrrp: VrrpInstanceConfig, { seconds }: Listening): boolean =>
  seconds > toSeconds(vrrp.advertInterval) * PROOF;

function silence(vrrp: VrrpInstanceConfig, { own, daemon, sorted, listening }: Situation): readonly HostFinding[] {
  if (sorted.believed.size > 0 || !longEnough(vrrp, listening)) return [];
  const master = (daemon?.peers ?? []).find((peer) => serves(peer, vrrp));
  if (master !== undefined && own?.state !== "MASTER") {
    const what = `${master.peer} says over the peer link that it is MASTER of ${router(vrrp)}, and none of its adverts arrived in ${listening.seconds} s`;
    return [found("advert-unheard", vrrp.name, what, `on both hosts: holdfast doctor; on this one: ${tcpdump(vrrp)}`)];
  }
  if (sorted.sent > 0 || sorted.refused.size > 0 || own?.state === "MASTER") return [];
  const state = own === null ? "no daemon of this host sends any" : `this host is ${own.state}`;
  const what = `no advert of ${router(vrrp)} was heard in ${listening.seconds} s, and ${state}`;
  const expected = vrrp.transport.kind === "unicast" ? `; expected from ${vrrp.transport.peers.join(", ")}` : "";
  const fix = `on the other host: holdfast status, and holdfast doctor; what arrives here: ${tcpdump(vrrp)}`;
  return [found("advert-none", vrrp.name, what + expected, fix)];
}

type Peer = DaemonFacts["peers"][number];

function serves({ connected, instances }: Peer, vrrp: VrrpInstanceConfig): boolean {
  return (
    connected &&
    instances.some(
      ({ state, addresses }) =>
        state === "MASTER" && addresses.some((one) => vrrp.advertised.some(({ address }) => address === one)),
    )
  );
}

function blockedIn(vrrp: VrrpInstanceConfig, sorted: Sorted, { delivered }: Listening): readonly HostFinding[] {
  const device = hearsVia(vrrp);
  if (delivered === null || delivered.has(heardKey(device, vrrp.family, vrrp.virtualRouterId))) return [];
  const seen = [...sorted.believed].filter(([, { count }]) => count >= PROOF);
  return seen.map(([source, { count }]) =>
    found(
      "advert-blocked-in",
      vrrp.name,
      `${count} adverts of ${source} for ${router(vrrp)} arrived at the interface, and no program was given one`,
    ),
  );
}

function blockedOut(
  vrrp: VrrpInstanceConfig,
  own: DaemonInstance | null,
  { sent }: Sorted,
  listening: Listening,
): readonly HostFinding[] {
  if (own?.phase !== "MASTER" || sent > 0 || !longEnough(vrrp, listening)) return [];
  const what = `this host is MASTER of ${router(vrrp)}, and no advert left the interface in ${listening.seconds} s`;
  return [found("advert-blocked-out", vrrp.name, what)];
}

function disagreement(vrrp: VrrpInstanceConfig, { believed, refused }: Sorted): readonly HostFinding[] {
  const wrong = [...refused].map(([source, { drop, packet }]) =>
    found(
      "advert-refused",
      vrrp.name,
      `adverts of ${source} (priority ${packet.priority}) are refused: ${drop?.detail}`,
    ),
  );
  const other = [...believed].flatMap(([source, { notices, packet }]) =>
    notices.map(({ reason, detail }) => {
      const foreign = reason === "address-list" && packet.addresses.length > 0 && !sharesAddress(vrrp, packet);
      return foreign
        ? found(
            "vrid-shared",
            vrrp.name,
            `${source} uses virtual_router_id ${vrrp.virtualRouterId} for ${packet.addresses.join(", ")}`,
          )
        : found("advert-differs", vrrp.name, `adverts of ${source}: ${detail}`);
    }),
  );
  return [...wrong, ...other];
}

const sharesAddress = ({ advertised }: VrrpInstanceConfig, { addresses }: Packet): boolean =>
  advertised.some(({ address }) => addresses.includes(address));

function twoMasters(
  vrrp: VrrpInstanceConfig,
  { own, daemon, sorted }: Omit<Situation, "listening">,
): readonly HostFinding[] {
  const rival = [...sorted.believed].find(([, { count }]) => count >= PROOF);
  if (rival !== undefined && sorted.sent >= PROOF) {
    const [source, { packet }] = rival;
    const what = `this host sends adverts of ${router(vrrp)}, and ${source} does so with priority ${packet.priority}`;
    return [found("two-masters", vrrp.name, what)];
  }
  const peer = own?.holding === true ? (daemon?.peers ?? []).find((one) => serves(one, vrrp)) : undefined;
  if (peer === undefined) return [];
  const what = `this host holds the addresses of ${router(vrrp)}, and ${peer.peer} says over the peer link that it does, too`;
  return [found("two-masters", vrrp.name, what)];
}

/** Adverts of routers that are not in the file, with addresses that are. */
function strangers(
  listened: readonly VrrpInstanceConfig[],
  all: readonly VrrpInstanceConfig[],
  { adverts }: Listening,
): readonly HostFinding[] {
  const findings = new Map<string, HostFinding>();
  for (const { direction, interface: device, packet } of adverts) {
    const { virtualRouterId, family, source } = packet;
    const known = all.some((one) => one.virtualRouterId === virtualRouterId && one.family === family);
    if (direction === "out" || known) continue;
    const ours = listened.find((one) => [one.interface, hearsVia(one)].includes(device) && sharesAddress(one, packet));
    if (ours === undefined) continue;
    const shared = packet.addresses.filter((one) => ours.advertised.some(({ address }) => address === one));
    const what = `${source} announces ${shared.join(", ")} with virtual_router_id ${virtualRouterId}; this host's file says ${ours.virtualRouterId}`;
    findings.set(`${ours.name} ${source} ${virtualRouterId}`, found("vrid-differs", ours.name, what));
  }
  return [...findings.values()];
}
