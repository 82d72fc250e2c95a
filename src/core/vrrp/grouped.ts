/**
 * What a sync group's word does to one of its members. The group itself, which looks at all members and finds out what is
 * due, is sync-group.ts; here one instance obeys, by the same transitions as everything else.
 */
import { claim, takeFromPreparing } from "./backup.ts";
import type { VrrpEvent } from "./events.ts";
import { weighFaults } from "./fitness.ts";
import { fallsBackWithGroup, finishRelease, takeFromClaiming } from "./master.ts";
import type { BackupRole, VrrpState } from "./state.ts";
import { cancelGate, changePhase, type Draft, GATE_SETTLED } from "./transition.ts";

export type GroupEvent = Extract<
  VrrpEvent,
  { readonly kind: "siblings" | "group-claim" | "group-take" | "group-release" | "group-back" }
>;

export function groupSays(draft: Draft, event: GroupEvent): void {
  const { role } = draft.state;
  switch (event.kind) {
    case "siblings":
      siblings(draft, event);
      return;
    case "group-claim":
      if (role.kind === "backup" && role.wants && role.preparing === null) claim(draft, role);
      return;
    case "group-take":
      groupTakes(draft);
      return;
    case "group-release":
      if (role.kind === "master" && role.phase.kind === "releasing") finishRelease(draft, role, GATE_SETTLED);
      return;
    case "group-back":
      if (role.kind === "backup") stopPreparing(draft, role, event);
      else if (role.kind === "master") fallsBackWithGroup(draft, role, event);
      return;
  }
}

function siblings(draft: Draft, event: Extract<GroupEvent, { readonly kind: "siblings" }>): void {
  if (draft.state.role.kind === "stopped") return;
  draft.state = { ...draft.state, siblingsWaiting: event.waiting };
  const own = draft.state.faults.filter((fault) => fault.kind !== "sibling");
  weighFaults(draft, event.fault === null ? own : [...own, event.fault]);
}

function groupTakes(draft: Draft): void {
  const { role } = draft.state;
  if (role.kind === "backup" && role.preparing?.opened === true) takeFromPreparing(draft, role);
  else if (role.kind === "master" && role.phase.kind === "claiming" && role.phase.opened) takeFromClaiming(draft, role);
}

/** It goes on wanting MASTER: its own timer has run out. */
function stopPreparing(
  draft: Draft,
  role: BackupRole,
  { cause }: Extract<GroupEvent, { readonly kind: "group-back" }>,
): void {
  if (role.preparing === null) return;
  cancelGate(draft, role.preparing.gate);
  changePhase(draft, { ...role, preparing: null, wants: true }, cause);
}

/** Alone, there is nobody to wait for. */
export function withoutSiblings(state: VrrpState): VrrpState {
  const faults = state.faults.filter((fault) => fault.kind !== "sibling");
  return { ...state, siblingsWaiting: false, faults: faults.length === state.faults.length ? state.faults : faults };
}

/** A reload took the instance out of its group: what it held back for the others is due now. */
export function leaveGroup(draft: Draft): void {
  const { role } = draft.state;
  if (role.kind === "backup" && role.wants && role.preparing === null) {
    draft.state = { ...draft.state, role: { ...role, wants: false, masterDownAt: draft.now } };
  } else if (role.kind === "master" && role.phase.kind === "releasing" && role.phase.done) {
    finishRelease(draft, role, GATE_SETTLED);
  } else groupTakes(draft);
}
