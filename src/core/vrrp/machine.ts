/**
 * The virtual router: (config, state, event, now) -> (state, effects). Sorts events to the role they concern and
 * decides about fitness; backup.ts and master.ts know the roles, transition.ts the way between them.
 *
 * What the engine owes: a `fitness` event after `start` and whenever trackers change (INIT ends with the first one that does not
 * wait); received adverts before deadlines, when both are pending; `deadline` at nextDeadline(), late or not; the effects carried
 * out in their order.
 */
import { sameValue } from "../lib/same-value.ts";
import type { Instant } from "../lib/units.ts";
import { backupDeadline, backupHears, failClaim, preparingOpened } from "./backup.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { forgetOwnFaults, recoverIfFit } from "./fault.ts";
import {
  addressLost,
  claimOpened,
  giveUpIfLost,
  leaseLost,
  masterDeadline,
  masterFails,
  masterHears,
  masterStops,
  releaseDone,
  routineAdvert,
} from "./master.ts";
import type { BackupRole, VrrpState } from "./state.ts";
import { masterDownInterval } from "./timers.ts";
import { BY_OWN_DECISION, type Draft, GATE_SETTLED, isOwnFault, transition } from "./transition.ts";

export { reconfigure } from "./reconfigure.ts";
export { isHolding, nextDeadline, phaseName, stateName } from "./view.ts";

export interface Step {
  readonly state: VrrpState;
  readonly effects: readonly VrrpEffect[];
}

type FitnessEvent = Extract<VrrpEvent, { readonly kind: "fitness" }>;

export function initialState(config: VrrpInstanceConfig, now: Instant): VrrpState {
  return {
    role: { kind: "init" },
    faults: [],
    waiting: true,
    priority: config.priority,
    source: config.sourceAddress,
    gateSerial: 0,
    cause: { code: "start" },
    since: now,
  };
}

export function step(config: VrrpInstanceConfig, state: VrrpState, event: VrrpEvent, now: Instant): Step {
  if (event.kind === "deadline" && state.role.kind === "master") {
    const routine = routineAdvert(config, state, state.role, now);
    if (routine !== null) return routine;
  }
  const draft: Draft = { config, now, state, effects: [] };
  giveUpIfLost(draft);
  apply(draft, event);
  recoverIfFit(draft);
  return { state: draft.state, effects: draft.effects };
}

function apply(draft: Draft, event: VrrpEvent): void {
  switch (event.kind) {
    case "start":
      return;
    case "deadline":
      deadline(draft);
      return;
    case "advert": {
      const { role } = draft.state;
      if (role.kind === "backup") backupHears(draft, role, event.advert);
      else if (role.kind === "master") masterHears(draft, role, event.advert);
      return;
    }
    case "fitness":
      fitness(draft, event);
      return;
    case "check-succeeded":
      forgetOwnFaults(draft, "claim-refused");
      return;
    case "gate-opened":
      gateOpened(draft, event.gate);
      return;
    case "gate-refused":
      gateRefused(draft, event.gate, event.reason);
      return;
    case "lease-lost": {
      const { role } = draft.state;
      if (role.kind === "master") leaseLost(draft, role);
      return;
    }
    case "address-removed": {
      const { role } = draft.state;
      if (role.kind === "master") addressLost(draft, role, { code: "address-removed", address: event.address });
      return;
    }
    case "address-refused":
      addressRefused(draft, { kind: "address-refused", address: event.address, reason: event.reason });
      return;
    case "stop":
      stop(draft, event.skipGates);
      return;
  }
}

function deadline(draft: Draft): void {
  const { role } = draft.state;
  if (role.kind === "backup") {
    backupDeadline(draft, role);
    return;
  }
  if (role.kind === "master") {
    masterDeadline(draft, role);
    return;
  }
  if (role.kind === "fault" && role.retryAt !== null && draft.now >= role.retryAt) {
    draft.state = { ...draft.state, role: { ...role, retryAt: null } };
    forgetOwnFaults(draft, "all");
  }
}

/** Trackers were evaluated: new priority first, then whether we may go on at all. */
function fitness(draft: Draft, event: FitnessEvent): void {
  if (draft.state.role.kind === "stopped") return;
  changePriority(draft, event.priority);
  const faults = [...event.faults, ...draft.state.faults.filter(isOwnFault)];
  const changed = !sameValue(faults, draft.state.faults);
  draft.state = { ...draft.state, waiting: event.waiting, source: event.source, faults };
  const { role } = draft.state;
  const cause: Cause = { code: "fault", faults };
  if (role.kind === "fault" || (role.kind === "master" && role.phase.kind === "releasing")) {
    if (changed) draft.effects.push({ kind: "report", report: { kind: "faults", faults } });
  }
  if (faults.length > 0) {
    if (role.kind === "master") masterFails(draft, role, cause);
    else if (role.kind !== "fault") transition(draft, { to: "fault" }, cause, BY_OWN_DECISION);
  } else if (role.kind === "init" && !event.waiting) {
    begin(draft);
  }
}

/** INIT ends. Only the owner of the addresses claims without listening first (RFC 9568 section 6.4.1). */
function begin(draft: Draft): void {
  const { config } = draft;
  transition(draft, { to: "backup", wait: "master-down", advert: null }, { code: "ready" }, BY_OWN_DECISION);
  if (config.priority !== 255 || config.initialState !== "MASTER") return;
  const gate = config.claimGate === null ? "open" : "ask";
  transition(draft, { to: "master", gate }, { code: "owner-start" }, BY_OWN_DECISION);
}

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

function gateOpened(draft: Draft, gate: number): void {
  const { role } = draft.state;
  if (role.kind === "backup" && role.preparing?.gate === gate) preparingOpened(draft, role);
  if (role.kind !== "master" || role.phase.kind === "holding" || role.phase.gate !== gate) return;
  if (role.phase.kind === "claiming") claimOpened(draft, role);
  else releaseDone(draft, role);
}

/** A release hook that failed has still had its say: the release goes on. */
function gateRefused(draft: Draft, gate: number, reason: string): void {
  const { role } = draft.state;
  const refused: Cause = { code: "claim-refused", reason };
  if (role.kind === "backup" && role.preparing?.gate === gate) {
    failClaim(draft, refused, GATE_SETTLED);
    return;
  }
  if (role.kind !== "master" || role.phase.kind === "holding" || role.phase.gate !== gate) return;
  if (role.phase.kind === "claiming") failClaim(draft, refused, GATE_SETTLED);
  else releaseDone(draft, role);
}

function addressRefused(draft: Draft, fault: Fault): void {
  const { role } = draft.state;
  if (role.kind !== "master" || role.phase.kind === "claiming") return;
  const faults = [...draft.state.faults, fault];
  draft.state = { ...draft.state, faults };
  masterFails(draft, role, { code: "fault", faults });
}

function stop(draft: Draft, skipGates: boolean): void {
  const { role } = draft.state;
  if (role.kind === "stopped") return;
  if (role.kind === "master") {
    masterStops(draft, role, skipGates);
    return;
  }
  transition(draft, { to: "stopped" }, { code: "stop" }, BY_OWN_DECISION);
}
