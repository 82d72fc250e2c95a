/**
 * The virtual router: (config, state, event, now) -> (state, effects). Sorts events to the role they concern and
 * decides about fitness; backup.ts and master.ts know the roles, transition.ts the way between them.
 *
 * What the engine owes: a `fitness` event after `start` and whenever trackers change (INIT ends with the first one that does not
 * wait); received adverts before deadlines, when both are pending; `deadline` at nextDeadline(), late or not; the effects carried
 * out in their order.
 */
import type { Instant } from "../lib/units.ts";
import { backupDeadline, backupHears, failClaim, preparingOpened } from "./backup.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { forgetOwnFaults, recoverIfFit } from "./fault.ts";
import { fitness } from "./fitness.ts";
import { groupSays } from "./grouped.ts";
import {
  addressLost,
  claimOpened,
  giveUpIfLost,
  leaseLost,
  masterDeadline,
  masterFails,
  masterHandsOver,
  masterHears,
  masterStops,
  releaseDone,
  routineAdvert,
} from "./master.ts";
import type { VrrpState } from "./state.ts";
import { BY_OWN_DECISION, type Draft, GATE_SETTLED, transition } from "./transition.ts";

export { reconfigure } from "./reconfigure.ts";
export { isHolding, nextDeadline, phaseName, stateName } from "./view.ts";

export interface Step {
  readonly state: VrrpState;
  readonly effects: readonly VrrpEffect[];
}

export function initialState(config: VrrpInstanceConfig, now: Instant): VrrpState {
  return {
    role: { kind: "init" },
    faults: [],
    waiting: true,
    siblingsWaiting: config.syncGroup !== null,
    priority: config.priority,
    source: config.sourceAddress,
    gateSerial: 0,
    cause: { code: "start" },
    since: now,
    permitUntil: null,
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
    case "siblings":
    case "group-claim":
    case "group-take":
    case "group-release":
    case "group-back":
      groupSays(draft, event);
      return;
    case "gate-opened":
      gateOpened(draft, event.gate);
      return;
    case "gate-refused":
      gateRefused(draft, event.gate, event.reason);
      return;
    case "permit":
      draft.state = { ...draft.state, permitUntil: event.until };
      giveUpIfLost(draft);
      return;
    case "lease-lost":
    case "fence-closed": {
      const { role } = draft.state;
      if (role.kind === "master") leaseLost(draft, role, event.kind);
      return;
    }
    case "address-removed": {
      const { role } = draft.state;
      if (role.kind === "master") addressLost(draft, role, { code: "address-removed", address: event.address });
      return;
    }
    case "object-removed": {
      const { role } = draft.state;
      const cause: Cause = { code: "object-removed", what: event.what, text: event.text };
      if (role.kind === "master") addressLost(draft, role, cause);
      return;
    }
    case "address-refused":
      addressRefused(draft, { kind: "address-refused", address: event.address, reason: event.reason });
      return;
    case "hand-over": {
      const { role } = draft.state;
      if (role.kind === "master") masterHandsOver(draft, role);
      return;
    }
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
