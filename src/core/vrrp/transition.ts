/**
 * The one way from role to role: exit() undoes the old role, enter() makes the new one, transition() joins and reports
 * them. Neither knows the other end of the step, so no pair of states can be forgotten. The order of effects is the contract of
 * effects.ts. When a change of role is due is decided elsewhere (backup.ts, master.ts, machine.ts).
 */
import { assert } from "../lib/assert.ts";
import { after, type Instant, type Micros } from "../lib/units.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { startEchoes } from "./echoes.ts";
import type { VrrpEffect } from "./effects.ts";
import type { Advert } from "./events.ts";
import { grantedSeconds, leaseEnd } from "./lease.ts";
import type { BackupRole, ClaimGate, MasterRole, VrrpRole, VrrpState } from "./state.ts";
import { advertGrid, alignedDeadline, masterDownInterval, skewTime } from "./timers.ts";
import { phaseName, stateName } from "./view.ts";

/** One step in the making. It lives inside a call of step(); outside, states are values. */
export interface Draft {
  readonly config: VrrpInstanceConfig;
  readonly now: Instant;
  state: VrrpState;
  readonly effects: VrrpEffect[];
}

export type Target =
  /** wait: how long until we may claim; advert: the master that made us BACKUP. */
  | { readonly to: "backup"; readonly wait: "master-down" | "skew"; readonly advert: Advert | null }
  /** gate: "open" takes the addresses now, "ask" asks first, a running gate (from preparing) goes on. */
  | { readonly to: "master"; readonly gate: "open" | "ask" | ClaimGate }
  | { readonly to: "fault" }
  | { readonly to: "stopped" };

/** How a role is left. */
export interface Leaving {
  /** Whether a MASTER says priority 0: when it gives up by its own decision, not when another has won. */
  readonly resign: boolean;
  /** Whether a running gate is cancelled: not when it has answered, nor when the next role goes on with it. */
  readonly cancelGate: boolean;
}

export const BY_OWN_DECISION: Leaving = { resign: true, cancelGate: true };
export const GATE_SETTLED: Leaving = { resign: true, cancelGate: false };
export const PREEMPTED: Leaving = { resign: false, cancelGate: true };

export const SEND_ADVERT: VrrpEffect = { kind: "send-advert" };
export const SEND_RESIGN: VrrpEffect = { kind: "send-resign" };
export const ADD_ADDRESSES: VrrpEffect = { kind: "add-addresses" };
export const REMOVE_ADDRESSES: VrrpEffect = { kind: "remove-addresses" };
export const RENEW_LEASE: VrrpEffect = { kind: "renew-lease" };

/** Goes to another role, undoing the old one first. */
export function transition(draft: Draft, target: Target, cause: Cause, leaving: Leaving): void {
  const before = draft.state;
  exit(draft, leaving);
  const role = enter(draft, target);
  draft.state = { ...draft.state, role, cause, since: draft.now };
  reportChange(draft, before, { cause, resigned: leaving.resign && before.role.kind === "master" });
}

/** Replaces the role within one state (a gate began or ended) and reports what that changes. */
export function changePhase(draft: Draft, role: VrrpRole, cause: Cause): void {
  const before = draft.state;
  draft.state = { ...before, role, cause, since: draft.now };
  reportChange(draft, before, { cause, resigned: false });
}

/** A change of keepalived's state, else a change of phase, else nothing. */
function reportChange(
  draft: Draft,
  before: VrrpState,
  how: { readonly cause: Cause; readonly resigned: boolean },
): void {
  const { cause } = how;
  const resigned = how.resigned ? ({ resigned: true } as const) : {};
  const from = stateName(before);
  const to = stateName(draft.state);
  if (from !== to) {
    const { priority } = draft.state;
    draft.effects.push({ kind: "report", report: { kind: "state", from, to, cause, priority, ...resigned } });
    if (to === "MASTER") reportAnnounced(draft);
    return;
  }
  const fromPhase = phaseName(before);
  const toPhase = phaseName(draft.state);
  if (fromPhase === toPhase) return;
  draft.effects.push({ kind: "report", report: { kind: "phase", from: fromPhase, to: toPhase, cause, ...resigned } });
}

function reportAnnounced(draft: Draft): void {
  const { advertised, excluded } = draft.config;
  const addresses = [...advertised, ...excluded].map((it) => it.address);
  draft.effects.push({ kind: "report", report: { kind: "announced", addresses } });
}

function exit(draft: Draft, leaving: Leaving): void {
  const { role } = draft.state;
  if (role.kind === "backup") {
    if (role.preparing !== null && leaving.cancelGate) cancelGate(draft, role.preparing.gate);
    return;
  }
  if (role.kind !== "master") return;
  // It was for this time as MASTER: the next claim is permitted anew, or nothing limits it any more.
  draft.state = { ...draft.state, permitUntil: null };
  if (role.phase.kind !== "holding" && leaving.cancelGate) cancelGate(draft, role.phase.gate);
  // The successor may answer as soon as it hears priority 0, so the address goes first.
  if (role.phase.kind !== "claiming") draft.effects.push(REMOVE_ADDRESSES);
  if (leaving.resign) draft.effects.push(SEND_RESIGN);
}

/** Gate 0 was never asked: it stands for those of other members of the sync group. */
export function cancelGate(draft: Draft, gate: number): void {
  if (gate === 0) return;
  draft.effects.push({ kind: "cancel-gate", gate });
}

function enter(draft: Draft, target: Target): VrrpRole {
  switch (target.to) {
    case "backup":
      return enterBackup(draft, target.wait, target.advert);
    case "master":
      return enterMaster(draft, target.gate);
    case "fault":
      return { kind: "fault", retryAt: retryAt(draft) };
    case "stopped":
      return { kind: "stopped" };
  }
}

function enterBackup(draft: Draft, wait: "master-down" | "skew", advert: Advert | null): BackupRole {
  const { config, now } = draft;
  const { priority } = draft.state;
  // RFC 9568 section 6.4.3 (740): the interval of the master we yield to; version 2 has one interval for all.
  const interval = advert !== null && config.version === 3 ? advert.advertInterval : config.advertInterval;
  const pause = wait === "skew" ? skewTime(config, priority, interval) : masterDownInterval(config, priority, interval);
  return {
    kind: "backup",
    masterDownAt: after(now, pause),
    masterAdvertInterval: interval,
    master: advert === null ? null : heardMaster(advert, now),
    resigned: false,
    preemptAt: null,
    preparing: null,
    wants: false,
  };
}

export function heardMaster(advert: Advert, now: Instant): NonNullable<BackupRole["master"]> {
  return { source: advert.source, priority: advert.priority, advertInterval: advert.advertInterval, at: now };
}

function enterMaster(draft: Draft, gate: "open" | "ask" | ClaimGate): MasterRole {
  const { kind } = draft.state.role;
  assert(
    kind === "backup" || kind === "init",
    `MASTER is entered from BACKUP, by an owner from INIT, not from ${kind}`,
  );
  draft.effects.push(SEND_ADVERT);
  const advertiseAt = nextAlignedAdvert(draft);
  if (gate === "open") return takeAddresses(draft, advertiseAt);
  const asked = gate === "ask" ? askGate(draft, "claim") : gate;
  return {
    kind: "master",
    phase: { kind: "claiming", ...asked },
    advertiseAt,
    garpAt: null,
    garpRepeat: 0,
    garpRefreshAt: null,
    echo: null,
    garpExtraAt: null,
    leaseUntil: null,
    renewedAt: null,
  };
}

/** The role with the addresses on the interface and announced; its effects go before the report. */
export function takeAddresses(draft: Draft, advertiseAt: Instant): MasterRole {
  const { config, now } = draft;
  const { garp, leaseSeconds } = config;
  // With nothing left to grant it is over before it has begun.
  const granted = leaseSeconds === null ? null : (grantedSeconds(leaseSeconds, draft.state.permitUntil, now) ?? 0);
  draft.effects.push(ADD_ADDRESSES, { kind: "announce", repeat: garp.repeat });
  return {
    kind: "master",
    phase: { kind: "holding" },
    advertiseAt,
    garpAt: garp.delay > 0 ? after(now, garp.delay) : null,
    garpRepeat: garp.repeat,
    garpRefreshAt: garp.refresh > 0 ? after(now, garp.refresh) : null,
    echo: startEchoes(config, now),
    garpExtraAt: garp.extraPeriod > 0 ? after(now, garp.extraPeriod) : null,
    leaseUntil: granted === null ? null : leaseEnd(now, granted),
    renewedAt: granted === null ? null : now,
  };
}

/** One interval after an advert that was sent out of turn, on the grid that all instances share. */
export function nextAlignedAdvert(draft: Draft): Instant {
  const { advertInterval } = draft.config;
  return alignedDeadline(draft.now, advertInterval, advertGrid(advertInterval));
}

/** The gate of the instance, or that of its sync group when only other members have one. */
export function claimGateOf({ claimGate, syncGroup }: VrrpInstanceConfig): { readonly timeout: Micros } | null {
  return claimGate ?? syncGroup?.claimGate ?? null;
}

export function releaseGateOf({ releaseGate, syncGroup }: VrrpInstanceConfig): { readonly timeout: Micros } | null {
  return releaseGate ?? syncGroup?.releaseGate ?? null;
}

/** Starts a gate that is configured. An instance without one of its own has nothing to ask: its gate is open at once. */
export function askGate(draft: Draft, which: "claim" | "release"): ClaimGate {
  const { config } = draft;
  const settings = which === "claim" ? config.claimGate : config.releaseGate;
  if (settings === null) {
    const others = which === "claim" ? claimGateOf(config) : releaseGateOf(config);
    assert(others !== null, `the ${which} gate is asked, but not configured`);
    return { gate: 0, deadline: after(draft.now, others.timeout), opened: true };
  }
  const gate = draft.state.gateSerial + 1;
  draft.state = { ...draft.state, gateSerial: gate };
  draft.effects.push({ kind: "ask-gate", which, gate });
  return { gate, deadline: after(draft.now, settings.timeout), opened: false };
}

/** Faults that the machine found itself; trackers neither report nor clear them. */
export function isOwnFault(fault: Fault): boolean {
  return fault.kind === "claim-refused" || fault.kind === "address-refused";
}

/**
 * A refused claim waits for a check to succeed. Without a script that must succeed there may never be such a report, and a
 * refused address is no script's business: those are tried again after a pause.
 */
export function retryAt(draft: Draft): Instant | null {
  const { config, now } = draft;
  const checked = claimWaitsForCheck(config);
  const byClock = draft.state.faults.some(
    (it) => it.kind === "address-refused" || (it.kind === "claim-refused" && !checked),
  );
  return byClock ? after(now, retryPause(config)) : null;
}

/** Whether a script tells when a refused claim is worth another try. */
export function claimWaitsForCheck({ trackScripts }: Pick<VrrpInstanceConfig, "trackScripts">): boolean {
  return trackScripts.some((it) => it.weight === 0 && !it.reverse);
}

/** How long what was refused rests when only the clock can tell. */
export function retryPause({ claimGate, advertInterval }: VrrpInstanceConfig): Micros {
  return Math.max(claimGate?.timeout ?? 0, 10 * advertInterval) as Micros;
}
