/** The section "VRRP Topology" of keepalived's data dump: each instance, what it is told to do and where it stands. */
import type { HookKind } from "../events/vocabulary.ts";
import type { Fault } from "../vrrp/causes.ts";
import { type DumpInput, type DumpText, onOff, trueFalse, yesNo } from "./input.ts";
import { addressText, commandText, type InstanceRow, instanceRows, momentText, ownerText } from "./words.ts";

export function instanceData(text: DumpText, input: DumpInput): void {
  text.section("VRRP Topology");
  for (const row of instanceRows(input)) {
    standing(text, input, row);
    place(text, row);
    announcements(text, row);
    election(text, row);
    authentication(text, row);
    addresses(text, row);
    peers(text, row);
    // Descriptors are the keeper's own business: keepalived's value for sockets that are not open.
    text.line(1, "fd_in -1, fd_out -1");
    tracked(text, row);
    hooks(text, input, row);
  }
}

const TRACKER_FAULTS: ReadonlySet<Fault["kind"]> = new Set(["script", "script-unusable", "interface"]);

function standing(text: DumpText, input: DumpInput, { vrrp, status }: InstanceRow): void {
  text.field(0, "VRRP Instance", vrrp.name);
  text.field(1, "VRRP Version", vrrp.version);
  text.field(1, "State", status.state);
  if (status.state === "BACKUP") {
    text.field(1, "Master router", status.master?.source ?? "0.0.0.0");
    text.field(1, "Master priority", status.master?.priority ?? 0);
  }
  flags(text, vrrp);
  text.field(1, "Wantstate", status.state);
  const trackers = status.faults.filter(({ kind }) => TRACKER_FAULTS.has(kind)).length;
  text.field(1, "Number of config faults", status.faults.length - trackers);
  text.field(1, "Number of interface and track script faults", trackers);
  const standings = new Map(input.checks.map(({ key, standing: one }) => [key, one.kind]));
  const unknown = vrrp.trackScripts.filter(({ key }) => (standings.get(key) ?? "unknown") === "unknown").length;
  text.field(1, "Number of track scripts init", unknown);
  text.field(1, "Last transition", momentText(input, status.since));
  const { deadline, masterDown } = status.timers;
  text.field(1, "Read timeout", deadline === null ? "DISABLED" : momentText(input, deadline));
  text.field(1, "Master down timer", `${Math.floor(masterDown)} usecs`);
}

/** keepalived prints no names of its own for most flags, but "none" only while none is set. */
function flags(text: DumpText, vrrp: InstanceRow["vrrp"]): void {
  const unicast = vrrp.transport.kind === "unicast";
  text.line(1, unicast || !vrrp.preempt || vrrp.dontTrackPrimary ? "Flags:" : "Flags: none");
  if (unicast) text.line(2, "Using unicast");
}

function place(text: DumpText, { vrrp, status }: InstanceRow): void {
  text.field(1, "Interface", vrrp.interface);
  if (vrrp.dontTrackPrimary) text.line(1, "VRRP interface tracking disabled");
  const source = vrrp.sourceAddress ?? status.source;
  if (source !== null)
    text.line(1, `Using src_ip = ${source}${vrrp.sourceAddress === null ? "" : " (from configuration)"}`);
  if (vrrp.transport.kind === "multicast") text.line(1, `Multicast address ${vrrp.transport.group}`);
}

function announcements(text: DumpText, { vrrp: { garp } }: InstanceRow): void {
  text.field(1, "Gratuitous ARP delay", garp.delay / 1e6);
  text.field(1, "Gratuitous ARP repeat", garp.repeat);
  text.field(1, "Gratuitous ARP refresh", garp.refresh / 1e6);
  text.field(1, "Gratuitous ARP refresh repeat", garp.refreshRepeat);
  text.field(1, "Gratuitous ARP lower priority delay", garp.lowerPrioDelay / 1e6);
  text.field(1, "Gratuitous ARP lower priority repeat", garp.lowerPrioRepeat);
}

function election(text: DumpText, { vrrp, status }: InstanceRow): void {
  text.field(1, "Down timer adverts", vrrp.downTimerAdverts);
  text.field(1, "Send advert after receive lower priority advert", trueFalse(!vrrp.lowerPrioNoAdvert));
  text.field(1, "Send advert after receive higher priority advert", trueFalse(vrrp.higherPrioSendAdvert));
  text.field(1, "Virtual Router ID", vrrp.virtualRouterId);
  text.field(1, "Priority", vrrp.priority);
  text.field(1, "Effective priority", status.priority);
  text.field(1, "Total priority", status.priority);
  const seconds = vrrp.advertInterval / 1e6;
  text.field(1, "Advert interval", vrrp.version === 2 ? `${seconds} sec` : `${Math.round(seconds * 1_000)} milli-sec`);
  text.field(1, "Accept", "enabled");
  text.field(1, "Preempt", onOff(vrrp.preempt));
  if (vrrp.preemptDelay > 0) text.field(1, "Preempt delay", `${vrrp.preemptDelay / 1e6} secs`);
  text.field(1, "Promote_secondaries", "disabled");
}

/** The password itself is keepalived's to print; here it is not in any dump. */
function authentication(text: DumpText, { vrrp }: InstanceRow): void {
  if (vrrp.version !== 2) return;
  text.field(1, "Authentication type", vrrp.authentication.kind === "none" ? "none" : "SIMPLE_PASSWORD");
  if (vrrp.authentication.kind !== "none") text.field(1, "Password", "********");
}

function addresses(text: DumpText, { vrrp, status }: InstanceRow): void {
  if (vrrp.advertised.length > 0) text.line(1, `Virtual IP (${vrrp.advertised.length}):`);
  for (const entry of vrrp.advertised) text.line(2, addressText(entry, vrrp, status.holding));
  if (vrrp.excluded.length > 0) text.line(1, "Virtual IP Excluded :");
  for (const entry of vrrp.excluded) text.line(2, addressText(entry, vrrp, status.holding));
}

function peers(text: DumpText, { vrrp }: InstanceRow): void {
  const { transport } = vrrp;
  if (transport.kind !== "unicast") return;
  text.field(1, "Unicast TTL", transport.ttl);
  text.line(1, `Check unicast src : ${yesNo(transport.checkSource)}`);
  text.line(1, "Unicast Peer :");
  for (const peer of transport.peers) text.line(2, `${peer} min_ttl 0 max_ttl 255`);
  text.field(1, "Unicast checksum compatibility", "no");
}

const weightText = (weight: number, reverse: boolean): string => `weight ${weight}${reverse ? " reverse" : ""}`;

function tracked(text: DumpText, { vrrp }: InstanceRow): void {
  if (vrrp.trackInterfaces.length > 0) text.line(1, "Tracked interfaces :");
  for (const { key, weight, reverse } of vrrp.trackInterfaces) text.line(2, `${key} ${weightText(weight, reverse)}`);
  if (vrrp.trackScripts.length > 0) text.line(1, "Tracked scripts :");
  for (const { key, weight, reverse } of vrrp.trackScripts) text.line(2, `${key} ${weightText(weight, reverse)}`);
}

/** In keepalived's order. */
const HOOKS: readonly (readonly [HookKind, string])[] = [
  ["notify_backup", "Backup state transition script"],
  ["notify_master", "Master state transition script"],
  ["notify_fault", "Fault state transition script"],
  ["notify_stop", "Stop state transition script"],
  ["notify", "Generic state transition script"],
];

function hooks(text: DumpText, input: DumpInput, row: InstanceRow): void {
  text.field(1, "Using smtp notification", "no");
  text.field(1, "Notify deleted", "Fault");
  for (const [kind, name] of HOOKS) {
    const command = row.hooks[kind];
    if (command !== undefined)
      text.field(1, name, `${commandText(command)}, uid:gid ${ownerText(command, input.config)}`);
  }
  text.field(1, "Notify priority changes", "false");
}
