/**
 * Hooks and gates: one queue per instance, in order, one program at a time, each awaited and limited in time
 * (invariant I5). Nothing queued is ever dropped because a newer state came: every state entered is told exactly once,
 * unless QUEUE_LIMIT notifications wait already. A claim that would not get its turn in time is refused, with the reason.
 * It decides nothing: the keeper says which state was entered and asks for gates, this runs the programs and answers.
 */

import type { Command, HoldfastConfig, InstanceConfig, SyncGroupConfig } from "../core/config/model.ts";
import type { HoldfastEventBody, HookKind } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, type Micros, micros, seconds } from "../core/lib/units.ts";
import { type ToldState, toldState } from "../core/notify/told-state.ts";
import type { Cause } from "../core/vrrp/causes.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import { PLAIN_POLICY, type ScriptPolicy } from "../ports/spawner.ts";
import { scriptPolicy } from "./check-engine.ts";
import { type CommandResult, type CommandRun, type CommandTools, runCommand } from "./command-run.ts";

export interface GateQuestion {
  readonly instance: string;
  readonly which: "claim" | "release";
  readonly gate: number;
  readonly priority: number;
  /** The live master that is heard while the claim is prepared; absent when none is. */
  readonly preempts?: IpAddress;
}

export interface GateAnswer {
  readonly instance: string;
  readonly gate: number;
  readonly opened: boolean;
  /** Empty when opened. */
  readonly reason: string;
}

export interface HookEngineOptions {
  readonly tools: CommandTools;
  readonly publish: (body: HoldfastEventBody) => void;
  readonly answer: (answer: GateAnswer) => void;
  /** The whole daemon stops: otherwise an instance that stops was removed by a reload. */
  readonly stopping?: () => boolean;
}

export interface HookEngine {
  configure(config: HoldfastConfig): void;
  /** Queues what the configuration wants told; call with every report of the keeper, in its order. */
  report(instance: string, report: VrrpReport): void;
  /** The same for a sync group, after the reports of its members; its hooks start after those that its members were told. */
  reportGroup(group: string, to: VrrpStateName, cause: Cause): void;
  ask(question: GateQuestion): void;
  /** The program of the gate is ended before the next hook starts; a cancelled gate gets no answer. */
  cancel(instance: string, gate: number): void;
  /** The keeper that asked is dead: all its gates end. */
  cancelAll(): void;
  /** State last entered; INIT before the first. */
  stateOf(instance: string): VrrpStateName;
  /** Resolves when every queue has run empty. */
  idle(): Promise<void>;
  /** Drops what is queued and kills what runs. */
  kill(): void;
}

/** Jobs of one instance that may wait; far beyond what a host that works ever has. */
export const QUEUE_LIMIT = 64;
/** The part of claim_timeout after which a claim that has not had its turn is refused: before the keeper gives it up unexplained. */
const TURN_LIMIT = 0.9;
/** A shorter wait explains no refusal. */
const NOTABLE_WAIT = seconds(1);

interface Job {
  readonly hook: HookKind;
  readonly command: Command;
  readonly policy: ScriptPolicy;
  readonly timeout: Micros;
  readonly state: VrrpStateName;
  readonly cause: string;
  /** Null for notifications. */
  readonly gate: GateQuestion | null;
  readonly queuedAt: Instant;
}

interface Queue {
  /** Name of the instance, or of the sync group. */
  readonly instance: string;
  /** Of a sync group: its members. */
  members: readonly string[] | null;
  readonly jobs: Job[];
  running: { readonly job: Job; readonly run: CommandRun; readonly since: Instant } | null;
  /** Hook that ended last. */
  last: HookKind | null;
  config: HookOwner | null;
  policy: ScriptPolicy;
  state: VrrpStateName;
  cause: string;
}

/** What the queue needs to know of its instance or group. */
type HookOwner = Pick<InstanceConfig, "hooks" | "hookTimeout"> & {
  readonly vrrp: InstanceConfig["vrrp"] | null;
  readonly notices: InstanceConfig["notices"] | null;
};

interface Entered {
  readonly to: VrrpStateName;
  readonly told: ToldState;
  readonly cause: Cause;
  readonly args: readonly string[];
}

const SPECIFIC: Readonly<Record<ToldState, HookKind>> = {
  MASTER: "notify_master",
  BACKUP: "notify_backup",
  FAULT: "notify_fault",
  STOP: "notify_stop",
  DELETED: "notify_deleted",
};

export function createHookEngine(options: HookEngineOptions): HookEngine {
  return new Hooks(options);
}

class Hooks implements HookEngine {
  readonly #options: HookEngineOptions;
  readonly #queues = new Map<string, Queue>();
  #killed = false;
  #waiting: (() => void)[] = [];

  constructor(options: HookEngineOptions) {
    this.#options = options;
  }

  configure(config: HoldfastConfig): void {
    const policy = scriptPolicy(config);
    // Instances that are gone keep their hooks: the keeper still has their end to report.
    for (const instance of config.instances) {
      const queue = this.#queue(instance.vrrp.name);
      queue.config = instance;
      queue.policy = policy;
    }
    for (const group of config.groups) this.#configureGroup(group, policy);
  }

  report(instance: string, report: VrrpReport): void {
    const queue = this.#queue(instance);
    if (report.kind === "phase") queue.cause = causeText(report.cause);
    if (report.kind === "lower-priority-advert" && report.state === "MASTER") this.#lowerPriority(queue);
    if (report.kind !== "state") return;
    const deleted = queue.config?.notices?.deleted ?? false;
    const told = toldState(report.to, { stopping: this.#options.stopping?.() ?? true, deleted });
    if (told === null) return;
    const args = ["INSTANCE", instance, told, String(report.priority)];
    this.#entered(queue, { to: report.to, told, cause: report.cause, args });
  }

  reportGroup(group: string, to: VrrpStateName, cause: Cause): void {
    const told = toldState(to, { stopping: this.#options.stopping?.() ?? true, deleted: false });
    // keepalived's priority of a group is 0.
    if (told !== null)
      this.#entered(this.#queue(group, "GROUP"), { to, told, cause, args: ["GROUP", group, told, "0"] });
  }

  #entered(queue: Queue, what: Entered): void {
    const { to, told, cause, args } = what;
    queue.state = to;
    queue.cause = causeText(cause);
    this.#notify(queue, SPECIFIC[told], []);
    this.#notify(queue, "notify", args);
    this.#pump(queue);
  }

  #configureGroup({ name, members, hooks, hookTimeout }: SyncGroupConfig, policy: ScriptPolicy): void {
    const queue = this.#queue(name, "GROUP");
    queue.members = members;
    queue.config = { hooks, hookTimeout, vrrp: null, notices: null };
    queue.policy = policy;
  }

  ask(question: GateQuestion): void {
    const { instance, which, gate, priority } = question;
    const queue = this.#queue(instance);
    const hook: HookKind = which === "claim" ? "notify_claim" : "notify_release";
    const command = queue.config?.hooks[hook];
    const limits = queue.config?.vrrp?.[which === "claim" ? "claimGate" : "releaseGate"];
    if (command === undefined || !limits) {
      this.#options.answer({ instance, gate, opened: true, reason: "" });
      return;
    }
    const args = ["INSTANCE", instance, String(priority)];
    this.#add(queue, { hook, command: withArguments(command, args), timeout: limits.timeout, gate: question });
    const turn = micros(Math.round(limits.timeout * TURN_LIMIT));
    if (which === "claim") this.#options.tools.timers.schedule(turn, () => this.#refuseWaiting(queue, question));
    // The report that says why follows the question at once; the hook shall hear that cause.
    this.#options.tools.timers.schedule(micros(0), () => this.#pump(queue));
  }

  cancel(instance: string, gate: number): void {
    const queue = this.#queue(instance);
    const waiting = queue.jobs.findIndex((job) => job.gate?.gate === gate);
    if (waiting >= 0) queue.jobs.splice(waiting, 1);
    if (queue.running?.job.gate?.gate === gate) queue.running.run.cancel();
  }

  cancelAll(): void {
    for (const queue of this.#queues.values()) {
      const gates = queue.jobs.map((job) => job.gate).concat(queue.running?.job.gate ?? null);
      for (const gate of gates) if (gate) this.cancel(queue.instance, gate.gate);
    }
  }

  stateOf(instance: string): VrrpStateName {
    return this.#queues.get(instance)?.state ?? "INIT";
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#settle();
    });
  }

  kill(): void {
    this.#killed = true;
    for (const queue of this.#queues.values()) {
      queue.jobs.length = 0;
      queue.running?.run.kill();
    }
  }

  /** An instance and a sync group may have the same name. */
  #queue(instance: string, kind: "INSTANCE" | "GROUP" = "INSTANCE"): Queue {
    const key = kind === "GROUP" ? `GROUP ${instance}` : instance;
    const known = this.#queues.get(key);
    if (known) return known;
    const queue: Queue = {
      instance,
      members: null,
      jobs: [],
      running: null,
      last: null,
      config: null,
      policy: PLAIN_POLICY,
      state: "INIT",
      cause: "start",
    };
    this.#queues.set(key, queue);
    return queue;
  }

  /** A rival may send a hundred adverts a second: one that waits for its turn speaks for all of them. */
  #lowerPriority(queue: Queue): void {
    const hook = "notify_master_rx_lower_pri";
    if (queue.jobs.some((job) => job.hook === hook)) return;
    this.#notify(queue, hook, []);
    this.#pump(queue);
  }

  #notify(queue: Queue, hook: HookKind, args: readonly string[]): void {
    const command = queue.config?.hooks[hook];
    if (command === undefined || queue.config === null) return;
    const timeout = queue.config.hookTimeout;
    this.#add(queue, { hook, command: withArguments(command, args), timeout, gate: null });
  }

  #add(queue: Queue, job: Pick<Job, "hook" | "command" | "timeout" | "gate">): void {
    // What the keeper reports after that is told to nobody: the daemon must end.
    if (this.#killed) return;
    if (job.gate === null && queue.jobs.length >= QUEUE_LIMIT) this.#drop(queue, job);
    // State and cause are those of now, not those of the moment at which its turn comes.
    else {
      const queuedAt = this.#options.tools.timers.now();
      queue.jobs.push({ ...job, queuedAt, policy: queue.policy, state: queue.state, cause: queue.cause });
    }
  }

  #drop(queue: Queue, { hook, command }: Pick<Job, "hook" | "command">): void {
    const reason = `dropped, because ${queue.jobs.length} hooks wait already: ${this.#waitedBehind(queue)}`;
    this.#options.publish({
      kind: "hook-ended",
      instance: queue.instance,
      hook,
      command: command.text,
      outcome: { kind: "spawn-failed", reason },
      lastError: null,
      durationMillis: 0,
    });
  }

  #waitedBehind({ running }: Queue): string {
    if (running === null) return "waited behind hooks that have ended";
    const lasted = Math.round((this.#options.tools.timers.now() - running.since) / 1_000_000);
    return `waited behind ${running.job.hook}, which has been running for ${lasted} s`;
  }

  /** Its program would have no time left: better a refusal that names the hook that hangs. */
  #refuseWaiting(queue: Queue, { instance, gate }: GateQuestion): void {
    const index = queue.jobs.findIndex((job) => job.gate?.gate === gate);
    if (index < 0) return;
    queue.jobs.splice(index, 1);
    this.#options.answer({ instance, gate, opened: false, reason: `notify_claim ${this.#waitedBehind(queue)}` });
  }

  /** A member's notification that was queued earlier goes first. */
  #waitsForMember({ members, jobs }: Queue): boolean {
    const job = jobs[0];
    if (members === null || job === undefined) return false;
    return members.some((member) =>
      this.#queues.get(member)?.jobs.some((other) => other.gate === null && other.queuedAt <= job.queuedAt),
    );
  }

  #pumpGroups(member: string): void {
    for (const queue of this.#queues.values()) if (queue.members?.includes(member)) this.#pump(queue);
  }

  #pump(queue: Queue): void {
    if (queue.running !== null || this.#waitsForMember(queue)) return;
    const job = queue.jobs.shift();
    if (job === undefined) {
      this.#settle();
      return;
    }
    const { instance } = queue;
    const { hook, command, policy } = job;
    const now = this.#options.tools.timers.now();
    const waited = micros(now - job.queuedAt);
    // The keeper counts a gate's time from its question: what has waited has less, and must be able to say so.
    const late = job.gate?.which === "claim" && waited >= NOTABLE_WAIT;
    const timeout = late ? micros(Math.round((job.timeout - waited) * TURN_LIMIT)) : job.timeout;
    const excuse = late ? `, after it had waited ${Math.round(waited / 1e6)} s behind ${queue.last}` : "";
    this.#options.publish({ kind: "hook-started", instance, hook, command: command.text });
    const { state, cause } = job.gate === null ? job : queue;
    const who = queue.members === null ? { HOLDFAST_INSTANCE: instance } : { HOLDFAST_GROUP: instance };
    const env = { ...who, HOLDFAST_STATE: state, HOLDFAST_CAUSE: cause };
    const run = runCommand(
      this.#options.tools,
      { command, policy, env, timeout, patient: false },
      { onEnd: (result) => this.#ended(queue, job, result, excuse) },
    );
    queue.running = { job, run, since: now };
    if (queue.members === null) this.#pumpGroups(instance);
  }

  #ended(queue: Queue, job: Job, result: CommandResult, excuse: string): void {
    const { instance } = queue;
    const { hook, command, gate } = job;
    const { outcome, lastError, durationMillis } = result;
    queue.running = null;
    queue.last = hook;
    this.#options.publish({
      kind: "hook-ended",
      instance,
      hook,
      command: command.text,
      outcome,
      lastError,
      durationMillis,
    });
    if (gate !== null && !result.cancelled) this.#options.answer(answerOf(gate, result, excuse));
    this.#pump(queue);
  }

  #settle(): void {
    for (const queue of this.#queues.values()) if (queue.running !== null || queue.jobs.length > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function withArguments(command: Command, args: readonly string[]): Command {
  return { ...command, argv: [...command.argv, ...args] };
}

function answerOf(gate: GateQuestion, result: CommandResult, excuse: string): GateAnswer {
  const { instance, which, gate: number } = gate;
  // A release cannot be refused: however the hook ends, the address must go.
  if (which === "release") return { instance, gate: number, opened: true, reason: "" };
  const { outcome, lastError } = result;
  if (outcome.kind === "exit" && outcome.code === 0) return { instance, gate: number, opened: true, reason: "" };
  const detail = lastError === null ? "" : `: ${lastError}`;
  return { instance, gate: number, opened: false, reason: `notify_claim ${endText(outcome)}${excuse}${detail}` };
}

function endText(outcome: CommandResult["outcome"]): string {
  switch (outcome.kind) {
    case "exit":
      return `exited with ${outcome.code}`;
    case "signal":
      return `was ended by ${outcome.signal}`;
    case "timeout":
      return `did not finish within ${outcome.afterMillis} ms`;
    case "spawn-failed":
      return `could not be run (${outcome.reason})`;
  }
}

function causeText(cause: Cause): string {
  return cause.code;
}
