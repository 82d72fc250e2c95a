/**
 * The sync groups of one keeper: notices when a member has changed, asks the pure group (core/vrrp/sync-group.ts) what is due
 * and gives the orders, until the members agree; then the group's own change of state is told, after those of its members.
 * It decides nothing.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { type GroupMemory, groupOrders, NEW_GROUP, settleGroup } from "../core/vrrp/sync-group.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export interface SyncGroupHost {
  all(): readonly Runtime[];
  dispatch(runtime: Runtime, event: VrrpEvent): void;
  event(body: HoldfastEventBody): void;
}

/** Rounds until the members agree: fault, claim, gates and release are one each. */
const ROUNDS_MAX = 16;

export class SyncGroups {
  readonly #host: SyncGroupHost;
  readonly #memories = new Map<string, GroupMemory>();
  /** Groups to look at, with the member that changed first. */
  readonly #touched = new Map<string, Runtime>();

  constructor(host: SyncGroupHost) {
    this.#host = host;
  }

  /** A member's machine has made a step. Adverts of a serving master are steps that concern nobody else. */
  stepped(runtime: Runtime, before: VrrpState, after: VrrpState): void {
    const group = runtime.config.syncGroup;
    if (group === null || this.#touched.has(group.name) || isRoutine(before, after)) return;
    this.#touched.set(group.name, runtime);
  }

  touch(runtime: Runtime): void {
    const group = runtime.config.syncGroup;
    if (group !== null && !this.#touched.has(group.name)) this.#touched.set(group.name, runtime);
  }

  /** Brings every touched group to agreement. */
  settle(): void {
    if (this.#touched.size === 0) return;
    for (const [name, first] of this.#touched) this.#settleGroup(name, first);
    this.#touched.clear();
  }

  /** Groups that no instance names any more are forgotten. */
  forgetUnused(): void {
    const used = new Set(this.#host.all().map(({ config }) => config.syncGroup?.name));
    for (const name of this.#memories.keys()) if (!used.has(name)) this.#memories.delete(name);
  }

  stateOf(name: string): GroupMemory["state"] {
    return (this.#memories.get(name) ?? NEW_GROUP).state;
  }

  #settleGroup(name: string, first: Runtime): void {
    const memory = this.#memories.get(name) ?? NEW_GROUP;
    const members = this.#membersOf(name, first);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const orders = groupOrders(members, memory);
      if (orders.length === 0) break;
      for (const { member, event } of orders) {
        const runtime = members[member];
        if (runtime !== undefined) this.#host.dispatch(runtime, event);
      }
    }
    const settled = settleGroup(members, memory);
    this.#memories.set(name, settled.memory);
    if (settled.report !== null) this.#host.event({ kind: "sync-group", group: name, ...settled.report });
  }

  /** In the group's order, but who has changed first is told first, as with keepalived. */
  #membersOf(name: string, first: Runtime): readonly Runtime[] {
    const members = this.#host.all().filter(({ config }) => config.syncGroup?.name === name);
    const places = new Map((first.config.syncGroup?.members ?? []).map((member, index) => [member, index]));
    const place = (runtime: Runtime): number => (runtime === first ? -1 : (places.get(runtime.config.name) ?? -1));
    return members.sort((a, b) => place(a) - place(b));
  }
}

function isRoutine(before: VrrpState, after: VrrpState): boolean {
  if (before.faults !== after.faults || before.waiting !== after.waiting) return false;
  if (before.siblingsWaiting !== after.siblingsWaiting) return false;
  const [a, b] = [before.role, after.role];
  if (a.kind === "master" && b.kind === "master") return a.phase === b.phase;
  if (a.kind !== "backup" || b.kind !== "backup") return a.kind === b.kind;
  return a.preparing === b.preparing && a.wants === b.wants && (a.master === null) === (b.master === null);
}
