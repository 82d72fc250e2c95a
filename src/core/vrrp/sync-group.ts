/**
 * The sync group (vrrp_sync_group): looks at all its members and says what is due, so that they serve together or not at all.
 * Pure: (members, what it remembers) -> orders to members; the engine gives each order to its member's machine and asks again
 * until there are none. It never touches a member's state itself.
 *
 * - A member that may not serve keeps all others from serving (`siblings`).
 * - MASTER only when every member wants it (`group-claim`), the addresses only when every claim gate is open (`group-take`).
 * - One that falls back takes all others with it (`group-back`); release gates are left together (`group-release`).
 * - A member that a reload adds to a group that serves joins it when its own timer has run out; the others go on.
 */
import { sameValue } from "../lib/same-value.ts";
import type { Cause, Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { SiblingFault, VrrpEvent } from "./events.ts";
import type { VrrpState, VrrpStateName } from "./state.ts";
import { stateName } from "./view.ts";

export interface GroupMember {
  readonly config: VrrpInstanceConfig;
  readonly state: VrrpState;
}

/** What a group knows of its past. */
export interface GroupMemory {
  readonly state: VrrpStateName;
  /** Names of the members that were claiming or serving when the group was last at rest. */
  readonly up: ReadonlySet<string>;
}

export interface GroupOrder {
  /** Index of the member it is for. */
  readonly member: number;
  readonly event: VrrpEvent;
}

/** The group entered a state: what its notify scripts hear of. */
export interface GroupReport {
  readonly from: VrrpStateName;
  readonly to: VrrpStateName;
  readonly cause: Cause;
  /** The member that brought it about. */
  readonly instance: string;
}

export const NEW_GROUP: GroupMemory = { state: "INIT", up: new Set() };

const NONE: readonly GroupOrder[] = [];

/** What is due now; empty when the members agree. */
export function groupOrders(members: readonly GroupMember[], memory: GroupMemory): readonly GroupOrder[] {
  for (const rule of [shareFaults, fallBackTogether, claimTogether, takeTogether, releaseTogether]) {
    const orders = rule(members, memory);
    if (orders.length > 0) return orders;
  }
  return NONE;
}

/** The group at rest: what to remember, and what to tell if its state is a new one. */
export function settleGroup(
  members: readonly GroupMember[],
  memory: GroupMemory,
): { readonly memory: GroupMemory; readonly report: GroupReport | null } {
  const to = groupState(members, memory.state);
  const up = new Set(members.filter(isUp).map(({ config }) => config.name));
  if (to === memory.state) return { memory: { state: to, up }, report: null };
  const first = members.find(({ state }) => !follows(state)) ?? members[0];
  if (first === undefined) return { memory, report: null };
  const { cause } = first.state;
  return { memory: { state: to, up }, report: { from: memory.state, to, cause, instance: first.config.name } };
}

/** All members in one state, or FAULT when the last of them has stopped serving; in between the group stays what it was. */
function groupState(members: readonly GroupMember[], before: VrrpStateName): VrrpStateName {
  const names = members.map(({ state }) => stateName(state));
  const [first] = names;
  if (first !== undefined && names.every((name) => name === first)) return first;
  if (names.includes("MASTER")) return before;
  if (names.includes("FAULT")) return "FAULT";
  return names.includes("INIT") || names.includes("STOP") ? before : "BACKUP";
}

/** It did what it did because of another member. */
function follows({ cause }: VrrpState): boolean {
  if (cause.code === "sibling-left") return true;
  return cause.code === "fault" && cause.faults.length > 0 && cause.faults.every((fault) => fault.kind === "sibling");
}

/** It claims or serves. */
function isUp({ state: { role } }: GroupMember): boolean {
  return role.kind === "master" || (role.kind === "backup" && role.preparing !== null);
}

const ownFaults = ({ faults }: VrrpState): readonly Fault[] => faults.filter((fault) => fault.kind !== "sibling");

/**
 * Everybody hears of the member that failed first, and that one of the next: two faults for the whole group, however many members
 * it has, so that work and messages grow with their number and not with its square.
 */
function shareFaults(members: readonly GroupMember[]): readonly GroupOrder[] {
  const running = members.filter(({ state }) => state.role.kind !== "stopped");
  const faulty = running.filter(({ state }) => state.faults.some((fault) => fault.kind !== "sibling"));
  const lead = earliest(faulty, null);
  const forLead = siblingFault(earliest(faulty, lead), faulty.length - 2);
  const forFaulty = siblingFault(lead, faulty.length - 2);
  const forFit = siblingFault(lead, faulty.length - 1);
  const failed = new Set(faulty);
  const waiting = running.reduce((count, { state }) => (state.waiting ? count + 1 : count), 0);
  const knows = knowledge();
  const orders: GroupOrder[] = [];
  for (const [index, member] of members.entries()) {
    const { state } = member;
    if (state.role.kind === "stopped") continue;
    const fault = member === lead ? forLead : failed.has(member) ? forFaulty : forFit;
    const othersWait = waiting > (state.waiting ? 1 : 0);
    if (othersWait === state.siblingsWaiting && knows(state, fault)) continue;
    orders.push({ member: index, event: { kind: "siblings", fault, waiting: othersWait } });
  }
  return orders;
}

/** The one that has been in its state longest; by name among equals, so that it does not depend on who is asked first. */
function earliest(faulty: readonly GroupMember[], but: GroupMember | null): GroupMember | null {
  let first: GroupMember | null = null;
  for (const member of faulty) if (member !== but && (first === null || isBefore(member, first))) first = member;
  return first;
}

function isBefore(one: GroupMember, other: GroupMember): boolean {
  if (one.state.since !== other.state.since) return one.state.since < other.state.since;
  return one.config.name < other.config.name;
}

function siblingFault(member: GroupMember | null, more: number): SiblingFault | null {
  if (member === null) return null;
  const { config, state } = member;
  return {
    kind: "sibling",
    group: config.syncGroup?.name ?? "",
    instance: config.name,
    faults: ownFaults(state),
    more,
  };
}

/** Whether a member has heard of it. Members hold the same object, which is compared by value once. */
function knowledge(): (state: VrrpState, fault: SiblingFault | null) => boolean {
  const same = new Map<SiblingFault, Fault>();
  return ({ faults }, fault) => {
    const known = faults.find(({ kind }) => kind === "sibling") ?? null;
    if (known === null || fault === null) return known === fault;
    if (same.get(fault) === known) return true;
    if (!sameValue(fault, known)) return false;
    same.set(fault, known);
    return true;
  };
}

/** Who was up and is BACKUP now has been beaten or has lost its address; the others follow, waiting as long as it waits. */
function fallBackTogether(members: readonly GroupMember[], memory: GroupMemory): readonly GroupOrder[] {
  const others = [...members.entries()].filter(([, member]) => isUp(member) && !isReleasing(member));
  if (others.length === 0) return NONE;
  const left = members.find((member) => hasFallen(member, memory));
  if (left === undefined) return NONE;
  const cause: Cause = {
    code: "sibling-left",
    group: left.config.syncGroup?.name ?? "",
    instance: left.config.name,
  };
  const wait = left.state.cause.code === "address-removed" ? "skew" : "master-down";
  return others.map(([member]) => ({ member, event: { kind: "group-back", cause, wait } }));
}

function hasFallen(member: GroupMember, { up }: GroupMemory): boolean {
  const { role } = member.state;
  if (role.kind !== "backup" || role.preparing !== null) return false;
  return up.has(member.config.name) || (up.size > 0 && obeysMaster(member));
}

/** A member that joins a serving group, but hears a master that it obeys. */
function obeysMaster({ config, state: { role, priority } }: GroupMember): boolean {
  if (role.kind !== "backup" || role.wants || role.master === null || role.resigned) return false;
  return !config.preempt || role.master.priority >= priority;
}

/** Only when everyone wants it: BACKUP is better than a tug-of-war. */
function claimTogether(members: readonly GroupMember[]): readonly GroupOrder[] {
  if (!members.every((member) => (isUp(member) && !isReleasing(member)) || wants(member))) return NONE;
  return orderTo(members, wants, { kind: "group-claim" });
}

function wants({ state: { role } }: GroupMember): boolean {
  return role.kind === "backup" && role.wants && role.preparing === null;
}

function takeTogether(members: readonly GroupMember[]): readonly GroupOrder[] {
  if (!members.every((member) => isHolding(member) || gateIsOpen(member))) return NONE;
  return orderTo(members, gateIsOpen, { kind: "group-take" });
}

function gateIsOpen({ state: { role } }: GroupMember): boolean {
  if (role.kind === "backup") return role.preparing?.opened === true;
  return role.kind === "master" && role.phase.kind === "claiming" && role.phase.opened;
}

function isHolding({ state: { role } }: GroupMember): boolean {
  return role.kind === "master" && role.phase.kind === "holding";
}

function isReleasing({ state: { role } }: GroupMember): boolean {
  return role.kind === "master" && role.phase.kind === "releasing";
}

function releaseTogether(members: readonly GroupMember[]): readonly GroupOrder[] {
  const waiting = members.some(
    ({ state: { role } }) => role.kind === "master" && !(role.phase.kind === "releasing" && role.phase.done),
  );
  return waiting ? NONE : orderTo(members, isReleasing, { kind: "group-release" });
}

function orderTo(
  members: readonly GroupMember[],
  which: (member: GroupMember) => boolean,
  event: VrrpEvent,
): readonly GroupOrder[] {
  return [...members.entries()].filter(([, member]) => which(member)).map(([member]) => ({ member, event }));
}
