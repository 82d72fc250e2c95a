/**
 * A new configuration for a running instance, without losing the role. The engine compares the address lists of a holding
 * instance itself: it prepares the adverts anew, carries out the effects returned here (renewal, advert), then removes addresses
 * that left the file, adds new ones and announces all. Interface, virtual router id and transport never change here: that
 * is another instance.
 */
import { sameValue } from "../lib/same-value.ts";
import { after, type Instant } from "../lib/units.ts";
import { downInterval } from "./backup.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import { forgetOwnFaults, recoverIfFit } from "./fault.ts";
import { leaveGroup, withoutSiblings } from "./grouped.ts";
import { grantedSeconds, leaseEnd } from "./lease.ts";
import { finishRelease, takeFromClaiming } from "./master.ts";
import type { BackupRole, MasterRole, VrrpState } from "./state.ts";
import {
  cancelGate,
  changePhase,
  claimGateOf,
  type Draft,
  GATE_SETTLED,
  nextAlignedAdvert,
  RENEW_LEASE,
  releaseGateOf,
  retryAt,
  SEND_ADVERT,
} from "./transition.ts";

export function reconfigure(
  before: VrrpInstanceConfig,
  config: VrrpInstanceConfig,
  state: VrrpState,
  now: Instant,
): { readonly state: VrrpState; readonly effects: readonly VrrpEffect[] } {
  const priority = movedPriority(before, config, state.priority);
  const draft: Draft = { config, now, state: { ...state, priority }, effects: [] };
  const { role } = state;
  if (config.syncGroup === null) draft.state = withoutSiblings(draft.state);
  if (role.kind === "backup") reconfigureBackup(draft, role, before, state);
  if (role.kind === "master") reconfigureMaster(draft, role, before, state.priority);
  if (role.kind === "fault") reconfigureFault(draft, role.retryAt);
  if (priority !== state.priority && role.kind !== "init") {
    draft.effects.push({ kind: "report", report: { kind: "priority", from: state.priority, to: priority } });
  }
  if (before.syncGroup !== null && config.syncGroup === null) leaveGroup(draft);
  return { state: draft.state, effects: draft.effects };
}

/** The weights in force stay in force until trackers are evaluated again. */
function movedPriority(before: VrrpInstanceConfig, config: VrrpInstanceConfig, effective: number): number {
  if (config.priority === 255) return 255;
  const weights = before.priority === 255 ? 0 : effective - before.priority;
  return Math.min(254, Math.max(1, config.priority + weights));
}

/** The running timer moves by the difference of its old and new length. */
function reconfigureBackup(draft: Draft, role: BackupRole, before: VrrpInstanceConfig, state: VrrpState): void {
  const { config, now } = draft;
  const learned = config.version === 3 && role.masterAdvertInterval !== before.advertInterval;
  const masterAdvertInterval = learned ? role.masterAdvertInterval : config.advertInterval;
  const changed: BackupRole = { ...role, masterAdvertInterval };
  const shift = downInterval(draft, changed) - downInterval({ ...draft, config: before, state }, role);
  const masterDownAt = Math.max(now, role.masterDownAt + shift) as Instant;
  draft.state = { ...draft.state, role: { ...changed, masterDownAt } };
  if (claimGateOf(config) !== null || role.preparing === null) return;
  // The gate is gone from the file; what it held back is due.
  cancelGate(draft, role.preparing.gate);
  changePhase(draft, { ...changed, preparing: null, masterDownAt: now }, { code: "reconfigured" });
}

/** Without the gate there is nothing left to refuse; without a script somebody must look at the clock. */
function reconfigureFault(draft: Draft, running: Instant | null): void {
  if (claimGateOf(draft.config) === null) forgetOwnFaults(draft, "claim-refused");
  draft.state = { ...draft.state, role: { kind: "fault", retryAt: running ?? retryAt(draft) } };
  recoverIfFit(draft);
}

function reconfigureMaster(draft: Draft, role: MasterRole, before: VrrpInstanceConfig, priority: number): void {
  const { config, now } = draft;
  const holding = role.phase.kind !== "claiming";
  const leaseChanged = holding && before.leaseSeconds !== config.leaseSeconds;
  let next = role;
  if (leaseChanged) {
    draft.effects.push(RENEW_LEASE);
    next = { ...next, ...newLease(draft) };
  }
  if (leaseChanged || priority !== draft.state.priority || advertChanged(before, config)) {
    draft.effects.push(SEND_ADVERT);
    next = { ...next, advertiseAt: nextAlignedAdvert(draft) };
  }
  if (holding && before.garp.refresh !== config.garp.refresh) {
    next = { ...next, garpRefreshAt: config.garp.refresh > 0 ? after(now, config.garp.refresh) : null };
  }
  if (holding && before.garp.extraPeriod !== config.garp.extraPeriod) {
    next = { ...next, garpExtraAt: config.garp.extraPeriod > 0 ? after(now, config.garp.extraPeriod) : null };
  }
  draft.state = { ...draft.state, role: next };
  dropLostGate(draft, next);
}

function newLease({ config, state, now }: Draft): Pick<MasterRole, "leaseUntil" | "renewedAt"> {
  if (config.leaseSeconds === null) return { leaseUntil: null, renewedAt: null };
  const granted = grantedSeconds(config.leaseSeconds, state.permitUntil, now) ?? 0;
  return { leaseUntil: leaseEnd(now, granted), renewedAt: now };
}

/** A gate that is no longer in the file cannot answer: the phase ends as if it had. */
function dropLostGate(draft: Draft, role: MasterRole): void {
  if (role.phase.kind === "claiming" && claimGateOf(draft.config) === null) {
    cancelGate(draft, role.phase.gate);
    takeFromClaiming(draft, role);
  } else if (role.phase.kind === "releasing" && releaseGateOf(draft.config) === null) {
    cancelGate(draft, role.phase.gate);
    finishRelease(draft, role, GATE_SETTLED);
  }
}

/** Whether peers would see something else in our adverts. */
function advertChanged(before: VrrpInstanceConfig, config: VrrpInstanceConfig): boolean {
  return (
    before.advertInterval !== config.advertInterval ||
    before.version !== config.version ||
    before.v3ChecksumAsV2 !== config.v3ChecksumAsV2 ||
    !sameValue(before.authentication, config.authentication) ||
    !sameValue(before.advertised, config.advertised)
  );
}
