/**
 * Servers that are managed: opened before their instance takes its address, closed before it gives it up, and closed whenever they are
 * found open without it. Stands between the keeper's gates and the hooks: a server is prepared before notify_claim runs and closed before
 * notify_release. This file only says who gets which order; what is done is in mysql-claim.ts, mysql-closing.ts, mysql-resuming.ts,
 * mysql-moving.ts and, after an opening, mysql-tending.ts.
 */

import type { HoldfastConfig } from "../core/config/model.ts";
import type { NamingOutcome } from "../core/database/first-writer.ts";
import { sameValue } from "../core/lib/same-value.ts";
import type { MysqlFacts } from "../core/mysql/facts.ts";
import type { ServerPositions } from "../core/mysql/positions.ts";
import type { TakeoverPlan } from "../core/mysql/takeover-plan.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { GateQuestion } from "./hook-engine.ts";
import { type ClaimAnswers, consentTo, planOf, startClaim } from "./mysql-claim.ts";
import { closeFound, closeManaged, closeUnwanted } from "./mysql-closing.ts";
import { type DoctorReport, examine } from "./mysql-doctor.ts";
import { standbyTrouble, tendStandby } from "./mysql-following.ts";
import { askPositions } from "./mysql-group.ts";
import { rememberHome, settleTail } from "./mysql-home.ts";
import {
  type Managed,
  type ManagedSettings,
  managedOf,
  newManaged,
  noteChannels,
  noteUnreachable,
} from "./mysql-managed.ts";
import { move, switchoverOf } from "./mysql-moving.ts";
import { nameWriter } from "./mysql-naming.ts";
import { watchPrivileges } from "./mysql-privileges.ts";
import { createMysqlRepairs, type MysqlRepairs } from "./mysql-repairs.ts";
import { resumeReceiver } from "./mysql-resuming.ts";
import { heardRival, tendStray } from "./mysql-stray.ts";
import type { SwitchoverOutcome } from "./mysql-switchover.ts";
import { MysqlWork, type MysqlWorkOptions } from "./mysql-work.ts";

export interface MysqlManagerOptions extends MysqlWorkOptions, ClaimAnswers {}

export interface MysqlManager {
  configure(config: HoldfastConfig): void;
  /** Closes what is managed, before VRRP begins; resolves when that is done or cannot be done now. */
  guard(): Promise<void>;
  /** Call with every gate: those of instances without a managed server go straight on. */
  ask(question: GateQuestion): void;
  cancel(instance: string, gate: number): void;
  cancelAll(): void;
  entered(instance: string, state: VrrpStateName): void;
  /** As MASTER it has heard another one. */
  rival(instance: string): void;
  /** After every look at a server; null while it cannot be asked. */
  looked(name: string, facts: MysqlFacts | null): void;
  /** Where all servers of a managed block stand; null when nobody manages it. */
  positions(name: string): Promise<readonly ServerPositions[]> | null;
  /** What is wrong and stays so: with the account, and on the writer's host with the group. */
  troubles(name: string): readonly string[];
  /** What is set on them that should not be; null when nobody manages it. */
  examine(name: string): Promise<DoctorReport> | null;
  /** What a claim would do now; null when nobody manages that server. */
  plan(name: string): Promise<TakeoverPlan> | null;
  /** The next claim within a minute may go on where only an operator can decide; false when nobody manages that server. */
  consent(name: string): boolean;
  /** The server may be the first writer although no peer can be asked; null when nobody manages it. */
  nameWriter(name: string): Promise<NamingOutcome> | null;
  /** Moves the writer away from this host; null when nobody manages that server. */
  switchover(name: string): Promise<SwitchoverOutcome> | null;
  /** What that would do. */
  planSwitchover(name: string): Promise<TakeoverPlan> | null;
  /** What is done only by an operator's order. */
  readonly repairs: MysqlRepairs;
  /** Resolves when everything begun for that instance is done. */
  settled(instance: string): Promise<void>;
  /** Resolves when what was being closed is closed. */
  stop(): Promise<void>;
}

export function createMysqlManager(options: MysqlManagerOptions): MysqlManager {
  return new Manager(options);
}

class Manager implements MysqlManager {
  readonly repairs: MysqlRepairs;
  readonly #options: MysqlManagerOptions;
  readonly #work: MysqlWork;
  readonly #managed = new Map<string, Managed>();

  constructor(options: MysqlManagerOptions) {
    this.#options = options;
    this.#work = new MysqlWork(options);
    this.repairs = createMysqlRepairs(this.#work, (name) => this.#find(name));
  }

  configure(config: HoldfastConfig): void {
    const wanted = managedOf(config);
    for (const [instance, managed] of this.#managed) {
      if (wanted.has(instance)) continue;
      managed.tending?.end();
      managed.isolation?.end();
      void managed.absence?.end();
      this.#managed.delete(instance);
    }
    for (const [instance, settings] of wanted) this.#adopt(instance, settings);
  }

  #adopt(instance: string, settings: ManagedSettings): void {
    const known = this.#managed.get(instance);
    if (known === undefined) {
      const managed = newManaged(instance, settings, this.#options.tools.records);
      this.#managed.set(instance, managed);
      this.#work.watchAbsence(managed);
      return;
    }
    const same = sameValue(known.config, settings.config);
    Object.assign(known, settings);
    if (!same) this.#work.watchAbsence(known);
    if (known.tending !== null) this.#work.tend(known);
  }

  async guard(): Promise<void> {
    await Promise.all([...this.#managed.values()].map((managed) => closeManaged(this.#work, managed, "guard")));
  }

  ask(question: GateQuestion): void {
    const managed = this.#managed.get(question.instance);
    if (managed === undefined) this.#options.next(question);
    else if (question.which === "claim") startClaim(this.#work, managed, question, this.#options);
    else {
      managed.releasing = true;
      this.#work.queue(managed, () => this.#release(managed, question));
    }
  }

  async #release(managed: Managed, question: GateQuestion): Promise<void> {
    if (!managed.closed) await closeManaged(this.#work, managed, "release");
    managed.closed = false;
    this.#options.next(question);
  }

  cancel(instance: string, gate: number): void {
    for (const run of this.#managed.get(instance)?.runs ?? []) if (run.gate === gate) run.cancelled = true;
  }

  cancelAll(): void {
    for (const { runs } of this.#managed.values()) for (const run of runs) run.cancelled = true;
  }

  entered(instance: string, state: VrrpStateName): void {
    const managed = this.#managed.get(instance);
    if (managed === undefined) return;
    managed.state = state;
    managed.releasing = false;
    managed.strayedAt = null;
    if (state === "MASTER" || !managed.open) return;
    this.#work.queue(managed, () => closeManaged(this.#work, managed, "release"));
  }

  rival(instance: string): void {
    const managed = this.#managed.get(instance);
    if (managed !== undefined) heardRival(this.#work, managed);
  }

  looked(name: string, facts: MysqlFacts | null): void {
    for (const managed of this.#managed.values()) if (managed.config.name === name) this.#looked(managed, facts);
  }

  #looked(managed: Managed, facts: MysqlFacts | null): void {
    if (managed.runs.size > 0) return;
    if (facts !== null) {
      rememberHome(this.#work, managed, facts);
      settleTail(this.#work, managed);
      watchPrivileges(this.#work, managed);
      if (managed.state === "MASTER") tendStray(this.#work, managed, facts.closedBy !== null);
    }
    if (managed.open) {
      closeUnwanted(this.#work, managed);
      return;
    }
    if (facts === null) noteUnreachable(managed);
    else {
      const givenUp = noteChannels(managed, facts);
      if (givenUp !== undefined) resumeReceiver(this.#work, managed, facts.version, givenUp.channel);
      tendStandby(this.#work, managed, facts);
      if (managed.known) managed.first.forget();
      if (facts.closedBy === null) closeFound(this.#work, managed);
    }
  }

  #find(name: string): Managed | undefined {
    return [...this.#managed.values()].find(({ config }) => config.name === name);
  }

  plan(name: string): Promise<TakeoverPlan> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : planOf(this.#work, managed);
  }

  positions(name: string): Promise<readonly ServerPositions[]> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : askPositions(this.#options.tools.sql, managed.config);
  }

  troubles(name: string): readonly string[] {
    const managed = this.#find(name);
    if (managed === undefined) return [];
    return [...managed.lacking, ...standbyTrouble(managed), ...(managed.tending?.troubles ?? [])];
  }

  examine(name: string): Promise<DoctorReport> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : examine(this.#options.tools, managed.config);
  }

  planSwitchover(name: string): Promise<TakeoverPlan> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : switchoverOf(this.#work, managed).plan();
  }

  switchover(name: string): Promise<SwitchoverOutcome> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : move(this.#work, managed);
  }

  nameWriter(name: string): Promise<NamingOutcome> | null {
    const managed = this.#find(name);
    return managed === undefined ? null : nameWriter(this.#work, managed);
  }

  consent(name: string): boolean {
    const found = [...this.#managed.values()].filter(({ config }) => config.name === name);
    for (const managed of found) consentTo(this.#work, managed);
    return found.length > 0;
  }

  settled(instance: string): Promise<void> {
    return this.#managed.get(instance)?.queue ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.cancelAll();
    for (const { tending, isolation } of this.#managed.values()) {
      tending?.end();
      isolation?.end();
    }
    await Promise.all([...this.#managed.values()].map(({ queue }) => queue));
    await Promise.all([...this.#managed.values()].map(({ absence }) => absence?.end()));
  }
}
