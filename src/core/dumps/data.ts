/**
 * `keepalived_parent.data` and `keepalived.data`: keepalived 2.2.7's data dumps, section by section and line by line, so that
 * what greps them goes on working. A line that speaks of a thing Holdfast does not have in that form (descriptors of
 * sockets, which belong to another process) carries keepalived's value for "none".
 */
import type { VrrpScriptConfig } from "../config/model.ts";
import { globalData } from "./global-data.ts";
import { type DumpInput, DumpText, type InterfaceFacts, trueFalse } from "./input.ts";
import { instanceData } from "./instance-data.ts";
import { commandText, type InstanceRow, instanceRows, ownerText } from "./words.ts";

/** keepalived_parent.data. */
export function renderParentData(input: DumpInput): string {
  const text = new DumpText();
  globalData(text, input, true);
  return text.toString();
}

/** keepalived.data. */
export function renderVrrpData(input: DumpInput): string {
  const text = new DumpText();
  globalData(text, input, false);
  instanceData(text, input);
  socketPool(text, input);
  if (input.config.scripts.length > 0) scripts(text, input);
  interfaces(text, input);
  return text.toString();
}

/** One socket pair for each interface and way of sending, as the keeper opens them. */
function socketPool(text: DumpText, input: DumpInput): void {
  text.section("VRRP Sockpool");
  const pool = new Map<string, InstanceRow[]>();
  for (const row of instanceRows(input)) {
    const { vrrp } = row;
    const own = vrrp.transport.kind === "unicast" ? (vrrp.sourceAddress ?? "") : vrrp.transport.group;
    const key = `${vrrp.interface} ${vrrp.family} ${vrrp.transport.kind} ${own}`;
    pool.set(key, [...(pool.get(key) ?? []), row]);
  }
  for (const [first, ...rest] of pool.values()) {
    if (first === undefined) continue;
    const unicast = first.vrrp.transport.kind === "unicast";
    text.line(0, "fd_in -1 fd_out = -1");
    text.field(1, "Interface", first.vrrp.interface);
    text.field(1, "Family", `IPv${first.vrrp.family}`);
    text.field(1, "Protocol", "VRRP");
    text.field(1, "Type", unicast ? "Unicast" : "Multicast");
    if (unicast) text.field(1, "Address", first.vrrp.sourceAddress ?? first.status.source);
    text.field(1, "Rx buf size", 0);
    text.line(1, "VRRP instances");
    for (const { vrrp } of [first, ...rest]) text.line(2, `${vrrp.name} vrid ${vrrp.virtualRouterId}`);
  }
}

function scripts(text: DumpText, input: DumpInput): void {
  text.section("VRRP Scripts");
  for (const script of input.config.scripts) scriptData(text, input, script);
}

const seconds = (value: number): string => `${value / 1e6} sec`;

function scriptData(text: DumpText, input: DumpInput, script: VrrpScriptConfig): void {
  const { weight, reverse, rise, fall } = script;
  const runs = input.checks.filter(({ key }) => key === script.name || key.startsWith(`${script.name}@`));
  const good = runs.length > 0 && runs.every(({ standing }) => standing.kind === "ok");
  text.field(0, "VRRP Script", script.name);
  text.field(1, "Command", commandText(script.command));
  text.field(1, "Interval", seconds(script.interval));
  text.field(1, "Timeout", script.timeout === script.interval ? "0 sec" : seconds(script.timeout));
  text.field(1, "Weight", `${weight}${reverse ? " reverse" : ""}`);
  text.field(1, "Rise", rise);
  text.field(1, "Fall", fall);
  // keepalived counts up to rise + fall - 1 and calls it good from rise on.
  text.field(1, "Result", good ? rise + fall - 1 : 0);
  text.field(1, "Insecure", runs.some(({ standing }) => standing.kind === "unusable") ? "yes" : "no");
  text.field(1, "Init state", script.initFail ? "failed" : "unknown");
  text.field(1, "Status", good ? "GOOD" : "BAD");
  text.field(1, "Script uid:gid", ownerText(script.command, input.config));
  text.line(1, "VRRP instances :");
  text.line(1, "Tracking instances :");
  for (const { vrrp } of input.config.instances) {
    const found = vrrp.trackScripts.find(({ key }) => key === script.name || key === `${script.name}@${vrrp.name}`);
    if (found !== undefined) text.line(2, `${vrrp.name}, weight ${found.weight}${found.reverse ? " reverse" : ""}`);
  }
  text.field(1, "State", runs.some(({ running }) => running) ? "running" : "idle");
}

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

/** What keepalived changes for virtual MAC addresses and puts back later. */
const SYSCTLS = [
  "Reset ARP config counter",
  "Original arp_ignore",
  "Original arp_filter",
  "Original promote_secondaries",
  "Reset promote_secondaries counter",
];

function interfaces(text: DumpText, input: DumpInput): void {
  text.section("Interfaces");
  for (const facts of input.interfaces) {
    text.field(0, "Name", facts.name);
    text.field(1, "index", facts.index);
    text.field(1, "IPv4 address", facts.ipv4 ?? "(none)");
    text.field(1, "IPv6 address", facts.ipv6 ?? "(none)");
    text.field(1, "MAC", facts.mac);
    text.field(1, "MAC broadcast", facts.mac === null ? null : facts.broadcast);
    text.field(1, "State", stateText(facts));
    text.field(1, "Seen up", (facts.flags & IFF.up) === 0 ? 0 : 1);
    text.field(1, "Delayed state change running", trueFalse(false));
    text.field(1, "Up debounce timer", "0us");
    text.field(1, "Down debounce timer", "0us");
    text.field(1, "MTU", facts.mtu);
    text.field(1, "HW Type", HARDWARE[facts.hardwareType] ?? "UNKNOWN");
    text.line(1, "NIC netlink status update");
    for (const name of SYSCTLS) text.line(1, `${name} 0`);
    trackingInstances(text, input, facts.name);
  }
}

/** keepalived's weight for an own interface whose failure does not count (dont_track_primary). */
const NOT_TRACKED = 255;

function trackingInstances(text: DumpText, input: DumpInput, name: string): void {
  const lines = input.config.instances.flatMap(({ vrrp }) => {
    const tracked = vrrp.trackInterfaces.find(({ key }) => key === name);
    if (vrrp.interface !== name) return tracked === undefined ? [] : [`${vrrp.name}, weight ${tracked.weight}`];
    return [`${vrrp.name}, weight ${vrrp.dontTrackPrimary ? (tracked?.weight ?? NOT_TRACKED) : 0}`];
  });
  if (lines.length > 0) text.line(1, "Tracking VRRP instances :");
  for (const line of lines) text.line(2, line);
}
