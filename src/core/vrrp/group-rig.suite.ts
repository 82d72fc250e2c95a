/**
 * Several virtual routers of one host on a bench, with their sync groups: feeds events and deadlines in order of time and gives
 * what they do, one effect after the other, to a listener. Used by tests and by the recordings in conformance/vrrp.
 */
import { assert } from "../lib/assert.ts";
import type { IpAddress } from "../lib/ip.ts";
import { type Instant, instant } from "../lib/units.ts";
import type { Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { initialState, nextDeadline, phaseName, reconfigure, stateName, step } from "./machine.ts";
import { describeEffect, OURS } from "./rig.suite.ts";
import type { VrrpState } from "./state.ts";
import { type GroupMemory, type GroupReport, groupOrders, NEW_GROUP, settleGroup } from "./sync-group.ts";

interface Member {
  config: VrrpInstanceConfig;
  state: VrrpState;
}

export interface GroupRigListener {
  effect(name: string, effect: VrrpEffect): void;
  group(name: string, report: GroupReport): void;
}

export class GroupRig {
  readonly members: readonly Member[];
  readonly #memories = new Map<string, GroupMemory>();
  readonly #listener: GroupRigListener;
  #said: string[] = [];
  readonly start: Instant;
  now: Instant;

  constructor(configs: readonly VrrpInstanceConfig[], listener: Partial<GroupRigListener> = {}, start = 1_000_000_000) {
    this.start = instant(start);
    this.now = this.start;
    this.members = configs.map((config) => ({ config, state: initialState(config, this.now) }));
    this.#listener = { effect: () => undefined, group: () => undefined, ...listener };
  }

  state(name: string): VrrpState {
    return this.#member(name).state;
  }

  /** "VI_1 MASTER, VI_2 BACKUP". */
  get phases(): string {
    return this.members.map(({ config, state }) => `${config.name} ${phaseName(state)}`).join(", ");
  }

  get names(): readonly string[] {
    return this.members.map(({ state }) => stateName(state));
  }

  groupState(group: string): string {
    return (this.#memories.get(group) ?? NEW_GROUP).state;
  }

  /** What happened since the last call, "VI_1 send-advert". */
  said(): string[] {
    const said = this.#said;
    this.#said = [];
    return said;
  }

  begin(): this {
    for (const { config } of this.members) this.send(config.name, { kind: "start" });
    for (const { config } of this.members) this.fit(config.name);
    return this;
  }

  fit(name: string, faults: readonly Fault[] = [], priority = this.#member(name).config.priority): this {
    return this.send(name, { kind: "fitness", faults, waiting: false, priority, source: OURS });
  }

  hear(name: string, priority: number, source: IpAddress): this {
    const { advertInterval } = this.#member(name).config;
    return this.send(name, { kind: "advert", advert: { source, priority, advertInterval } });
  }

  send(name: string, event: VrrpEvent): this {
    this.#step(this.#member(name), event);
    this.#settle(this.#member(name));
    return this;
  }

  reconfigure(name: string, config: VrrpInstanceConfig): this {
    const member = this.#member(name);
    const { state, effects } = reconfigure(member.config, config, member.state, this.now);
    member.config = config;
    this.#note(member, state, effects);
    this.#settle(member);
    return this;
  }

  /** Lets time pass; deadlines are kept to the microsecond. */
  pass(millis: number): this {
    const until = instant(this.now + millis * 1_000);
    for (let steps = 0; ; steps++) {
      assert(steps < 100_000, "the machines ask for deadlines without end");
      const due = this.#earliest();
      if (due === null || due.at > until) break;
      this.now = instant(Math.max(this.now, due.at));
      this.#step(due.member, { kind: "deadline" });
      this.#settle(due.member);
    }
    this.now = until;
    return this;
  }

  #earliest(): { member: Member; at: number } | null {
    let first: { member: Member; at: number } | null = null;
    for (const member of this.members) {
      const at = nextDeadline(member.state);
      if (at !== null && (first === null || at < first.at)) first = { member, at };
    }
    return first;
  }

  #step(member: Member, event: VrrpEvent): void {
    const { state, effects } = step(member.config, member.state, event, this.now);
    this.#note(member, state, effects);
  }

  #note(member: Member, state: VrrpState, effects: readonly VrrpEffect[]): void {
    member.state = state;
    for (const effect of effects) {
      this.#said.push(`${member.config.name} ${describeEffect(effect)}`);
      this.#listener.effect(member.config.name, effect);
    }
  }

  /** As the engine does it. */
  #settle(first: Member): void {
    const group = first.config.syncGroup?.name;
    if (group === undefined) return;
    const memory = this.#memories.get(group) ?? NEW_GROUP;
    const others = this.members.filter((member) => member !== first && member.config.syncGroup?.name === group);
    const members = [first, ...others];
    for (let rounds = 0; ; rounds++) {
      assert(rounds < 16, "the group does not come to agreement");
      const orders = groupOrders(members, memory);
      if (orders.length === 0) break;
      for (const { member, event } of orders) this.#step(members[member] ?? first, event);
    }
    const settled = settleGroup(members, memory);
    this.#memories.set(group, settled.memory);
    if (settled.report === null) return;
    const { from, to, cause } = settled.report;
    this.#said.push(`${group} ${from}->${to} ${cause.code}`);
    this.#listener.group(group, settled.report);
  }

  #member(name: string): Member {
    const member = this.members.find(({ config }) => config.name === name);
    assert(member !== undefined, `no instance ${name}`);
    return member;
  }
}
