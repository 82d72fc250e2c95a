/**
 * Puts events into words, once, for log, journal, history and simulator alike: `lines` in the wording of keepalived
 * 2.2.7 (recorded in conformance/log, explained in docs/log.md), `sentence` in plain English.
 * Nobody else makes sentences of events. Pure: timestamps are log-line.ts, destinations are control's log writer.
 */

import { unreachable } from "../lib/assert.ts";
import { familyOf, type IpAddress } from "../lib/ip.ts";
import { printable } from "../lib/printable.ts";
import { databaseStepInWords } from "./database-words.ts";
import { describeHost } from "./describe-host.ts";
import { describeIpvs } from "./describe-ipvs.ts";
import { describeLvs } from "./describe-lvs.ts";
import { describePacketEvent } from "./describe-packets.ts";
import { describePeerEvent } from "./describe-peers.ts";
import { describeQuorumEvent } from "./describe-quorum.ts";
import { routingFailedLine, routingLines } from "./describe-routing.ts";
import { describeSplitBrainEvent } from "./describe-split-brain.ts";
import { describeDrop, describeGroup, describeReport, vrrpLine } from "./describe-vrrp.ts";
import {
  conflictMeans,
  conflictRemedy,
  eventInWords,
  failureInWords,
  hookSucceeded,
  leftoverInWords,
} from "./explain.ts";
import { firewallInWords, virtualInterfaceInWords } from "./explain-packet-filter.ts";
import { isHostEvent } from "./host-events.ts";
import { isIpvsEvent } from "./ipvs-events.ts";
import type { Description, LogLevel, LogLine } from "./log-line.ts";
import { isLvsEvent } from "./lvs-events.ts";
import { isPacketEvent } from "./packet-events.ts";
import type { PartEventBody } from "./part-events.ts";
import { isPeerEvent, type PeerEventBody } from "./peer-events.ts";
import { isQuorumEvent, type QuorumEventBody } from "./quorum-events.ts";
import { isSplitBrainEvent, type SplitBrainEventBody } from "./split-brain-events.ts";
import type { CheckOutcome, HoldfastEvent, HoldfastEventBody } from "./vocabulary.ts";

/** The keepalived whose wording this is: programs that read the log look for its name and version. */
export const WORDING = "v2.2.7";

export function describe(event: HoldfastEvent): Description {
  const lines = linesOf(event.body).map((line) => ({ ...line, text: printable(line.text) }));
  return { lines, sentence: eventInWords(event.body) };
}

const parent = (level: LogLevel, text: string): LogLine => ({ ident: "Keepalived", level, text });

type PairEventBody = PeerEventBody | QuorumEventBody | SplitBrainEventBody;

/** About more than one host. */
const isPairEvent = (body: HoldfastEventBody): body is PairEventBody =>
  isPeerEvent(body) || isQuorumEvent(body) || isSplitBrainEvent(body);

function linesOfPair(body: PairEventBody): readonly LogLine[] {
  if (isPeerEvent(body)) return describePeerEvent(body);
  return isSplitBrainEvent(body) ? describeSplitBrainEvent(body) : describeQuorumEvent(body);
}

function linesOf(body: HoldfastEventBody): readonly LogLine[] {
  if (isHostEvent(body)) return describeHost(body);
  if (isIpvsEvent(body)) return describeIpvs(body);
  if (isPacketEvent(body)) return describePacketEvent(body);
  if (isLvsEvent(body)) return describeLvs(body);
  if (isPairEvent(body)) return linesOfPair(body);
  switch (body.kind) {
    case "vrrp":
      return describeReport(body.instance, body.report);
    case "sync-group":
      return describeGroup(body);
    case "drop":
      return describeDrop(body);
    case "check":
      return checkLines(body);
    case "tracked-file":
      return [
        vrrpLine(
          "info",
          `Track file ${body.file} now says ${body.value}${body.detail === "" ? "" : `: ${body.detail}`}`,
        ),
      ];
    case "tracked-process":
      return [vrrpLine("info", `Quorum ${body.fulfilled ? "gained" : "lost"} for tracked process ${body.process}`)];
    case "process-watch":
      return [vrrpLine("warning", eventInWords(body))];
    case "mysql":
    case "redis":
      return databaseLines(body);
    case "mysql-step":
    case "redis-step":
      return databaseStepLines(body);
    case "addresses":
      return addressLines(body);
    case "leftover-removed":
      return [vrrpLine("warning", `(${body.instance}) ${leftoverInWords(body)}`)];
    case "routing":
      return routingLines(body);
    case "routing-failed":
      return [routingFailedLine(body)];
    case "announcement":
      return announcementLines(body);
    case "address-conflict":
      return [vrrpLine("warning", conflictText(body))];
    case "link":
      return [vrrpLine("info", linkText(body))];
    case "socket":
      return [vrrpLine(body.action === "failed" ? "error" : "detail", socketText(body))];
    case "virtual-interface":
      return [virtualInterfaceLine(body)];
    case "firewall":
      return [vrrpLine(body.action === "swept" ? "info" : "error", firewallInWords(body))];
    case "hook-started":
      return [vrrpLine("detail", `(${body.instance}) ${body.hook}: running ${body.command}`)];
    case "hook-ended":
      return hookLines(body);
    default:
      return daemonLines(body);
  }
}

/** One line for the advertised ones, one for the others, whatever their number. */
function addressLines(body: Extract<HoldfastEventBody, { kind: "addresses" }>): readonly LogLine[] {
  const { instance, action, addresses, excluded = [] } = body;
  const doing = `(${instance}) ${action === "added" ? "setting" : "removing"}`;
  const lines = addresses.length > excluded.length ? [vrrpLine("detail", `${doing} VIPs.`)] : [];
  return excluded.length > 0 ? [...lines, vrrpLine("detail", `${doing} E-VIPs.`)] : lines;
}

/** keepalived's words. */
const ANNOUNCEMENTS = {
  4: { many: "gratuitous ARPs", one: "gratuitous ARP" },
  6: { many: "Unsolicited Neighbour Adverts", one: "unsolicited Neighbour Advert" },
} as const;

function announcementLines(body: Extract<HoldfastEventBody, { kind: "announcement" }>): readonly LogLine[] {
  const { instance, interface: device, addresses, frames } = body;
  const each = addresses.length === 0 ? 0 : Math.round(frames / addresses.length);
  const sending = (address: IpAddress): LogLine =>
    vrrpLine("detail", `Sending ${ANNOUNCEMENTS[familyOf(address)].one} on ${device} for ${address}`);
  const queueing = (address: IpAddress): LogLine =>
    vrrpLine(
      "detail",
      `(${instance}) Sending/queueing ${ANNOUNCEMENTS[familyOf(address)].many} on ${device} for ${address}`,
    );
  // The first frame of each address follows its announcement, then the rounds of all.
  const lines = addresses.flatMap((address) =>
    each === 0 ? [queueing(address)] : [queueing(address), sending(address)],
  );
  for (let round = 1; round < each; round++) lines.push(...addresses.map(sending));
  return lines;
}

/** The remedy is in the line: whoever is called at night reads the log first. */
function conflictText(body: Extract<HoldfastEventBody, { kind: "address-conflict" }>): string {
  const { instance, interface: device, address, mac } = body;
  return `(${instance}) ${address} is in use elsewhere: ${conflictMeans(address)} from ${mac} on ${device}; ${conflictRemedy(mac)}`;
}

function linkText({ interface: device, state }: Extract<HoldfastEventBody, { kind: "link" }>): string {
  switch (state) {
    case "up":
    case "down":
      return `Netlink reports ${device} ${state}`;
    case "gone":
      return `Interface ${device} deleted`;
    case "new":
      return `Interface ${device} added`;
    default:
      return unreachable(state);
  }
}

/** keepalived has the colon where it makes one, and none where it removes one. */
function virtualInterfaceLine(body: Extract<HoldfastEventBody, { kind: "virtual-interface" }>): LogLine {
  const name = body.action === "removed" ? `(${body.instance})` : `(${body.instance}):`;
  return vrrpLine(body.action === "failed" ? "error" : "info", `${name} ${virtualInterfaceInWords(body)}`);
}

function socketText({ interface: device, action, detail }: Extract<HoldfastEventBody, { kind: "socket" }>): string {
  return `VRRP socket on ${device} ${action}${detail === "" ? "" : `: ${detail}`}`;
}

type CheckEvent = Extract<HoldfastEventBody, { kind: "check" }>;

function checkLines(body: CheckEvent): readonly LogLine[] {
  const name = `VRRP_Script(${body.script})`;
  if (body.standing === "unusable") {
    const why = failureInWords(body.outcome, body.lastError);
    return [vrrpLine("error", `${name} cannot be run: ${why}`)];
  }
  if (body.standing === "ok" && body.changed) return [vrrpLine("info", `${name} succeeded`)];
  if (body.changed) return [vrrpLine("info", `${name} ${failedText(body.outcome)}`), ...said(body)];
  return [...returning(body), ...said(body)];
}

/**
 * A new way to fail that changes nothing yet (fall is more than 1). keepalived says it before "failed" as well, where it
 * adds nothing: that line names the exit code.
 */
function returning({ script, outcome }: CheckEvent): readonly LogLine[] {
  if (outcome?.kind !== "exit") return [];
  return [vrrpLine("info", `Script \`${script}\` now returning ${outcome.code}`)];
}

/** keepalived throws the output of a script away; the last line of standard error usually names the reason. */
function said({ script, lastError }: CheckEvent): readonly LogLine[] {
  return lastError === null || lastError === "" ? [] : [vrrpLine("info", `Script \`${script}\` said: ${lastError}`)];
}

/** signal(7) on x86 and ARM: those a script usually dies of. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

function failedText(outcome: CheckOutcome | null): string {
  switch (outcome?.kind) {
    case undefined:
      return "failed";
    case "exit":
      return `failed (exited with status ${outcome.code})`;
    case "signal":
      return `failed (due to signal ${SIGNALS[outcome.signal] ?? outcome.signal})`;
    case "timeout":
      return "timed_out";
    case "spawn-failed":
      return `failed (could not be started: ${outcome.reason})`;
    default:
      return unreachable(outcome);
  }
}

const databaseLines = (body: Extract<HoldfastEventBody, { kind: "mysql" | "redis" }>): readonly LogLine[] => [
  vrrpLine(body.standing === "ok" ? "info" : "warning", eventInWords(body)),
];

function databaseStepLines(
  body: Extract<HoldfastEventBody, { kind: "mysql-step" | "redis-step" }>,
): readonly LogLine[] {
  if (body.outcome === "begun") return [];
  const good = body.outcome === "done" || body.outcome === "ready";
  return [vrrpLine(good ? "info" : "warning", `(${body.instance}) ${databaseStepInWords(body)}`)];
}

function hookLines(body: Extract<HoldfastEventBody, { kind: "hook-ended" }>): readonly LogLine[] {
  const text = `(${body.instance}) ${body.hook} ended: ${failureInWords(body.outcome, body.lastError)}`;
  return [vrrpLine(hookSucceeded(body.outcome) ? "detail" : "warning", text)];
}

type DaemonEvent = Exclude<
  Exclude<HoldfastEventBody, PartEventBody>,
  {
    kind:
      | "vrrp"
      | "sync-group"
      | "drop"
      | "check"
      | "tracked-file"
      | "tracked-process"
      | "process-watch"
      | "mysql"
      | "mysql-step"
      | "redis"
      | "redis-step"
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
      | "hook-started"
      | "hook-ended";
  }
>;

function daemonLines(body: DaemonEvent): readonly LogLine[] {
  switch (body.kind) {
    case "daemon-started":
      return [
        parent("info", `Starting Keepalived ${WORDING} (Holdfast ${body.version})`),
        parent("info", `Configuration file ${body.file}`),
      ];
    case "startup-delay":
      return [vrrpLine("info", startupDelayText(body))];
    case "reload-begun":
      return [parent("info", "Reloading ...")];
    case "reload":
      return reloadLines(body);
    case "restarting":
      return [parent("info", eventInWords(body))];
    case "stopping":
      return [parent("info", "Stopping")];
    case "stopped":
      return [vrrpLine("info", "Stopped"), parent("info", `Stopped Keepalived ${WORDING} (Holdfast)`)];
    case "journal-unwritable":
      return [parent("error", `the journal cannot be written: ${body.detail}`)];
    default:
      return keeperLines(body);
  }
}

/** keepalived says the first and not the second. */
function startupDelayText({ delayMillis, over }: Extract<DaemonEvent, { kind: "startup-delay" }>): string {
  const seconds = delayMillis / 1_000;
  return over ? `The delay of ${seconds} seconds is over: VRRP begins` : `Delaying startup for ${seconds} seconds`;
}

function reloadLines({ outcome, detail }: Extract<DaemonEvent, { kind: "reload" }>): readonly LogLine[] {
  const reason = detail === "" ? "" : `: ${detail}`;
  switch (outcome) {
    case "applied":
      return [parent("info", "Reload complete")];
    case "unchanged":
      return [parent("info", "Reload complete"), parent("detail", detail === "" ? "nothing has changed" : detail)];
    case "refused":
      return [parent("error", `Reload refused, the running configuration stays${reason}`)];
    default:
      return unreachable(outcome);
  }
}

type KeeperEvent = Exclude<
  DaemonEvent,
  {
    kind:
      | "daemon-started"
      | "startup-delay"
      | "reload-begun"
      | "reload"
      | "restarting"
      | "stopping"
      | "stopped"
      | "journal-unwritable";
  }
>;

function keeperLines(body: KeeperEvent): readonly LogLine[] {
  switch (body.kind) {
    case "keeper-started":
      return [parent("info", `Starting VRRP child process, pid=${body.pid}`)];
    case "keeper-adopted":
      return [parent("info", eventInWords(body))];
    case "keeper-lost":
      return [
        parent("info", `pid ${body.pid} exited: ${body.how}`),
        parent("error", `VRRP child process(${body.pid}) died: Respawning`),
      ];
    case "keeper-frozen":
    case "control-silent":
    case "guard-released":
      return [parent("error", eventInWords(body))];
    case "control-back":
      return [parent("info", eventInWords(body))];
    default:
      return unreachable(body);
  }
}
