/**
 * What a BACKUP does with adverts and deadlines (RFC 9568 section 6.4.2): obeys, discards, waits, claims. keepalived's
 * preemption rules; the claim gate runs here, in silence, while a live master is heard.
 */
import { after, type Instant, type Micros, micros } from "../lib/units.ts";
import type { Cause } from "./causes.ts";
import type { Advert } from "./events.ts";
import type { BackupRole, HeardMaster } from "./state.ts";
import { masterDownInterval, skewTime } from "./timers.ts";
import {
  askGate,
  BY_OWN_DECISION,
  cancelGate,
  changePhase,
  claimGateOf,
  type Draft,
  GATE_SETTLED,
  heardMaster,
  type Leaving,
  transition,
} from "./transition.ts";

export function backupHears(draft: Draft, role: BackupRole, advert: Advert): void {
  if (advert.priority === 0) {
    masterResigns(draft, role, advert);
    return;
  }
  if (obeys(draft, role, advert)) {
    obey(draft, role, advert);
    return;
  }
  const master = heardMaster(advert, draft.now);
  setRole(draft, { ...role, master, resigned: false });
  // While the gate is asked in silence, every advert of the living master would be one more line in the log.
  if (role.preparing !== null) return;
  const { source, priority } = advert;
  const ours = draft.state.priority;
  const report = { kind: "lower-priority-advert", source, priority, ours, state: "BACKUP" } as const;
  draft.effects.push({ kind: "report", report });
}

export function backupDeadline(draft: Draft, role: BackupRole): void {
  const { config, now } = draft;
  if (role.preparing !== null && !role.preparing.opened && now >= role.preparing.deadline) {
    failClaim(draft, { code: "claim-timeout" }, BY_OWN_DECISION);
    return;
  }
  if (now < role.masterDownAt || (role.wants && role.preparing === null)) return;
  const missed = now - role.masterDownAt;
  if (missed > masterDownInterval(config, draft.state.priority, role.masterAdvertInterval)) {
    // We were stopped ourselves: the silence proves nothing. Listen once more.
    const listening = { ...role, resigned: false };
    setRole(draft, { ...listening, masterDownAt: after(now, downInterval(draft, listening)) });
    return;
  }
  wantMaster(draft, role);
}

/** The timer has run out: claims at once, in a sync group when the others want it too (group-claim). */
export function wantMaster(draft: Draft, role: BackupRole): void {
  if (draft.config.syncGroup === null || role.preparing !== null) claim(draft, role);
  else setRole(draft, { ...role, wants: true });
}

/** The claim gate has answered while we prepared. */
export function preparingOpened(draft: Draft, role: BackupRole): void {
  if (draft.config.syncGroup !== null && role.preparing !== null) {
    setRole(draft, { ...role, preparing: { ...role.preparing, opened: true } });
    return;
  }
  takeFromPreparing(draft, role);
}

/** Every gate that matters is open. */
export function takeFromPreparing(draft: Draft, role: BackupRole): void {
  transition(draft, { to: "master", gate: "open" }, claimCause(draft, role), GATE_SETTLED);
}

/** A claim that failed, prepared or under way: FAULT until it may be tried again. */
export function failClaim(
  draft: Draft,
  cause: Extract<Cause, { readonly code: "claim-refused" | "claim-timeout" }>,
  leaving: Leaving,
): void {
  const reason = cause.code === "claim-refused" ? cause.reason : "notify_claim did not finish within claim_timeout";
  const faults = [...draft.state.faults, { kind: "claim-refused", reason } as const];
  draft.state = { ...draft.state, faults };
  transition(draft, { to: "fault" }, cause, leaving);
}

/** Length of the timer that runs: Skew_Time after priority 0, else Master_Down_Interval. */
export function downInterval(draft: Draft, role: BackupRole): Micros {
  const { config, state } = draft;
  const interval = role.masterAdvertInterval;
  return role.resigned
    ? skewTime(config, state.priority, interval)
    : masterDownInterval(config, state.priority, interval);
}

/**
 * Starts the claim. A live master yields to our first advert and, if it is a plain keepalived, drops its address at once: so the gate
 * must be open before that. A silent one needs to hear nothing, and a lower BACKUP must not take what we are getting ready for.
 */
export function claim(draft: Draft, role: BackupRole): void {
  const cause = claimCause(draft, role);
  const live = liveMaster(draft, role);
  if (role.preparing !== null) {
    if (live !== null) {
      setRole(draft, { ...role, masterDownAt: silentAt(draft, live) });
      return;
    }
    transition(draft, { to: "master", gate: role.preparing }, cause, GATE_SETTLED);
    return;
  }
  if (claimGateOf(draft.config) === null) {
    transition(draft, { to: "master", gate: "open" }, cause, BY_OWN_DECISION);
    return;
  }
  if (live === null) {
    transition(draft, { to: "master", gate: "ask" }, cause, BY_OWN_DECISION);
    return;
  }
  const preparing = askGate(draft, "claim");
  changePhase(draft, { ...role, preparing, masterDownAt: silentAt(draft, live) }, cause);
}

function claimCause(draft: Draft, role: BackupRole): Cause {
  const live = liveMaster(draft, role);
  if (live !== null) return { code: "preempting", master: live.source, masterPriority: live.priority };
  return { code: role.resigned ? "master-resigned" : "master-down", lastMaster: role.master?.source ?? null };
}

/** The master heard last, unless it resigned or has been silent for a whole Master_Down_Interval. */
function liveMaster(draft: Draft, role: BackupRole): HeardMaster | null {
  if (role.master === null || role.resigned) return null;
  return draft.now < silentAt(draft, role.master) ? role.master : null;
}

/** When this master counts as silent, by its own interval. */
function silentAt(draft: Draft, master: HeardMaster): Instant {
  const { config } = draft;
  const interval = config.version === 3 ? master.advertInterval : config.advertInterval;
  return after(master.at, masterDownInterval(config, draft.state.priority, interval));
}

/**
 * Skew_Time instead of Master_Down (RFC 9568 section 6.4.2, 435); nothing at all when the master that we hear names us its successor by
 * having no other. Its addresses are off by then.
 */
function masterResigns(draft: Draft, role: BackupRole, advert: Advert): void {
  const live = liveMaster(draft, role);
  // Somebody else gives up (a lost claim, a lost lease) while our master is alive: nothing becomes free.
  if (live !== null && live.source !== advert.source) return;
  if (role.resigned && role.master?.source === advert.source) return;
  const directed = draft.config.soleSuccessor && live !== null;
  const skew = directed ? micros(0) : skewTime(draft.config, draft.state.priority, role.masterAdvertInterval);
  const master = role.master ?? heardMaster(advert, draft.now);
  setRole(draft, {
    ...role,
    master: { ...master, source: advert.source },
    resigned: true,
    masterDownAt: after(draft.now, skew),
  });
}

/** keepalived: nopreempt obeys everyone, and so does a preempt_delay that has not begun or still runs. */
function obeys(draft: Draft, role: BackupRole, advert: Advert): boolean {
  const { config, now } = draft;
  if (!config.preempt || advert.priority >= draft.state.priority) return true;
  if (config.preemptDelay === 0) return false;
  return role.preemptAt === null || now < role.preemptAt;
}

function obey(draft: Draft, role: BackupRole, advert: Advert): void {
  const { config, now } = draft;
  const { priority } = draft.state;
  const interval = config.version === 3 ? advert.advertInterval : config.advertInterval;
  const next: BackupRole = {
    kind: "backup",
    masterDownAt: after(now, masterDownInterval(config, priority, interval)),
    masterAdvertInterval: interval,
    master: heardMaster(advert, now),
    resigned: false,
    preemptAt: preemptAt(draft, role, advert),
    preparing: null,
    wants: false,
  };
  if (role.preparing === null) {
    setRole(draft, next);
    return;
  }
  cancelGate(draft, role.preparing.gate);
  const { source } = advert;
  changePhase(draft, next, { code: "higher-priority-advert", from: source, priority: advert.priority });
}

/** preempt_delay begins with the first lower advert and is forgotten when a higher one comes. */
function preemptAt(draft: Draft, role: BackupRole, advert: Advert): Instant | null {
  const { config, now } = draft;
  if (!config.preempt || config.preemptDelay === 0 || advert.priority >= draft.state.priority) return null;
  return role.preemptAt ?? after(now, config.preemptDelay);
}

function setRole(draft: Draft, role: BackupRole): void {
  draft.state = { ...draft.state, role };
}
