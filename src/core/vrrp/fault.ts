/**
 * FAULT: what keeps an instance there, and the way out, which leads to BACKUP and nowhere else. Trackers own most faults;
 * those the machine found itself (a refused claim, a refused address) stay until it lets them be tried again.
 */
import { BY_OWN_DECISION, type Draft, isOwnFault, transition } from "./transition.ts";

/** Lets a refused claim, or anything else the machine refused itself, be tried again. */
export function forgetOwnFaults(draft: Draft, which: "claim-refused" | "all"): void {
  if (draft.state.role.kind !== "fault") return;
  const faults = draft.state.faults.filter((it) => (which === "all" ? !isOwnFault(it) : it.kind !== "claim-refused"));
  if (faults.length === draft.state.faults.length) return;
  draft.state = { ...draft.state, faults };
  draft.effects.push({ kind: "report", report: { kind: "faults", faults } });
}

/** FAULT ends when nothing is wrong any more, always in BACKUP and with a full Master_Down_Interval. */
export function recoverIfFit(draft: Draft): void {
  const { role, faults, waiting, siblingsWaiting } = draft.state;
  if (role.kind !== "fault" || faults.length > 0 || waiting || siblingsWaiting) return;
  if (draft.config.transport.kind === "unicast") draft.effects.push({ kind: "announce-source" });
  transition(draft, { to: "backup", wait: "master-down", advert: null }, { code: "recovered" }, BY_OWN_DECISION);
}
