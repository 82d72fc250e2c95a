/**
 * What a MASTER does with adverts, deadlines and its lease (RFC 9568 section 6.4.3), in its phases claiming, holding and
 * releasing. Gives up by itself when its lease has run out or the loop was stopped for longer than the peers wait: by then
 * somebody else may hold the addresses, so they are never taken back without an election.
 */
import { compareIp } from "../lib/ip.ts";
import { after, type Instant, type Micros } from "../lib/units.ts";
import { failClaim } from "./backup.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import { echoAt, followingEcho, startEchoes } from "./echoes.ts";
import type { VrrpEffect } from "./effects.ts";
import type { Advert } from "./events.ts";
import { grantedSeconds, leaseEnd, renewalDue } from "./lease.ts";
import type { MasterRole, VrrpState } from "./state.ts";
import { shortestPeerMasterDown } from "./timers.ts";
import {
  askGate,
  BY_OWN_DECISION,
  changePhase,
  type Draft,
  GATE_SETTLED,
  type Leaving,
  nextAlignedAdvert,
  PREEMPTED,
  RENEW_LEASE,
  releaseGateOf,
  SEND_ADVERT,
  takeAddresses,
  transition,
} from "./transition.ts";
import { isLimited } from "./view.ts";

const ADVERT_ONLY: readonly VrrpEffect[] = [SEND_ADVERT];
const RENEWAL_AND_ADVERT: readonly VrrpEffect[] = [RENEW_LEASE, SEND_ADVERT];

/**
 * The step that makes up nearly all of a MASTER's life: an advert is due and nothing else. Null when there is more to do.
 * Allocates the new state and nothing else.
 */
export function routineAdvert(
  config: VrrpInstanceConfig,
  state: VrrpState,
  role: MasterRole,
  now: Instant,
): { readonly state: VrrpState; readonly effects: readonly VrrpEffect[] } | null {
  if (now < role.advertiseAt || lossCause(config, state, role, now) !== null) return null;
  if (isLimited(role.phase) && now >= role.phase.deadline) return null;
  if (role.garpAt !== null && now >= role.garpAt) return null;
  if (role.garpRefreshAt !== null && now >= role.garpRefreshAt) return null;
  if (role.echo !== null && now >= echoAt(role.echo)) return null;
  if (role.garpExtraAt !== null && now >= role.garpExtraAt) return null;
  const granted = renewal(config, state, role, now);
  const advertiseAt = following(role.advertiseAt, config.advertInterval, now);
  const next = advertised(role, granted, now, advertiseAt);
  return { state: withRole(state, next), effects: granted === null ? ADVERT_ONLY : RENEWAL_AND_ADVERT };
}

/** Steps down when the lease is over or we slept through the peers' patience; the event then meets the new role. */
export function giveUpIfLost(draft: Draft): void {
  const { role } = draft.state;
  if (role.kind !== "master") return;
  const cause = lossCause(draft.config, draft.state, role, draft.now);
  if (cause !== null) stepDown(draft, role, "master-down", cause);
}

/** The renewal reached the kernel after the old time had ended: the address may have been gone, or closed, in between. */
export function leaseLost(draft: Draft, role: MasterRole, code: "lease-lost" | "fence-closed"): void {
  stepDown(draft, role, "master-down", { code });
}

function stepDown(draft: Draft, role: MasterRole, wait: "master-down" | "skew", cause: Cause): void {
  if (role.phase.kind === "releasing") finishRelease(draft, role, BY_OWN_DECISION);
  else transition(draft, { to: "backup", wait, advert: null }, cause, BY_OWN_DECISION);
}

/**
 * Peers count from our last advert, one interval before the one that is due. Without this check a thawed node would go on as if
 * nothing had happened, as keepalived does.
 */
function lossCause(config: VrrpInstanceConfig, state: VrrpState, role: MasterRole, now: Instant): Cause | null {
  const { permitUntil } = state;
  if (permitUntil !== null && now >= permitUntil && role.phase.kind !== "claiming") return { code: "permit-over" };
  if (role.leaseUntil !== null && now >= role.leaseUntil) {
    const bounded = grantedSeconds(config.leaseSeconds ?? 0, permitUntil, now) === null;
    return { code: permitUntil !== null && bounded ? "permit-over" : "lease-lost" };
  }
  const silence = now - (role.advertiseAt - config.advertInterval);
  if (silence > shortestPeerMasterDown(config)) return { code: "stalled", missedMicros: now - role.advertiseAt };
  return null;
}

export function masterDeadline(draft: Draft, role: MasterRole): void {
  const { config, now } = draft;
  if (role.phase.kind === "claiming" && !role.phase.opened && now >= role.phase.deadline) {
    failClaim(draft, { code: "claim-timeout" }, BY_OWN_DECISION);
    return;
  }
  if (role.phase.kind === "releasing" && now >= role.phase.deadline) {
    finishRelease(draft, role, BY_OWN_DECISION);
    return;
  }
  let next = role;
  if (now >= next.advertiseAt) {
    next = advertise(draft, next, following(next.advertiseAt, config.advertInterval, now));
  }
  if (next.garpAt !== null && now >= next.garpAt) {
    draft.effects.push({ kind: "announce", repeat: next.garpRepeat });
    next = { ...next, garpAt: null };
  }
  if (next.garpRefreshAt !== null && now >= next.garpRefreshAt) {
    draft.effects.push({ kind: "announce", repeat: config.garp.refreshRepeat });
    next = { ...next, garpRefreshAt: following(next.garpRefreshAt, config.garp.refresh, now) };
  }
  if (next.garpExtraAt !== null && now >= next.garpExtraAt) {
    draft.effects.push({ kind: "announce-elsewhere" });
    next = { ...next, garpExtraAt: following(next.garpExtraAt, config.garp.extraPeriod, now) };
  }
  if (next.echo !== null && now >= echoAt(next.echo)) {
    draft.effects.push({ kind: "echo" });
    next = { ...next, echo: followingEcho(next.echo, now) };
  }
  draft.state = { ...draft.state, role: next };
}

export function masterHears(draft: Draft, role: MasterRole, advert: Advert): void {
  if (advert.priority === 0) {
    answer(draft, role);
    return;
  }
  const winner = winningCause(draft.state, advert);
  if (winner !== null) {
    yieldTo(draft, role, advert, winner);
    return;
  }
  const { config } = draft;
  let next = role;
  // RFC 9568 section 6.4.3 (775): say at once that we are here.
  if (!config.lowerPrioNoAdvert) next = advertise(draft, next, nextAlignedAdvert(draft));
  next = announceAgain(draft, next);
  draft.state = { ...draft.state, role: next };
  const { source, priority } = advert;
  const ours = draft.state.priority;
  const report = { kind: "lower-priority-advert", source, priority, ours, state: "MASTER" } as const;
  draft.effects.push({ kind: "report", report });
}

/** The claim gate has answered yes: only now do the addresses come. */
export function claimOpened(draft: Draft, role: MasterRole): void {
  if (draft.config.syncGroup !== null && role.phase.kind === "claiming") {
    draft.state = { ...draft.state, role: { ...role, phase: { ...role.phase, opened: true } } };
    return;
  }
  takeFromClaiming(draft, role);
}

export function takeFromClaiming(draft: Draft, role: MasterRole): void {
  changePhase(draft, takeAddresses(draft, role.advertiseAt), draft.state.cause);
}

const PATIENT: ReadonlySet<Fault["kind"]> = new Set([
  "script",
  "script-unusable",
  "file",
  "process",
  "mysql",
  "redis",
  "sibling",
]);

/** Faults of the keeper's own world: with these the gate cannot be waited for. A sibling's fault leaves us able to serve. */
function isUrgent(fault: Fault): boolean {
  return !PATIENT.has(fault.kind);
}

/** A MASTER is no longer fit; its faults are in the state. */
export function masterFails(draft: Draft, role: MasterRole, cause: Cause): void {
  const urgent = draft.state.faults.some(isUrgent);
  if (role.phase.kind === "releasing") {
    if (urgent) finishRelease(draft, role, BY_OWN_DECISION);
    return;
  }
  if (role.phase.kind === "claiming" || urgent || releaseGateOf(draft.config) === null) {
    transition(draft, { to: "fault" }, cause, BY_OWN_DECISION);
    return;
  }
  beginRelease(draft, role, cause);
}

export function masterStops(draft: Draft, role: MasterRole, skipGates: boolean): void {
  const cause: Cause = { code: "stop" };
  if (role.phase.kind === "releasing") {
    const phase = { ...role.phase, next: cause };
    const next = { ...role, phase };
    draft.state = { ...draft.state, role: next };
    if (skipGates) finishRelease(draft, next, BY_OWN_DECISION);
    return;
  }
  if (role.phase.kind === "claiming" || skipGates || releaseGateOf(draft.config) === null) {
    transition(draft, { to: "stopped" }, cause, BY_OWN_DECISION);
    return;
  }
  beginRelease(draft, role, cause);
}

/** Like a fault, but into BACKUP: after a whole Master_Down_Interval without a successor the address is claimed again. */
export function masterHandsOver(draft: Draft, role: MasterRole): void {
  if (role.phase.kind !== "holding") return;
  const cause: Cause = { code: "handed-over" };
  if (releaseGateOf(draft.config) === null) stepDown(draft, role, "master-down", cause);
  else beginRelease(draft, role, cause);
}

/** Adverts and addresses stay until the gate is done, so that writers can be drained while clients still reach us. */
function beginRelease(draft: Draft, role: MasterRole, next: Cause): void {
  const { gate, deadline, opened } = askGate(draft, "release");
  changePhase(draft, { ...role, phase: { kind: "releasing", gate, deadline, next, done: opened } }, next);
}

/** The release gate is done, out of time or overtaken: go where the release was meant to lead. */
export function finishRelease(draft: Draft, role: MasterRole, leaving: Leaving): void {
  if (role.phase.kind !== "releasing") return;
  const { next } = role.phase;
  if (next.code === "stop") {
    transition(draft, { to: "stopped" }, next, leaving);
    return;
  }
  const { faults } = draft.state;
  if (next.code === "handed-over" && faults.length === 0) {
    transition(draft, { to: "backup", wait: "master-down", advert: null }, next, leaving);
    return;
  }
  const cause: Cause = next.code === "fault" && faults.length > 0 ? { code: "fault", faults } : next;
  transition(draft, { to: "fault" }, cause, leaving);
}

export function releaseDone(draft: Draft, role: MasterRole): void {
  if (draft.config.syncGroup !== null && role.phase.kind === "releasing") {
    draft.state = { ...draft.state, role: { ...role, phase: { ...role.phase, done: true } } };
    return;
  }
  finishRelease(draft, role, GATE_SETTLED);
}

/** Another member of the sync group has fallen back. A release under way goes on: it leads out as well. */
export function fallsBackWithGroup(
  draft: Draft,
  role: MasterRole,
  how: { cause: Cause; wait: "master-down" | "skew" },
): void {
  if (role.phase.kind !== "releasing") stepDown(draft, role, how.wait, how.cause);
}

/** Somebody removed an address of ours: as keepalived, give up the rest and run for election again after Skew_Time. */
export function addressLost(draft: Draft, role: MasterRole, cause: Cause): void {
  if (role.phase.kind !== "claiming") stepDown(draft, role, "skew", cause);
}

/** RFC 9568 section 6.4.3 (725): higher priority, or equal and higher address. Without an address of our own we lose a tie. */
function winningCause(state: VrrpState, advert: Advert): Cause | null {
  const { source, priority } = advert;
  if (priority > state.priority) return { code: "higher-priority-advert", from: source, priority };
  if (priority < state.priority) return null;
  if (state.source !== null && compareIp(source, state.source) < 0) return null;
  return { code: "equal-priority-higher-address", from: source, priority };
}

function yieldTo(draft: Draft, role: MasterRole, advert: Advert, cause: Cause): void {
  if (advert.priority === 255 && draft.state.priority === 255) reportTwoOwners(draft, advert);
  if (role.phase.kind === "releasing") finishRelease(draft, role, PREEMPTED);
  else transition(draft, { to: "backup", wait: "master-down", advert }, cause, PREEMPTED);
  // Whoever held addresses may have announced them last: the winner hears a lower priority and announces itself again.
  if (draft.config.higherPrioSendAdvert && role.phase.kind !== "claiming") draft.effects.push({ kind: "send-yielded" });
}

/** The tie is decided by the address at once; keepalived waits for two adverts and goes down to 254 for it. */
function reportTwoOwners(draft: Draft, { source }: Advert): void {
  draft.effects.push({ kind: "report", report: { kind: "two-owners", source } });
}

/** A rival may have announced the address, also one that resigns: whoever announces last has the clients. */
function announceAgain(draft: Draft, role: MasterRole): MasterRole {
  const { lowerPrioRepeat, lowerPrioDelay } = draft.config.garp;
  if (role.phase.kind === "claiming" || lowerPrioRepeat === 0) return role;
  draft.effects.push({ kind: "announce", repeat: lowerPrioRepeat });
  const echoing = { ...role, echo: startEchoes(draft.config, draft.now) };
  return lowerPrioDelay > 0
    ? { ...echoing, garpAt: after(draft.now, lowerPrioDelay), garpRepeat: lowerPrioRepeat }
    : echoing;
}

/** RFC 9568 section 6.4.3 (710): another resigns, the others shall know that we are here. */
function answer(draft: Draft, role: MasterRole): void {
  const next = advertise(draft, role, nextAlignedAdvert(draft));
  draft.state = { ...draft.state, role: announceAgain(draft, next) };
}

function advertise(draft: Draft, role: MasterRole, next: Instant): MasterRole {
  const { config, now } = draft;
  const granted = renewal(config, draft.state, role, now);
  if (granted !== null) draft.effects.push(RENEW_LEASE);
  draft.effects.push(SEND_ADVERT);
  return advertised(role, granted, now, next);
}

/** Whole seconds that the addresses get with this advert; null: nothing is due, or nothing can be granted any more. */
function renewal(
  { leaseSeconds, advertInterval }: VrrpInstanceConfig,
  { permitUntil }: VrrpState,
  role: MasterRole,
  now: Instant,
): number | null {
  if (leaseSeconds === null || !renewalDue(role, now, advertInterval)) return null;
  const granted = grantedSeconds(leaseSeconds, permitUntil, now);
  // Never a shorter lifetime than they have.
  return granted === null || (role.leaseUntil !== null && leaseEnd(now, granted) <= role.leaseUntil) ? null : granted;
}

/** Every field by name: spreading costs microseconds, and this happens once per advert. */
function advertised(role: MasterRole, granted: number | null, now: Instant, advertiseAt: Instant): MasterRole {
  return {
    kind: "master",
    phase: role.phase,
    advertiseAt,
    garpAt: role.garpAt,
    garpRepeat: role.garpRepeat,
    garpRefreshAt: role.garpRefreshAt,
    echo: role.echo,
    garpExtraAt: role.garpExtraAt,
    leaseUntil: granted === null ? role.leaseUntil : leaseEnd(now, granted),
    renewedAt: granted === null ? role.renewedAt : now,
  };
}

function withRole(state: VrrpState, role: MasterRole): VrrpState {
  return {
    role,
    faults: state.faults,
    waiting: state.waiting,
    siblingsWaiting: state.siblingsWaiting,
    priority: state.priority,
    source: state.source,
    gateSerial: state.gateSerial,
    cause: state.cause,
    since: state.since,
    permitUntil: state.permitUntil,
  };
}

/** The next point of an absolute schedule: no drift, unless a whole period was missed. */
function following(due: Instant, period: Micros, now: Instant): Instant {
  const next = after(due, period);
  return next > now ? next : after(now, period);
}
