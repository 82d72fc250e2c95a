/** Interfaces and settings of the kernel that keep VRRP or its addresses from working (Documentation/networking/ip-sysctl.rst). Pure. */
import { type Family, familyOf, HOST_PREFIX, type IpAddress, networkOf } from "../lib/ip.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import { found, type HostFinding } from "./catalogue.ts";
import type { DaemonFacts } from "./daemon-facts.ts";
import type { Network } from "./firewall/model.ts";

export interface DeviceFacts {
  readonly up: boolean;
  /** Carrier. */
  readonly running: boolean;
  readonly multicast: boolean;
  /** Whether it asks for its neighbours: not a loopback, a dummy, a tunnel. */
  readonly neighbours: boolean;
  readonly addresses: readonly Network[];
}

export interface KernelFacts {
  readonly instances: readonly VrrpInstanceConfig[];
  readonly daemon: DaemonFacts | null;
  /** Null: there is no such interface. */
  readonly device: (name: string) => DeviceFacts | null;
  /** A setting below /proc/sys/net; null: the kernel has none of that name. */
  readonly setting: (path: string) => number | null;
  /** Whether a program of this host is in that group there, the doctor aside; null: not known. */
  readonly joined: (device: string, group: IpAddress) => boolean | null;
  /** Instances whose adverts arrive and are given to no program. */
  readonly undelivered: ReadonlySet<string>;
  /** Packets that rp_filter has dropped while the doctor listened. */
  readonly reversePathDrops: number;
  /** Whether the file has a virtual_server; and whether the kernel has IPVS. */
  readonly ipvs: { readonly wanted: boolean; readonly there: boolean };
}

export function judgeKernel(facts: KernelFacts): readonly HostFinding[] {
  const { ipvs } = facts;
  const missing = ipvs.wanted && !ipvs.there;
  return [
    ...facts.instances.flatMap((vrrp) => judgeInstance(vrrp, facts)),
    ...(missing ? [found("ipvs-missing", null, "the kernel has no IPVS (/proc/net/ip_vs)", IPVS_FIX)] : []),
  ];
}

const IPVS_FIX = "modprobe ip_vs; and echo ip_vs > /etc/modules-load.d/ip_vs.conf, for the next boot";

function judgeInstance(vrrp: VrrpInstanceConfig, facts: KernelFacts): readonly HostFinding[] {
  const device = facts.device(vrrp.interface);
  if (device === null)
    return [
      found("interface-missing", vrrp.name, `interface ${vrrp.interface} does not exist`, "ip link: what there is"),
    ];
  return [
    ...linkFaults(vrrp, device),
    ...membershipFaults(vrrp, facts),
    ...reversePathFaults(vrrp, facts),
    ...arpFaults(vrrp, facts),
    ...secondaryFaults(vrrp, device, facts),
    ...ipv6Faults(vrrp, facts),
  ];
}

function linkFaults({ name, interface: device, transport }: VrrpInstanceConfig, facts: DeviceFacts): HostFinding[] {
  if (!facts.up) return [found("interface-down", name, `interface ${device} is down`, `ip link set ${device} up`)];
  if (!facts.running)
    return [
      found(
        "interface-down",
        name,
        `interface ${device} has no carrier`,
        `ethtool ${device}: cable, switch port, bond`,
      ),
    ];
  if (facts.multicast || transport.kind === "unicast") return [];
  return [
    found("no-multicast", name, `interface ${device} is without multicast`, `ip link set ${device} multicast on`),
  ];
}

const WITHOUT_SOCKETS = new Set(["INIT", "FAULT", "STOP"]);

function membershipFaults({ name, interface: device, transport, hearsVia }: VrrpInstanceConfig, facts: KernelFacts) {
  const state = facts.daemon?.instances.find((one) => one.name === name)?.state ?? "STOP";
  if (transport.kind === "unicast" || WITHOUT_SOCKETS.has(state)) return [];
  const at = hearsVia ?? device;
  if (facts.joined(at, transport.group) !== false) return [];
  return [
    found("group-not-joined", name, `nobody on this host has joined ${transport.group} on ${at}`, "holdfast reload"),
  ];
}

/** The kernel takes the greater of the interface's own and of `all`. */
const effective = ({ setting }: KernelFacts, device: string, name: string): number =>
  Math.max(setting(`ipv4/conf/${device}/${name}`) ?? 0, setting(`ipv4/conf/all/${name}`) ?? 0);

const sysctl = (device: string, name: string, value: number): string =>
  `sysctl -w net.ipv4.conf.all.${name}=${value} net.ipv4.conf.${device}.${name}=${value}; and in /etc/sysctl.d, for the next boot`;

function reversePathFaults({ name, interface: device, hearsVia, family }: VrrpInstanceConfig, facts: KernelFacts) {
  const at = hearsVia ?? device;
  if (family === 6 || !facts.undelivered.has(name) || facts.reversePathDrops === 0) return [];
  if (effective(facts, at, "rp_filter") !== 1) return [];
  const what = `rp_filter is 1 on ${at}, and the kernel dropped ${facts.reversePathDrops} packets by it while doctor listened`;
  return [found("rp-filter", name, what, sysctl(at, "rp_filter", 2))];
}

const ALWAYS_SILENT = 8;

/** Values 1 and 2 answer for what is on the interface that is asked; only what is elsewhere stays silent. */
function arpFaults(vrrp: VrrpInstanceConfig, facts: KernelFacts): readonly HostFinding[] {
  const { name, interface: device } = vrrp;
  if (vrrp.family === 6) return [];
  const ignored = addressesOf(vrrp).flatMap((one) => arpIgnored(vrrp, one, facts));
  if (effective(facts, device, "arp_filter") === 0) return ignored;
  return [...ignored, found("arp-filter", name, `arp_filter is 1 on ${device}`, sysctl(device, "arp_filter", 0))];
}

function arpIgnored({ name, interface: device }: VrrpInstanceConfig, one: VirtualAddress, facts: KernelFacts) {
  const at = one.device ?? device;
  const apart = facts.device(at)?.neighbours === false;
  const asked = apart ? device : at;
  const ignore = effective(facts, asked, "arp_ignore");
  if (apart ? ignore === 0 : ignore !== ALWAYS_SILENT) return [];
  const what = `arp_ignore is ${ignore} on ${asked}, and ${one.address} is on ${at}: the kernel does not answer for it`;
  const fix = apart
    ? `put ${one.address} on ${device}, without dev ${at} in the file; arp_ignore may be meant for real servers (LVS-DR)`
    : answering(asked, facts);
  return [found("arp-ignore", name, what, fix)];
}

/** 1, not 0: what LVS-DR keeps on the loopback stays silent. */
function answering(device: string, { setting }: KernelFacts): string {
  const words = ["all", device]
    .filter((one) => setting(`ipv4/conf/${one}/arp_ignore`) === ALWAYS_SILENT)
    .map((one) => `net.ipv4.conf.${one}.arp_ignore=1`);
  return `sysctl -w ${words.join(" ")}; and in /etc/sysctl.d, for the next boot`;
}

const addressesOf = ({ advertised, excluded }: VrrpInstanceConfig): readonly VirtualAddress[] =>
  [...advertised, ...excluded].filter(({ address }) => familyOf(address) === 4);

function secondaryFaults(vrrp: VrrpInstanceConfig, { addresses }: DeviceFacts, facts: KernelFacts) {
  const { name, interface: device, promoteSecondaries } = vrrp;
  if (promoteSecondaries || effective(facts, device, "promote_secondaries") > 0) return [];
  const shared = addressesOf(vrrp).filter(({ address, prefixLength, device: at }) => {
    if ((at ?? device) !== device || prefixLength === HOST_PREFIX[4]) return false;
    const beside = [...addresses, ...addressesOf(vrrp)].filter((one) => one.address !== address);
    return beside.some(
      (one) =>
        familyOf(one.address) === 4 &&
        one.prefixLength === prefixLength &&
        networkOf(one.address, prefixLength) === networkOf(address, prefixLength),
    );
  });
  const [first] = shared;
  if (first === undefined) return [];
  const what = `promote_secondaries is 0 on ${device}, and ${first.address}/${first.prefixLength} is not the only address of its prefix`;
  return [found("secondaries", name, what, sysctl(device, "promote_secondaries", 1))];
}

function ipv6Faults(vrrp: VrrpInstanceConfig, { setting }: KernelFacts): readonly HostFinding[] {
  const { name, interface: device, family, advertised, excluded } = vrrp;
  const families = new Set<Family>([family, ...[...advertised, ...excluded].map(({ address }) => familyOf(address))]);
  if (!families.has(6) || setting(`ipv6/conf/${device}/disable_ipv6`) !== 1) return [];
  const fix = `sysctl -w net.ipv6.conf.${device}.disable_ipv6=0; and in /etc/sysctl.d, for the next boot`;
  return [found("ipv6-off", name, `disable_ipv6 is 1 on ${device}`, fix)];
}
