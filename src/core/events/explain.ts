/**
 * Causes, faults and outcomes in plain sentences, for `status`, `explain` and `history`.
 * Log lines in keepalived's wording are made by describe.ts; these are the words for a person who asks why.
 * Pure text: what is not known is left out, never guessed.
 */

import { troubleInWords, troubleRemedy } from "../database/trouble.ts";
import { unreachable } from "../lib/assert.ts";
import { familyOf, type IpAddress } from "../lib/ip.ts";
import { printable } from "../lib/printable.ts";
import type { Cause, Fault } from "../vrrp/causes.ts";
import { databaseInWords, databaseStepInWords } from "./database-words.ts";
import { routingInWords } from "./describe-routing.ts";
import { firewallInWords, virtualInterfaceInWords } from "./explain-packet-filter.ts";
import { failureInWords, lengthInWords } from "./outcome.ts";
import { isOfAPart, type PartEventBody, partEventInWords } from "./part-events.ts";
import type { HoldfastEventBody, HookKind } from "./vocabulary.ts";

export { failureInWords, hookSucceeded, lengthInWords, outcomeInWords } from "./outcome.ts";

type LinkProblem = Extract<Fault, { kind: "interface" }>["problem"];

const LINK_PROBLEM: Readonly<Record<LinkProblem, string>> = {
  missing: "does not exist",
  down: "is down",
  up: "is up, and it is tracked in reverse",
};
const LINK_REMEDY: Readonly<Record<LinkProblem, string>> = {
  missing: "be created",
  down: "come up",
  up: "go down",
};

/** One reason for FAULT as a clause: "script x fails", "interface eth0 is down". */
export function faultInWords(fault: Fault): string {
  switch (fault.kind) {
    case "script":
      return `script ${fault.key} fails`;
    case "script-unusable":
      return `script ${fault.key} cannot be run: ${fault.reason}`;
    case "file":
      return `tracked file ${fault.key} says ${fault.value}`;
    case "process":
      return fault.count === 1
        ? `1 process ${fault.key} runs, and that is not its quorum`
        : `${fault.count === 0 ? "no" : fault.count} processes ${fault.key} run, and that is not its quorum`;
    case "mysql":
    case "redis":
      return `${fault.kind} ${fault.key}: ${fault.trouble === null ? "it is fine, and it is tracked in reverse" : troubleInWords(fault.trouble)}`;
    case "interface":
      return `interface ${fault.interface} ${LINK_PROBLEM[fault.problem]}`;
    case "no-peer":
      return "no unicast peer is configured (unicast_fault_no_peer)";
    case "no-source-address":
      return noSource(fault);
    case "socket":
      return `no socket on interface ${fault.interface}: ${fault.reason}`;
    case "virtual-interface":
      return `interface ${fault.interface} could not be made: ${fault.reason}`;
    case "address-refused":
      return `the kernel refused address ${fault.address}: ${fault.reason}`;
    case "static-object":
      return `${fault.object} cannot be put back: ${fault.reason}`;
    case "control-silent":
      return "the control process is silent, so no check result can be trusted";
    case "claim-refused":
      return `the claim was refused: ${fault.reason}`;
    case "sibling":
      return `sibling ${fault.instance}${andMore(fault.more)} of sync group ${fault.group} is in FAULT: ${faultsInWords(fault.faults)}`;
    default:
      return unreachable(fault);
  }
}

/** What an operator does about a fault; `retry` says when a refused claim is tried again. */
export function faultRemedy(fault: Fault, retry: string): string {
  switch (fault.kind) {
    case "script":
      return `script ${fault.key} has to succeed again`;
    case "script-unusable":
      return `script ${fault.key} has to be made runnable (${fault.reason})`;
    case "file":
      return `another number has to be written into the file of ${fault.key}`;
    case "process":
      return `${fault.key} has to run as often as its quorum says`;
    case "mysql":
    case "redis":
      return `${fault.kind} ${fault.key}: ${fault.trouble === null ? "it has to fail" : troubleRemedy(fault.trouble)}`;
    case "interface":
      return `interface ${fault.interface} has to ${LINK_REMEDY[fault.problem]}`;
    case "no-peer":
      return "unicast_peer has to name the other hosts";
    case "no-source-address":
      return fault.wanted == null
        ? `interface ${fault.interface} has to get an IPv${fault.family ?? 4} address`
        : `this host has to get the address ${fault.wanted}`;
    case "socket":
      return `the socket on ${fault.interface} has to be opened (${fault.reason})`;
    case "virtual-interface":
      return `the kernel has to make ${fault.interface} (${fault.reason})`;
    case "address-refused":
      return `the kernel has to accept ${fault.address} (${fault.reason})`;
    case "static-object":
      return `the kernel has to accept ${fault.object} (${fault.reason})`;
    case "control-silent":
      return "the control process has to answer again";
    case "claim-refused":
      return isOfHook(fault.reason)
        ? `notify_claim has to end with exit code 0; it is tried again ${retry}`
        : `what stands against it has to change (${fault.reason}); it is tried again ${retry}`;
    case "sibling":
      return `${fault.instance}${andMore(fault.more)} has to recover: ${fault.faults.map((each) => faultRemedy(each, retry)).join("; ")}`;
    default:
      return unreachable(fault);
  }
}

const andMore = (count: number): string => (count === 0 ? "" : ` (and ${count} more)`);

export function faultsInWords(faults: readonly Fault[]): string {
  return faults.map(faultInWords).join("; ");
}

const from = (address: string | null): string => (address === null ? "no master was heard" : `${address} fell silent`);

/** Why a state was entered, as a clause that can follow "because". */
export function causeInWords(cause: Cause): string {
  switch (cause.code) {
    case "start":
      return "the daemon has just started it";
    case "ready":
      return "every tracked check has reported and the election began";
    case "owner-start":
      return "it owns the address (priority 255, state MASTER) and claims at once";
    case "master-down":
      return `${from(cause.lastMaster)} for the whole Master_Down_Interval`;
    case "master-resigned":
      return cause.lastMaster === null
        ? "the master resigned (priority 0)"
        : `the master ${cause.lastMaster} resigned (priority 0)`;
    case "preempting":
      return `its priority is higher than that of the master ${cause.master} (priority ${cause.masterPriority})`;
    case "higher-priority-advert":
      return `${cause.from} announced itself with the higher priority ${cause.priority}`;
    case "equal-priority-higher-address":
      return `${cause.from} has the same priority ${cause.priority} and the higher address`;
    case "fault":
      return faultsInWords(cause.faults);
    case "recovered":
      return "nothing is wrong with it any more";
    case "lease-lost":
      return "the kernel lease ran out before it was renewed, so the addresses were gone";
    case "fence-closed":
      return "the fence of its addresses closed before an advert could keep it open (`fence strict`)";
    case "permit-over":
      return "the quorum store has not confirmed in time that this host may hold the addresses";
    case "stalled":
      return `the process itself stood still for ${lengthInWords(cause.missedMicros / 1_000)}, longer than the peers wait`;
    case "address-removed":
      return `somebody removed the address ${cause.address} from the interface`;
    case "object-removed":
      return `somebody removed the ${cause.what} ${cause.text}`;
    case "claim-refused":
      return `${refuserOf(cause.reason)} refused: ${cause.reason}`;
    case "claim-timeout":
      return "notify_claim did not answer in time";
    case "sibling-left":
      return `its sibling ${cause.instance} of sync group ${cause.group} fell back`;
    case "handed-over":
      return "it was told to hand over to another host";
    case "reconfigured":
      return "the configuration was changed by a reload";
    case "stop":
      return "it was told to stop";
    default:
      return unreachable(cause);
  }
}

/** The hook names itself in its reason, as managed servers, gateways, the probe and the quorum store do. */
const isOfHook = (reason: string): boolean => reason.startsWith("notify_claim");

const refuserOf = (reason: string): string => (isOfHook(reason) ? "notify_claim" : "the claim was");

const HOOK_PURPOSE: Readonly<Record<HookKind, string>> = {
  notify: "after every state change",
  notify_master: "after becoming MASTER",
  notify_backup: "after becoming BACKUP",
  notify_fault: "after FAULT",
  notify_stop: "at the stop",
  notify_claim: "before the address is taken",
  notify_release: "before the address is given up",
  notify_deleted: "after a reload has removed the instance",
  notify_master_rx_lower_pri: "after a MASTER has heard a lower priority",
};

export const hookPurpose = (hook: HookKind): string => HOOK_PURPOSE[hook];

/** How the other host was noticed. */
export const conflictMeans = (address: IpAddress): string =>
  familyOf(address) === 6 ? "neighbour advertisement" : "ARP";

/** What an operator does about an address that somebody else uses. */
export const conflictRemedy = (mac: string): string =>
  `find ${mac} (\`ip neigh\`, the switch's table) and take the address off there; if it is the peer, its adverts do not arrive: look at the firewall and at the dropped packets in \`holdfast explain\``;

/** One line of `history`; null for events that only matter to a log. */
/** Names, errors and answers of other hosts are in it: none begins a line of its own or steers a terminal. */
export const eventInWords = (body: HoldfastEventBody): string => printable(sentenceOf(body));

function sentenceOf(body: HoldfastEventBody): string {
  if (isOfAPart(body)) return partEventInWords(body);
  switch (body.kind) {
    case "vrrp":
      return `${body.instance}: ${reportInWords(body.report)}`;
    case "sync-group":
      return `sync group ${body.group}: ${body.from} -> ${body.to} with ${body.instance}, because ${causeInWords(body.cause)}`;
    case "drop":
      return `${body.instance ?? "no instance"}: packet from ${body.source} dropped (${body.reason}): ${body.detail}`;
    case "addresses":
      return `${body.instance}: ${body.action} ${body.addresses.join(", ")}`;
    case "leftover-removed":
      return `${body.instance}: ${leftoverInWords(body)}`;
    case "routing":
    case "routing-failed":
      return routingInWords(body);
    case "announcement":
      return `${body.instance}: announced ${body.addresses.join(", ")} on ${body.interface}, ${body.frames} frames`;
    case "address-conflict":
      return `${body.instance}: ${body.address} is held here and in use elsewhere: ${conflictMeans(body.address)} from ${body.mac} on ${body.interface}; ${conflictRemedy(body.mac)}`;
    case "link":
      return `interface ${body.interface} is ${body.state}`;
    case "socket":
      return `socket on ${body.interface} ${body.action}${body.detail === "" ? "" : `: ${body.detail}`}`;
    case "virtual-interface":
      return `${body.instance}: ${virtualInterfaceInWords(body)}`;
    case "firewall":
      return firewallInWords(body);
    case "check":
      return checkInWords(body);
    case "tracked-file":
      return `tracked file ${body.file} (${body.path}) says ${body.value}${body.detail === "" ? "" : `: ${body.detail}`}`;
    case "tracked-process":
      return `tracked process ${body.process}: quorum ${body.fulfilled ? "gained" : "lost"}, ${body.count} running`;
    case "process-watch":
      return `processes are looked for in /proc every ${lengthInWords(body.everyMillis)}: ${body.detail}`;
    case "mysql":
    case "redis":
      return databaseInWords(body);
    case "mysql-step":
    case "redis-step":
      return `${body.instance}: ${databaseStepInWords(body)}`;
    case "hook-started":
      return `${body.instance}: ${body.hook} started: ${body.command}`;
    case "hook-ended":
      return `${body.instance}: ${body.hook} ended after ${lengthInWords(body.durationMillis)}: ${failureInWords(body.outcome, body.lastError)}`;
    default:
      return daemonEventInWords(body);
  }
}

function noSource({
  interface: link,
  family = 4,
  wanted = null,
}: Extract<Fault, { kind: "no-source-address" }>): string {
  if (wanted !== null) return `the source address ${wanted} is not on this host, or not usable yet`;
  return family === 4
    ? `interface ${link} has no IPv4 address to send from`
    : `interface ${link} has no link-local IPv6 address that is usable yet to send from`;
}

type OfDaemon = Exclude<
  Exclude<HoldfastEventBody, PartEventBody>,
  {
    kind:
      | "vrrp"
      | "sync-group"
      | "drop"
      | "addresses"
      | "leftover-removed"
      | "routing"
      | "routing-failed"
      | "announcement"
      | "address-conflict"
      | "link"
      | "socket"
      | "virtual-interface"
      | "firewall"
      | "check"
      | "tracked-file"
      | "tracked-process"
      | "process-watch"
      | "mysql"
      | "mysql-step"
      | "redis"
      | "redis-step"
      | "hook-started"
      | "hook-ended";
  }
>;

function daemonEventInWords(body: OfDaemon): string {
  switch (body.kind) {
    case "daemon-started":
      return `holdfast ${body.version} started, pid ${body.pid}, file ${body.file}`;
    case "startup-delay":
      return body.over
        ? `the delay of ${lengthInWords(body.delayMillis)} is over: VRRP begins`
        : `VRRP begins in ${lengthInWords(body.delayMillis)} (vrrp_startup_delay, vrrp_delay_after_boot)`;
    case "keeper-started":
      return `keeper started, pid ${body.pid}${body.restart === 0 ? "" : `, restart ${body.restart}`}`;
    case "keeper-adopted":
      return `keeper ${body.pid} went on serving and is taken over`;
    case "restarting":
      return `control begins anew as ${body.version}; the addresses stay where they are`;
    case "keeper-lost":
      return `keeper ${body.pid} is gone: ${body.how}`;
    case "keeper-frozen":
      return `keeper ${body.pid} has not answered for ${lengthInWords(body.silentMillis)}`;
    case "guard-released":
      return body.addresses.length === 0
        ? "control spoke for the dead keeper, which held nothing"
        : `control spoke for the dead keeper: released ${body.addresses.join(", ")} of ${body.instances.join(", ")}`;
    case "control-silent":
      return `control has been silent for ${lengthInWords(body.silentMillis)}: everything is released`;
    case "control-back":
      return "control answers again";
    case "reload-begun":
      return "a reload begins: the configuration is read again";
    case "reload":
      return `reload ${body.outcome}${body.detail === "" ? "" : `: ${body.detail}`}`;
    case "journal-unwritable":
      return `the journal cannot be written: ${body.detail}`;
    case "stopping":
      return `stopping (${body.signal})`;
    case "stopped":
      return "stopped";
    default:
      return unreachable(body);
  }
}

function checkInWords(body: Extract<HoldfastEventBody, { kind: "check" }>): string {
  if (body.standing === "ok") return `script ${body.script} succeeds (${lengthInWords(body.durationMillis)})`;
  const verb = body.standing === "failed" ? "fails" : "cannot be run";
  return `script ${body.script} ${verb}: ${failureInWords(body.outcome, body.lastError)}`;
}

function reportInWords(report: Extract<HoldfastEventBody, { kind: "vrrp" }>["report"]): string {
  switch (report.kind) {
    case "state":
      return `${report.from} -> ${report.to}, because ${causeInWords(report.cause)}`;
    case "phase":
      return `${report.from} -> ${report.to}, because ${causeInWords(report.cause)}`;
    case "priority":
      return `priority ${report.from} -> ${report.to}`;
    case "lower-priority-advert":
      return `${report.source} announces the lower priority ${report.priority} while this node is ${report.state}`;
    case "faults":
      return report.faults.length === 0 ? "no fault is left" : faultsInWords(report.faults);
    case "two-owners":
      return `${report.source} also has priority 255, which the owner of the address alone may have: give one of the two hosts another priority`;
    case "announced":
      return `holds ${report.addresses.join(", ")}: on the interface and announced`;
    default:
      return unreachable(report);
  }
}

/** One sentence for log and history. */
export function leftoverInWords(body: Extract<HoldfastEventBody, { kind: "leftover-removed" }>): string {
  const found = `found ${body.address} left over on ${body.interface} and removed it`;
  return body.again ? `${found} again: another program on this host sets it, is keepalived still running?` : found;
}
