/** What can be read off a state: names, deadline, and whether the addresses are ours. Changes nothing. */

import { earliest, type Instant } from "../lib/units.ts";
import { echoAt } from "./echoes.ts";
import type { BackupRole, MasterRole, VrrpPhaseName, VrrpState, VrrpStateName } from "./state.ts";

/**
 * keepalived's name, as notify scripts hear it. A claim whose gate is closed is still BACKUP: MASTER is announced when clients can
 * reach us. A release is still MASTER.
 */
export function stateName(state: VrrpState): VrrpStateName {
  switch (state.role.kind) {
    case "init":
      return "INIT";
    case "backup":
      return "BACKUP";
    case "master":
      return state.role.phase.kind === "claiming" ? "BACKUP" : "MASTER";
    case "fault":
      return "FAULT";
    case "stopped":
      return "STOP";
  }
}

/** The same with the gates shown. */
export function phaseName(state: VrrpState): VrrpPhaseName {
  const { role } = state;
  if (role.kind === "backup" && role.preparing !== null) return "PREPARING";
  if (role.kind === "master" && role.phase.kind === "claiming") return "CLAIMING";
  if (role.kind === "master" && role.phase.kind === "releasing") return "RELEASING";
  return stateName(state);
}

/** The addresses belong on the interface: MASTER, unless the claim gate is still closed. */
export function isHolding(state: VrrpState): boolean {
  return state.role.kind === "master" && state.role.phase.kind !== "claiming";
}

/** When step() wants a `deadline` event; null means that only an event from outside can change anything. */
export function nextDeadline(state: VrrpState): Instant | null {
  const { role } = state;
  switch (role.kind) {
    case "backup":
      return backupDeadline(role);
    case "master":
      return masterDeadline(role, state.permitUntil);
    case "fault":
      return role.retryAt;
    case "init":
    case "stopped":
      return null;
  }
}

/** Once per advert: no list of arguments is built here. */
function masterDeadline(role: MasterRole, permitUntil: Instant | null): Instant {
  let first = role.advertiseAt;
  if (permitUntil !== null && permitUntil < first && role.phase.kind !== "claiming") first = permitUntil;
  if (role.garpAt !== null && role.garpAt < first) first = role.garpAt;
  if (role.echo !== null && echoAt(role.echo) < first) first = echoAt(role.echo);
  if (role.garpRefreshAt !== null && role.garpRefreshAt < first) first = role.garpRefreshAt;
  if (role.garpExtraAt !== null && role.garpExtraAt < first) first = role.garpExtraAt;
  if (isLimited(role.phase) && role.phase.deadline < first) first = role.phase.deadline;
  return first;
}

/** What only the other members of the sync group can bring about has no deadline. */
function backupDeadline({ masterDownAt, preparing, wants }: BackupRole): Instant | null {
  if (preparing === null) return wants ? null : masterDownAt;
  return preparing.opened ? masterDownAt : earliest(masterDownAt, preparing.deadline);
}

/** Whether the phase ends by itself: not holding, and not a claim that waits for the other members of its sync group. */
export function isLimited(
  phase: MasterRole["phase"],
): phase is Exclude<MasterRole["phase"], { readonly kind: "holding" }> {
  return phase.kind === "releasing" || (phase.kind === "claiming" && !phase.opened);
}
