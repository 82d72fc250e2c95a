/**
 * What happens to one virtual router, in the wording of keepalived 2.2.7 (recorded in conformance/log).
 * Where keepalived has no such thing (claim gate, kernel lease) the words are ours and begin like its own: "(NAME) ...".
 * Makes lines only; which of them are printed is decided by their level.
 */
import { unreachable } from "../lib/assert.ts";
import type { Cause, Fault } from "../vrrp/causes.ts";
import type { VrrpReport } from "../vrrp/reports.ts";
import { type DropReason, NOTICE_REASONS } from "../vrrp/status.ts";
import { causeInWords, faultsInWords } from "./explain.ts";
import type { LogLevel, LogLine } from "./log-line.ts";
import type { HoldfastEventBody } from "./vocabulary.ts";

export const vrrpLine = (level: LogLevel, text: string): LogLine => ({ ident: "Keepalived_vrrp", level, text });
const info = (text: string): LogLine => vrrpLine("info", text);
const detail = (text: string): LogLine => vrrpLine("detail", text);
const warning = (text: string): LogLine => vrrpLine("warning", text);

type StateReport = Extract<VrrpReport, { kind: "state" }>;

export function describeReport(instance: string, report: VrrpReport): readonly LogLine[] {
  const name = `(${instance})`;
  switch (report.kind) {
    case "state":
      return stateLines(name, report);
    case "phase":
      return [
        info(`${name} ${report.from} -> ${report.to}: ${causeInWords(report.cause)}`),
        ...resignedLines(name, report),
      ];
    case "priority":
      return [info(`${name} Changing effective priority from ${report.from} to ${report.to}`)];
    case "lower-priority-advert":
      return lowerPriorityLines(name, report);
    case "faults":
      return report.faults.length === 0 ? [] : [detail(`${name} in FAULT: ${faultsInWords(report.faults)}`)];
    case "two-owners":
      return [
        warning(
          `${name} CONFIGURATION ERROR: local instance and ${report.source} are both configured as address owner (priority 255), please fix`,
        ),
      ];
    case "announced":
      return [detail(`${name} holds ${report.addresses.join(", ")}: on the interface and announced`)];
    default:
      return unreachable(report);
  }
}

function lowerPriorityLines(
  name: string,
  report: Extract<VrrpReport, { kind: "lower-priority-advert" }>,
): readonly LogLine[] {
  const { source, priority, ours, state } = report;
  if (state === "MASTER") {
    return [
      info(
        `${name} Received advert from ${source} with lower priority ${priority}, ours ${ours}, forcing new election`,
      ),
    ];
  }
  return [detail(`${name} received lower priority (${priority}) advert from ${source} - discarding`)];
}

function stateLines(name: string, report: StateReport): readonly LogLine[] {
  const { from, to, cause } = report;
  const before = causeLines(name, report);
  switch (to) {
    case "INIT":
      return [];
    case "BACKUP": {
      const initially = from === "INIT" && cause.code === "start" ? " (init)" : "";
      return [...before, info(`${name} Entering BACKUP STATE${initially}`), ...resignedLines(name, report)];
    }
    case "MASTER":
      return [...before, info(`${name} Entering MASTER STATE`)];
    case "FAULT":
      return [...before, ...faultLines(name, report), ...resignedLines(name, report)];
    case "STOP":
      return resignedLines(name, report);
    default:
      return unreachable(to);
  }
}

/** Given up by our own decision: the peers are told. */
function resignedLines(name: string, { resigned }: { readonly resigned?: true }): readonly LogLine[] {
  return resigned === true ? [detail(`${name} sent 0 priority`)] : [];
}

function faultLines(name: string, { from, cause }: StateReport): readonly LogLine[] {
  const link = cause.code === "fault" ? cause.faults.find(isLinkFault) : undefined;
  if (from !== "INIT" || link === undefined) return [info(`${name} Entering FAULT STATE`)];
  const problem =
    link.problem === "down" ? `interface ${link.interface} down` : `interface ${link.interface} does not exist`;
  return [detail(`${name}: entering FAULT state (${problem})`), info(`${name} entering FAULT state`)];
}

const isLinkFault = (fault: Fault): fault is Extract<Fault, { kind: "interface" }> => fault.kind === "interface";

/** What keepalived says before the state itself. */
function causeLines(name: string, { from, cause, priority }: StateReport): readonly LogLine[] {
  switch (cause.code) {
    case "master-down":
    case "preempting":
      return [detail(`${name} Receive advertisement timeout`)];
    case "master-resigned":
      return [
        detail(`${name} Backup received priority 0 advertisement`),
        detail(`${name} Receive advertisement timeout`),
      ];
    case "higher-priority-advert":
      if (from !== "MASTER") return [];
      return [
        info(
          `${name} Master received advert from ${cause.from} with higher priority ${cause.priority}, ours ${priority}`,
        ),
      ];
    case "equal-priority-higher-address":
      if (from !== "MASTER") return [];
      return [
        info(
          `${name} Master received advert from ${cause.from} with same priority ${cause.priority} but higher IP address than ours`,
        ),
      ];
    default:
      return ownCauseLines(name, cause);
  }
}

function ownCauseLines(name: string, cause: Cause): readonly LogLine[] {
  switch (cause.code) {
    case "lease-lost":
    case "fence-closed":
    case "permit-over":
    case "stalled":
    case "address-removed":
    case "object-removed":
    case "claim-refused":
    case "claim-timeout":
      return [warning(`${name} ${causeInWords(cause)}`)];
    case "fault":
      return cause.faults.every(
        (fault) => fault.kind === "script" || fault.kind === "interface" || fault.kind === "sibling",
      )
        ? []
        : [warning(`${name} ${causeInWords(cause)}`)];
    case "reconfigured":
      return [detail(`${name} ${causeInWords(cause)}`)];
    default:
      return [];
  }
}

const DROP_TEXT: Partial<Record<DropReason, string>> = {
  version: "invalid version",
  type: "Invalid packet type",
  checksum: "Invalid VRRPv3 checksum",
  "auth-type": "received a wrong authentication type",
  "address-list": "ip address list of the advert differs from ours",
};

type GroupEvent = Extract<HoldfastEventBody, { kind: "sync-group" }>;

/** keepalived says nothing of a group that stops, or that begins without a check to wait for. */
export function describeGroup({ group, from, to, cause }: GroupEvent): readonly LogLine[] {
  const silent = to === "STOP" || to === "INIT" || (from === "INIT" && to === "BACKUP" && cause.code === "start");
  return silent ? [] : [info(`VRRP_Group(${group}) Syncing instances to ${to} state`)];
}

type DropEvent = Extract<HoldfastEventBody, { kind: "drop" }>;

/** One line for the first packet of its kind since the last change of state; keepalived 2.2.7 prints each. */
export function describeDrop(event: DropEvent): readonly LogLine[] {
  const name = event.instance === null ? "(unknown VRID)" : `(${event.instance})`;
  return [warning(`${name} ${dropText(event)}`)];
}

function dropText({ reason, detail: why, source, numbers }: DropEvent): string {
  if (reason === "ttl" && numbers) return `invalid TTL/HL. Received ${numbers.theirs} and expect ${numbers.ours}`;
  if (reason === "interval" && numbers) {
    return `advertisement interval mismatch mine=${numbers.ours} sec rcv'd=${numbers.theirs} sec`;
  }
  if (reason === "auth-fail") return "received an invalid passwd!";
  const fate = NOTICE_REASONS.has(reason) ? "packet obeyed all the same" : "packet dropped";
  const text = DROP_TEXT[reason] ?? `${fate} (${reason})`;
  return `${text}, from ${source}: ${why}`;
}
