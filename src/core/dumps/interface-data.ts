/** The section "Interfaces" of keepalived's data dump: what the host shows of each, what was made for an instance, who tracks it. */
import type { HoldfastConfig, InstanceConfig } from "../config/model.ts";
import type { VirtualInterface } from "../vrrp/virtual-interface.ts";
import { type DumpInput, type DumpText, type InterfaceFacts, trueFalse } from "./input.ts";
import { ownInterface } from "./words.ts";

/** netdevice(7). */
const IFF = { up: 0x1, broadcast: 0x2, loopback: 0x8, pointToPoint: 0x10, noArp: 0x80, multicast: 0x1000 } as const;
const HARDWARE: Readonly<Record<number, string>> = { 1: "ETHERNET", 32: "INFINIBAND", 772: "LOOPBACK" };

function stateText({ flags, running }: InterfaceFacts): string {
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const words = [has(IFF.up) ? "UP" : "DOWN", running ? "RUNNING" : "not RUNNING"];
  if (!has(IFF.broadcast)) words.push("no broadcast");
  if (has(IFF.loopback)) words.push("loopback");
  if (has(IFF.pointToPoint)) words.push("point to point");
  if (has(IFF.noArp)) words.push("no arp");
  if (!has(IFF.multicast)) words.push("no multicast");
  return words.join(", ");
}

export function interfaceData(text: DumpText, input: DumpInput): void {
  text.section("Interfaces");
  const made = new Map(
    input.config.instances.flatMap(({ vrrp }) => vrrp.virtualInterfaces.map((one) => [one.name, one])),
  );
  for (const facts of input.interfaces) {
    const own = made.get(facts.name) ?? null;
    text.field(0, "Name", facts.name);
    text.field(1, "index", facts.index);
    text.field(1, "IPv4 address", facts.ipv4 ?? "(none)");
    text.field(1, "IPv6 address", facts.ipv6 ?? "(none)");
    text.field(1, "MAC", facts.mac);
    text.field(1, "MAC broadcast", facts.mac === null ? null : facts.broadcast);
    text.field(1, "State", stateText(facts));
    text.field(1, "Seen up", (facts.flags & IFF.up) === 0 ? 0 : 1);
    text.field(1, "Delayed state change running", trueFalse(false));
    const delays = input.config.host.linkDelays.find((delay) => delay.interface === facts.name);
    text.field(1, "Up debounce timer", `${delays?.up ?? 0}us`);
    text.field(1, "Down debounce timer", `${delays?.down ?? 0}us`);
    if (own !== null) madeForInstance(text, input, own);
    text.field(1, "MTU", facts.mtu);
    text.field(1, "HW Type", HARDWARE[facts.hardwareType] ?? "UNKNOWN");
    text.line(1, "NIC netlink status update");
    pauses(text, input.config, facts.name);
    settings(text, input.config, { name: facts.name, isOwn: own !== null, made: [...made.values()] });
    trackingInstances(text, input, facts.name);
  }
}

function madeForInstance(text: DumpText, { interfaces }: DumpInput, own: VirtualInterface): void {
  const base = interfaces.find(({ name }) => name === own.base);
  const state = base === undefined ? "" : `, state = ${stateText(base)}`;
  if (own.kind === "macvlan") text.line(1, `VMAC type private, underlying interface = ${own.base}${state}`);
  text.line(1, "I/f created by keepalived");
}

/** garp_group, else vrrp_garp_interval and vrrp_gna_interval, which count for each interface by itself. */
function pauses(text: DumpText, { host, instances }: HoldfastConfig, name: string): void {
  const at = host.spacing.groups.findIndex(({ interfaces }) => interfaces.includes(name));
  const group = host.spacing.groups[at];
  if (group === undefined && !instances.some(({ vrrp }) => vrrp.interface === name)) return;
  const { arp, na } = group ?? host.spacing;
  if (arp > 0) text.line(1, `Gratuitous ARP interval ${arp / 1_000}ms`);
  if (na > 0) text.line(1, `Gratuitous NA interval ${na / 1_000}ms`);
  if (group !== undefined) text.line(1, `Gratuitous ARP aggregation group ${at + 1}`);
}

interface Settled {
  readonly name: string;
  readonly isOwn: boolean;
  readonly made: readonly VirtualInterface[];
}

/** What is changed for virtual interfaces and put back later. The original values are the keeper's; what they were is not told here. */
function settings(text: DumpText, { instances }: HoldfastConfig, { name, isOwn, made }: Settled): void {
  const above = made.filter(({ base, kind }) => base === name && kind === "macvlan").length;
  const promoting = instances.filter(({ vrrp }) => vrrp.interface === name && vrrp.promoteSecondaries).length;
  text.line(1, `Reset ARP config counter ${above}`);
  text.line(1, "Original arp_ignore 0");
  text.line(1, "Original arp_filter 0");
  if (isOwn || promoting > 0 || made.some(({ base }) => base === name)) text.line(1, "rp_filter 0");
  text.line(1, "Original promote_secondaries 0");
  text.line(1, `Reset promote_secondaries counter ${promoting}`);
}

/** keepalived's weight for an own interface whose failure does not count (dont_track_primary). */
const NOT_TRACKED = 255;

function trackingInstances(text: DumpText, { config }: DumpInput, name: string): void {
  const lines = config.instances.flatMap((instance) => {
    const weight = trackingWeight(instance, name);
    return weight === null ? [] : [`${instance.vrrp.name}, weight ${weight}`];
  });
  if (lines.length > 0) text.line(1, "Tracking VRRP instances :");
  for (const line of lines) text.line(2, line);
}

/** Null for an instance that does not mind what becomes of the interface. */
function trackingWeight(instance: InstanceConfig, name: string): string | number | null {
  const { vrrp } = instance;
  const tracked = vrrp.trackInterfaces.find(({ key }) => key === name);
  const weight = tracked === undefined ? null : `${tracked.weight}${tracked.reverse ? " reverse" : ""}`;
  if (vrrp.interface === name || ownInterface(instance)?.name === name)
    return vrrp.dontTrackPrimary ? (weight ?? NOT_TRACKED) : 0;
  // An instance whose virtual interface cannot be made is in FAULT as well.
  return vrrp.virtualInterfaces.some((one) => one.name === name) ? 0 : weight;
}
