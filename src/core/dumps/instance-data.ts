/** The section "VRRP Topology" of keepalived's data dump: each instance, what it is told to do and where it stands. */
import type { HookKind } from "../events/vocabulary.ts";
import type { Fault } from "../vrrp/causes.ts";
import { type DumpInput, type DumpText, onOff, trueFalse, yesNo } from "./input.ts";
import { routeText, ruleText } from "./routing-text.ts";
import {
  addressText,
  baseKey,
  commandText,
  type InstanceRow,
  instanceRows,
  lowerPriorityDelay,
  momentText,
  ownerText,
  ownInterface,
  weightText,
} from "./words.ts";

export function instanceData(text: DumpText, input: DumpInput): void {
  text.section("VRRP Topology");
  for (const row of instanceRows(input)) {
    standing(text, input, row);
    place(text, input, row);
    announcements(text, row);
    election(text, row);
    authentication(text, row);
    extras(text, row);
    addresses(text, row);
    peers(text, row);
    // Descriptors are the keeper's own business: keepalived's value for sockets that are not open.
    text.line(1, "fd_in -1, fd_out -1");
    routing(text, row);
    tracked(text, row);
    hooks(text, input, row);
  }
}

const TRACKER_FAULTS: ReadonlySet<Fault["kind"]> = new Set([
  "script",
  "script-unusable",
  "interface",
  "file",
  "process",
  "mysql",
  "redis",
]);

function standing(text: DumpText, input: DumpInput, row: InstanceRow): void {
  const { vrrp, status } = row;
  text.field(0, "VRRP Instance", vrrp.name);
  text.field(1, "VRRP Version", vrrp.version);
  if (vrrp.family === 6) text.line(1, "Using Native IPv6");
  text.field(1, "Sync group", vrrp.syncGroup?.name ?? null);
  text.field(1, "State", status.state);
  if (status.state === "BACKUP") {
    text.field(1, "Master router", status.master?.source ?? "0.0.0.0");
    text.field(1, "Master priority", status.master?.priority ?? 0);
  }
  flags(text, row);
  text.field(1, "Wantstate", status.state);
  // keepalived counts a failing sibling in the group, not here.
  const own = status.faults.filter(({ kind }) => kind !== "sibling");
  const trackers = own.filter(({ kind }) => TRACKER_FAULTS.has(kind)).length;
  text.field(1, "Number of config faults", own.length - trackers);
  text.field(1, "Number of interface and track script faults", trackers);
  const standings = new Map(input.checks.map(({ key, standing: one }) => [key, one.kind]));
  const unknown = vrrp.trackScripts.filter(({ key }) => (standings.get(key) ?? "unknown") === "unknown").length;
  text.field(1, "Number of track scripts init", unknown);
  text.field(1, "Last transition", momentText(input, status.since));
  const { deadline, masterDown } = status.timers;
  text.field(1, "Read timeout", deadline === null ? "DISABLED" : momentText(input, deadline));
  text.field(1, "Master down timer", `${Math.floor(masterDown)} usecs`);
}

/** keepalived has names for few flags, but says "none" only while none is set. */
function flags(text: DumpText, { vrrp, written }: InstanceRow): void {
  const unicast = vrrp.transport.kind === "unicast";
  const any = [
    unicast,
    !vrrp.preempt,
    vrrp.dontTrackPrimary,
    vrrp.promoteSecondaries,
    vrrp.receive.skipCheckAdvAddr,
    vrrp.sourceAddress !== null,
    vrrp.garp.extraPeriod > 0 && vrrp.garp.extraAll,
    written.ownInterface || written.addressInterfaces || written.faultWithoutPeer,
  ].includes(true);
  text.line(1, any ? "Flags:" : "Flags: none");
  if (unicast) text.line(2, "Using unicast");
  if (written.faultWithoutPeer) text.line(2, "If unicast go to fault state if no peers");
}

function place(text: DumpText, input: DumpInput, row: InstanceRow): void {
  const { vrrp, status, written } = row;
  virtualInterface(text, row);
  if (vrrp.dontTrackPrimary) text.line(1, "VRRP interface tracking disabled");
  if (vrrp.receive.skipCheckAdvAddr) text.line(1, "Skip checking advert IP addresses");
  if (written.strict) text.line(1, "Enforcing strict VRRP compliance");
  const source = vrrp.sourceAddress ?? status.source;
  if (source !== null)
    text.line(1, `Using src_ip = ${source}${vrrp.sourceAddress === null ? "" : " (from configuration)"}`);
  if (vrrp.transport.kind !== "multicast") return;
  const sends = input.interfaces.find(({ name }) => name === (vrrp.sendsVia ?? vrrp.interface));
  // A group of IPv6 means something together with its link only.
  const index = vrrp.family === 6 && sends !== undefined ? `, ifindex ${sends.index}` : "";
  text.line(1, `Multicast address ${vrrp.transport.group}${index}`);
}

/** Where adverts leave from, and what the instance lives on. */
function virtualInterface(text: DumpText, row: InstanceRow): void {
  const { vrrp, status, written } = row;
  const own = ownInterface(row);
  if (own === null) {
    if (written.addressInterfaces) text.line(1, "Use VMAC for VIPs on other interfaces");
    text.field(1, "Interface", vrrp.interface);
    return;
  }
  const isUp = trueFalse(!status.faults.some(({ kind }) => kind === "virtual-interface" || kind === "interface"));
  const fromBase = vrrp.sendsVia === null;
  if (own.kind === "macvlan")
    text.line(1, `Use VMAC, i/f name ${own.name}, is_up = ${isUp}, xmit_base = ${trueFalse(fromBase)}`);
  else text.line(1, `Use IPVLAN, i/f ${own.name}, is_up = ${isUp}, type ${own.ipvlanMode}`);
  const kind = own.kind === "macvlan" ? "vmac" : "ipvlan";
  const leaves = own.kind === "macvlan" && fromBase ? ", xmit base i/f" : "";
  text.field(1, "Interface", `${own.name}, ${kind} on ${own.base}${leaves}`);
}

function announcements(text: DumpText, row: InstanceRow): void {
  const { garp } = row.vrrp;
  text.field(1, "Gratuitous ARP delay", garp.delay / 1e6);
  text.field(1, "Gratuitous ARP repeat", garp.repeat);
  text.field(1, "Gratuitous ARP refresh", garp.refresh / 1e6);
  text.field(1, "Gratuitous ARP refresh repeat", garp.refreshRepeat);
  text.field(1, "Gratuitous ARP lower priority delay", lowerPriorityDelay(row));
  text.field(1, "Gratuitous ARP lower priority repeat", garp.lowerPrioRepeat);
}

/** An address on an interface that is not the instance's own. */
function hasSecondary(row: InstanceRow): boolean {
  const { advertised, excluded, interface: base } = row.vrrp;
  const own = ownInterface(row)?.name ?? base;
  return [...advertised, ...excluded].some(({ device }) => device !== null && device !== own && device !== base);
}

function election(text: DumpText, row: InstanceRow): void {
  const { vrrp, status } = row;
  text.field(1, "Down timer adverts", vrrp.downTimerAdverts);
  if (vrrp.garp.extraPeriod > 0 && hasSecondary(row))
    text.field(
      1,
      `Gratuitous ARP for each secondary ${vrrp.garp.extraAll ? "i/f" : "VMAC"}`,
      vrrp.garp.extraPeriod / 1e6,
    );
  text.field(1, "Send advert after receive lower priority advert", trueFalse(!vrrp.lowerPrioNoAdvert));
  text.field(1, "Send advert after receive higher priority advert", trueFalse(vrrp.higherPrioSendAdvert));
  text.field(1, "Virtual Router ID", vrrp.virtualRouterId);
  text.field(1, "Priority", vrrp.priority);
  text.field(1, "Effective priority", status.priority);
  text.field(1, "Total priority", status.priority);
  const seconds = vrrp.advertInterval / 1e6;
  text.field(1, "Advert interval", vrrp.version === 2 ? `${seconds} sec` : `${Math.round(seconds * 1_000)} milli-sec`);
  text.field(1, "Accept", vrrp.filter?.closed === true ? "disabled" : "enabled");
  text.field(1, "Preempt", onOff(vrrp.preempt));
  if (vrrp.preemptDelay > 0) text.field(1, "Preempt delay", `${vrrp.preemptDelay / 1e6} secs`);
  text.field(1, "Promote_secondaries", onOff(vrrp.promoteSecondaries));
}

/** What only some instances have; it stands after the authentication. */
function extras(text: DumpText, { vrrp: { receive } }: InstanceRow): void {
  if (receive.debug > 0) text.field(1, "Debug level", receive.debug);
  if (receive.buffer.kind === "bytes") text.field(1, "Kernel rx buffer size", receive.buffer.bytes);
}

const AUTHENTICATION = { none: "none", pass: "SIMPLE_PASSWORD", ah: "IPSEC_AH" } as const;

/** The password itself is keepalived's to print; here it is not in any dump. */
function authentication(text: DumpText, { vrrp }: InstanceRow): void {
  if (vrrp.version !== 2) return;
  text.field(1, "Authentication type", AUTHENTICATION[vrrp.authentication.kind]);
  if (vrrp.authentication.kind === "pass") text.field(1, "Password", "********");
}

function addresses(text: DumpText, row: InstanceRow): void {
  const { advertised, excluded } = row.vrrp;
  if (advertised.length > 0) text.line(1, `Virtual IP (${advertised.length}):`);
  for (const entry of advertised) text.line(2, addressText(entry, row));
  if (excluded.length > 0) text.line(1, "Virtual IP Excluded :");
  for (const entry of excluded) text.line(2, addressText(entry, row));
}

function routing(text: DumpText, { vrrp: { routes, rules } }: InstanceRow): void {
  if (routes.length > 0) text.line(1, "Virtual Routes :");
  for (const route of routes) text.line(2, routeText(route));
  if (rules.length > 0) text.line(1, "Virtual Rules :");
  for (const rule of rules) text.line(2, ruleText(rule));
}

function peers(text: DumpText, { vrrp }: InstanceRow): void {
  const { transport } = vrrp;
  if (transport.kind !== "unicast") return;
  text.field(1, "Unicast TTL", transport.ttl);
  text.line(1, `Check unicast src : ${yesNo(transport.checkSource)}`);
  text.line(1, "Unicast Peer :");
  for (const peer of transport.peers) {
    const { min, max } = transport.peerTtls.find((limits) => limits.peer === peer) ?? { min: 0, max: 255 };
    text.line(2, `${peer} min_ttl ${min} max_ttl ${max}`);
  }
  text.field(1, "Unicast checksum compatibility", "no");
}

/** Its own: what its sync group tracks is shown there. */
function tracked(text: DumpText, { written: { trackers } }: InstanceRow): void {
  const list = (title: string, entries: readonly string[]): void => {
    if (entries.length > 0) text.line(1, `${title} :`);
    for (const entry of entries) text.line(2, entry);
  };
  list(
    "Tracked interfaces",
    trackers.trackInterfaces.map((one) => `${one.key} ${weightText(one)}`),
  );
  list(
    "Tracked scripts",
    trackers.trackScripts.map((one) => `${baseKey(one.key)} ${weightText(one)}`),
  );
  list(
    "Tracked files",
    trackers.trackFiles.map((one) => `${one.key}, ${weightText(one)}`),
  );
  list(
    "Tracked processes",
    trackers.trackProcesses.map((one) => `${one.key}, ${weightText(one)}`),
  );
}

/** In keepalived's order. */
const HOOKS: readonly (readonly [HookKind, string])[] = [
  ["notify_backup", "Backup state transition script"],
  ["notify_master", "Master state transition script"],
  ["notify_fault", "Fault state transition script"],
  ["notify_stop", "Stop state transition script"],
  ["notify", "Generic state transition script"],
  ["notify_master_rx_lower_pri", "Master rx lower pri state transition script"],
];

function hooks(text: DumpText, input: DumpInput, row: InstanceRow): void {
  text.field(1, "Using smtp notification", yesNo(row.notices.mail));
  text.field(1, "Notify deleted", row.notices.deleted ? "Deleted" : "Fault");
  for (const [kind, name] of HOOKS) {
    const command = row.hooks[kind];
    if (command !== undefined) text.field(1, name, `${commandText(command)}, uid:gid ${ownerText(command, input)}`);
  }
  text.field(1, "Notify priority changes", trueFalse(row.notices.priorityChanges));
}
