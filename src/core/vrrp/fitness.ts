/**
 * Whether an instance may serve and with which priority: what the trackers add up to ends INIT, leads into FAULT and moves a
 * BACKUP's timer. Where the tracked things come from, and what they weigh, is core/health/trackers.ts.
 */
import { sameValue } from "../lib/same-value.ts";
import type { Instant } from "../lib/units.ts";
import { wantMaster } from "./backup.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEvent } from "./events.ts";
import { masterFails } from "./master.ts";
import type { BackupRole } from "./state.ts";
import { masterDownInterval } from "./timers.ts";
import { BY_OWN_DECISION, type Draft, isOwnFault, transition } from "./transition.ts";

type FitnessEvent = Extract<VrrpEvent, { readonly kind: "fitness" }>;

/** Trackers were evaluated: new priority first, then whether we may go on at all. */
export function fitness(draft: Draft, event: FitnessEvent): void {
  if (draft.state.role.kind === "stopped") return;
  changePriority(draft, event.priority);
  const kept = draft.state.faults.filter((fault) => isOwnFault(fault) || fault.kind === "sibling");
  draft.state = { ...draft.state, waiting: event.waiting, source: event.source };
  weighFaults(draft, [...event.faults, ...kept]);
}

/** What is wrong now decides between serving and FAULT, and ends INIT when nothing is. */
export function weighFaults(draft: Draft, faults: readonly Fault[]): void {
  const before = draft.state.faults;
  const changed = faults.length + before.length > 0 && !sameValue(faults.map(asTold), before.map(asTold));
  draft.state = { ...draft.state, faults };
  const { role, waiting, siblingsWaiting } = draft.state;
  const cause: Cause = { code: "fault", faults };
  if (role.kind === "fault" || (role.kind === "master" && role.phase.kind === "releasing")) {
    if (changed) draft.effects.push({ kind: "report", report: { kind: "faults", faults } });
  }
  if (faults.length > 0) {
    if (role.kind === "master") masterFails(draft, role, cause);
    else if (role.kind !== "fault") transition(draft, { to: "fault" }, cause, BY_OWN_DECISION);
  } else if (role.kind === "init" && !waiting && !siblingsWaiting) {
    begin(draft);
  }
}

/** One more faulty sibling is no news: n members would tell it n times. The state and `explain` have the number. */
const asTold = (fault: Fault): Fault => (fault.kind === "sibling" ? { ...fault, more: 0 } : fault);

/** INIT ends. Only the owner of the addresses claims without listening first, and is never BACKUP (RFC 9568 section 6.4.1). */
function begin(draft: Draft): void {
  const { config } = draft;
  const claims = config.priority === 255 && config.initialState === "MASTER";
  if (claims && config.syncGroup === null && config.claimGate === null) {
    transition(draft, { to: "master", gate: "open" }, { code: "owner-start" }, BY_OWN_DECISION);
    return;
  }
  // Whoever must ask first is BACKUP meanwhile.
  const code = waitsForChecks(config) ? "ready" : "start";
  transition(draft, { to: "backup", wait: "master-down", advert: null }, { code }, BY_OWN_DECISION);
  if (!claims) return;
  const { role } = draft.state;
  if (config.syncGroup === null)
    transition(draft, { to: "master", gate: "ask" }, { code: "owner-start" }, BY_OWN_DECISION);
  else if (role.kind === "backup") wantMaster(draft, role);
}

const waitsForChecks = ({ trackScripts, trackMysql, trackRedis, syncGroup }: VrrpInstanceConfig): boolean =>
  trackScripts.length + trackMysql.length + trackRedis.length > 0 || syncGroup?.waitsForChecks === true;

/** A BACKUP's running timer moves by the difference that the new priority makes to its length. */
function changePriority(draft: Draft, priority: number): void {
  const from = draft.state.priority;
  if (from === priority) return;
  const { role } = draft.state;
  draft.state = { ...draft.state, priority };
  if (role.kind === "init") return;
  if (role.kind === "backup") {
    draft.state = { ...draft.state, role: shiftTimer(draft, role, from) };
  }
  draft.effects.push({ kind: "report", report: { kind: "priority", from, to: priority } });
}

function shiftTimer(draft: Draft, role: BackupRole, from: number): BackupRole {
  const { config, now, state } = draft;
  const interval = role.masterAdvertInterval;
  const shift = masterDownInterval(config, state.priority, interval) - masterDownInterval(config, from, interval);
  return { ...role, masterDownAt: Math.max(now, role.masterDownAt + shift) as Instant };
}
