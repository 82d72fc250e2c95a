/**
 * Why an instance is in its state: a chain of causes in sentences, and what would have to happen for it to become MASTER.
 * Pure: takes the status, the configuration and recent events, returns words. Never says more than is known.
 */
import {
  causeInWords,
  eventInWords,
  failureInWords,
  faultInWords,
  hookSucceeded,
  lengthInWords,
} from "../core/events/explain.ts";
import type { Cause, Fault } from "../core/vrrp/causes.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import { DROP_REASONS, type DropReason, NOTICE_REASONS } from "../core/vrrp/status.ts";
import type { CheckView, EventEntry, ExplainLine, Explanation, InstanceView, StatusReply } from "./contract/types.ts";
import { databaseRemarks } from "./explain-databases.ts";
import type { ExplainInput } from "./explain-input.ts";
import { mysqlLines } from "./mysql-view.ts";
import { outlookOf } from "./outlook.ts";
import { priorityLines } from "./priority-reasons.ts";
import { quorumLines } from "./quorum-view.ts";
import { redisLines } from "./redis-view.ts";
import { unwillingSiblings } from "./siblings.ts";

const EARLIER_STEPS = 3;

export function explainInstance(input: ExplainInput): Explanation {
  const { view } = input;
  return {
    instance: view.name,
    state: view.phase,
    headline: headline(input),
    because: [...because(input), ...earlier(input)],
    outlook: outlookOf(input),
    notes: notes(input),
  };
}

function headline({ view, clockText }: ExplainInput): string {
  const when = `since ${clockText(view.since)} (${lengthInWords(view.forMillis)})`;
  return `${view.name} is ${inState(view)} ${when}${holds(view)}, because ${causeInWords(shownCause(view))}.`;
}

/** In FAULT the present faults count: they may have changed since it was entered. */
function shownCause(view: InstanceView): Cause {
  return view.state === "FAULT" && view.faults.length > 0 ? { code: "fault", faults: view.faults } : view.cause;
}

const PHASES: Readonly<Record<InstanceView["phase"], string>> = {
  INIT: "in INIT (it waits for its checks)",
  BACKUP: "BACKUP",
  MASTER: "MASTER",
  FAULT: "in FAULT",
  STOP: "stopped",
  PREPARING: "BACKUP and PREPARING (notify_claim runs while a live master is heard)",
  CLAIMING: "CLAIMING (it announces itself, its claim gate has not answered yet)",
  RELEASING: "RELEASING (notify_release runs before the address goes)",
};

const inState = (view: InstanceView): string => PHASES[view.phase];

function holds(view: InstanceView): string {
  if (view.addresses.length === 0) return "";
  const list = view.addresses.join(", ");
  if (view.holding) return ` and holds ${list}`;
  return view.phase === "MASTER" ? ` but does not hold ${list} yet` : "";
}

function because(input: ExplainInput): ExplainLine[] {
  const { view } = input;
  const lines: ExplainLine[] = splitBrainLines(view);
  lines.push(...view.faults.flatMap((fault) => faultLines(input, fault)));
  lines.push(...priorityLines(input), ...siblingLines(input), ...quorumLines(input.status.quorum, view.name));
  lines.push(...databaseRemarks(input));
  if (view.fenceRemainingMillis !== null) {
    const left = lengthInWords(view.fenceRemainingMillis);
    lines.push({
      depth: 1,
      text: `nftables closes its addresses in ${left} unless the next advert moves that on (fence strict)`,
    });
  }
  const serves = whoServes(input);
  if (serves !== null) lines.push({ depth: 1, text: serves });
  return lines;
}

function splitBrainLines({ splitBrain }: InstanceView): ExplainLine[] {
  if (splitBrain === null) return [];
  const { signs, detail } = splitBrain;
  return [`SPLIT BRAIN, another host is master, too: ${detail}`, ...signs].map((text, at) => ({
    depth: at === 0 ? 1 : 2,
    text,
  }));
}

/** The members of a sync group become MASTER together. */
function siblingLines({ view, status }: ExplainInput): ExplainLine[] {
  const siblings = unwillingSiblings(view, status.instances);
  if (siblings === null) return [];
  const text = `its own timer has run out, but ${siblings} of sync group ${view.syncGroup} cannot or need not become MASTER yet`;
  return [{ depth: 1, text }];
}

/** Whom clients reach now, if not us. */
function whoServes(input: ExplainInput): string | null {
  const { view } = input;
  const { master } = view;
  if (view.state === "MASTER") return null;
  if (master === null) return nobodyServes(input);
  const heard = `with priority ${master.priority}, last heard ${lengthInWords(master.heardMillisAgo)} ago`;
  if (view.state === "BACKUP") return `the master is ${master.source} ${heard}${heldSince(input, master.source)}`;
  return `meanwhile ${master.source} is the master, ${heard}`;
}

/** Said only where an advert would have been heard: with a sound interface, and after the time a master has to speak. */
function nobodyServes({ view, status }: ExplainInput): string | null {
  if (status.stale || view.state !== "FAULT" || view.addresses.length === 0 || !view.faults.every(canHear)) return null;
  if (view.forMillis < view.masterDownMillis) return null;
  return `no other master is heard: as far as this host can tell, nobody holds ${view.addresses.join(", ")}`;
}

const DEAF: ReadonlySet<Fault["kind"]> = new Set([
  "interface",
  "no-source-address",
  "socket",
  "virtual-interface",
  "control-silent",
]);
const canHear = (fault: Fault): boolean => !DEAF.has(fault.kind);

function heldSince({ events, view, clockText }: ExplainInput, source: string): string {
  const seen = events.find((entry) => {
    const report = reportOf(entry, view.name);
    return (
      report !== null && "cause" in report && addressIn(report.cause) === source && entry.time >= view.since - 1_000
    );
  });
  return seen === undefined ? "" : `; it was first heard as the better one at ${clockText(seen.time)}`;
}

function addressIn(cause: Cause): string | null {
  return "from" in cause ? cause.from : null;
}

function serverLines(input: ExplainInput, fault: Fault): ExplainLine[] | null {
  if (fault.kind === "mysql") return mysqlLines(input, fault.key);
  return fault.kind === "redis" ? redisLines(input, fault.key) : null;
}

function faultLines(input: ExplainInput, fault: Fault): ExplainLine[] {
  const server = serverLines(input, fault);
  if (server !== null) return server;
  const check = fault.kind === "script" ? input.status.checks.find((one) => one.key === fault.key) : undefined;
  if (check === undefined) return input.view.faults.length > 1 ? [{ depth: 1, text: faultInWords(fault) }] : [];
  const lines: ExplainLine[] = [
    {
      depth: 1,
      text: `script ${check.key} fails${sinceText(input, check)}: ${failureInWords(check.outcome, check.lastError)}`,
    },
  ];
  const schedule = scheduleText(input, check);
  if (schedule !== "") lines.push({ depth: 2, text: schedule });
  if (check.command !== null) lines.push({ depth: 2, text: `it is: ${check.command}` });
  return lines;
}

function sinceText({ status, clockText }: ExplainInput, check: CheckView): string {
  if (check.since === null) return "";
  return ` since ${clockText(check.since)} (${lengthInWords(status.now - check.since)})`;
}

function scheduleText({ status }: ExplainInput, check: CheckView): string {
  if (check.intervalMillis === null) return "";
  const every = `it runs every ${lengthInWords(check.intervalMillis)}`;
  return check.nextRunAt === null ? every : `${every}, next in ${lengthInWords(check.nextRunAt - status.now)}`;
}

/** What it was before, and why: the states before the present one and deaths of the keeper, newest first. */
function earlier({ view, events, clockText }: ExplainInput): ExplainLine[] {
  const steps = events.flatMap((entry) => {
    const text = stepInWords(entry, view.name, clockText(entry.time));
    return text === null ? [] : [{ text, isState: entry.body.kind === "vrrp" }];
  });
  // The last change of state is the present one; the chain goes on with what came before it.
  const present = steps.findLastIndex((step) => step.isState);
  return steps
    .slice(0, Math.max(0, present))
    .slice(-EARLIER_STEPS)
    .reverse()
    .map(({ text }) => ({ depth: 1, text: `before that, ${text}` }));
}

function stepInWords({ body }: EventEntry, instance: string, at: string): string | null {
  if (body.kind === "vrrp" && body.instance === instance && body.report.kind === "state") {
    return `${body.report.to} from ${at}, because ${causeInWords(body.report.cause)}`;
  }
  const ended = body.kind === "keeper-lost" || body.kind === "keeper-frozen" || body.kind === "control-silent";
  return ended ? `at ${at}: ${eventInWords(body)}` : null;
}

function reportOf(entry: EventEntry, instance: string): VrrpReport | null {
  return entry.body.kind === "vrrp" && entry.body.instance === instance ? entry.body.report : null;
}

/** What others said while we took no part is no trouble. */
function packetNotes({ counters }: InstanceView): string[] {
  const counted = DROP_REASONS.filter((reason) => reason !== "not-running" && counters.drops[reason] !== undefined);
  const told = (reasons: readonly DropReason[]) => reasons.map((it) => `${counters.drops[it]} ${it}`).join(", ");
  const dropped = counted.filter((reason) => !NOTICE_REASONS.has(reason));
  const obeyed = counted.filter((reason) => NOTICE_REASONS.has(reason));
  return [
    ...(dropped.length > 0 ? [`Packets dropped: ${told(dropped)}.`] : []),
    ...(obeyed.length > 0 ? [`Adverts that differ from ours and are obeyed all the same: ${told(obeyed)}.`] : []),
  ];
}

function notes({ view, status, clockText }: ExplainInput): string[] {
  const lines: string[] = [];
  if (status.stale) lines.push("The keeper did not answer: this is its last known state.");
  if (status.keeper.state !== "running") lines.push(`The keeper process is ${status.keeper.state}${detail(status)}.`);
  for (const hook of view.hooks) {
    if (hook.outcome === null || hookSucceeded(hook.outcome)) continue;
    const when = clockText(hook.endedAt ?? hook.startedAt);
    lines.push(`${hook.hook} failed at ${when}: ${failureInWords(hook.outcome, hook.lastError)}.`);
  }
  lines.push(...packetNotes(view));
  const { addressConflicts, sendErrors: unsent } = view.counters;
  if (addressConflicts > 0) {
    const used = addressConflicts === 1 ? "1 ARP packet" : `${addressConflicts} ARP packets`;
    const where = "`holdfast history --kind address-conflict` says where and what to do";
    lines.push(`Another host used an address while it was held here (${used}): ${where}.`);
  }
  if (unsent > 0) lines.push(`${unsent} ${unsent === 1 ? "advert" : "adverts"} could not be sent.`);
  return lines;
}

function detail(status: StatusReply): string {
  return status.keeper.detail === null ? "" : ` (${status.keeper.detail})`;
}
