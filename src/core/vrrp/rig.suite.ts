/**
 * One virtual router on a bench: feeds events and deadlines in order of time and writes down what it does in short words. Used by
 * the tests of the state machine only.
 */
import { assert } from "../lib/assert.ts";
import type { IpAddress } from "../lib/ip.ts";
import { type Instant, instant, type Micros } from "../lib/units.ts";
import type { Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { ip } from "./example-config.ts";
import { initialState, isHolding, nextDeadline, phaseName, reconfigure, stateName, step } from "./machine.ts";
import type { VrrpPhaseName, VrrpState, VrrpStateName } from "./state.ts";

export const OURS = ip("192.0.2.10");
export const LOWER = ip("192.0.2.9");
export const HIGHER = ip("192.0.2.11");

export const SCRIPT_FAULT: Fault = { kind: "script", key: "chk" };
export const LINK_FAULT: Fault = { kind: "interface", interface: "eth0", problem: "down" };

interface Fitness {
  readonly faults?: readonly Fault[];
  readonly waiting?: boolean;
  readonly priority?: number;
}

export class Rig {
  config: VrrpInstanceConfig;
  state: VrrpState;
  now: Instant = instant(1_000_000_000);
  readonly start: Instant = this.now;
  /** Effects in words, since the last call of said(). */
  #said: string[] = [];
  /** Milliseconds since the start at which each kind of effect last happened. */
  readonly at = new Map<string, number>();

  constructor(config: VrrpInstanceConfig) {
    this.config = config;
    this.state = initialState(config, this.now);
  }

  get name(): VrrpStateName {
    return stateName(this.state);
  }

  get phase(): VrrpPhaseName {
    return phaseName(this.state);
  }

  get holding(): boolean {
    return isHolding(this.state);
  }

  /** Milliseconds since the start. */
  get millis(): number {
    return (this.now - this.start) / 1_000;
  }

  /** Number of the gate asked last. */
  get gate(): number {
    return this.state.gateSerial;
  }

  /** What happened since the last call. */
  said(): string[] {
    const said = this.#said;
    this.#said = [];
    return said;
  }

  send(event: VrrpEvent): this {
    const { state, effects } = step(this.config, this.state, event, this.now);
    this.#note(state, effects);
    return this;
  }

  /** Starts with every tracker in order. */
  begin(): this {
    return this.send({ kind: "start" }).fitness();
  }

  fitness({ faults = [], waiting = false, priority = this.state.priority }: Fitness = {}): this {
    return this.send({ kind: "fitness", faults, waiting, priority, source: OURS });
  }

  hear(priority: number, source: IpAddress = LOWER, advertInterval: Micros = this.config.advertInterval): this {
    return this.send({ kind: "advert", advert: { source, priority, advertInterval } });
  }

  opened(gate = this.gate): this {
    return this.send({ kind: "gate-opened", gate });
  }

  refused(reason = "exit 1", gate = this.gate): this {
    return this.send({ kind: "gate-refused", gate, reason });
  }

  stop(skipGates = false): this {
    return this.send({ kind: "stop", skipGates });
  }

  reconfigure(config: VrrpInstanceConfig): this {
    const { state, effects } = reconfigure(this.config, config, this.state, this.now);
    this.config = config;
    this.#note(state, effects);
    return this;
  }

  /** Lets time pass; deadlines are kept to the microsecond. */
  pass(millis: number): this {
    const until = this.now + millis * 1_000;
    for (let steps = 0; ; steps++) {
      assert(steps < 100_000, "the machine asks for deadlines without end");
      const deadline = nextDeadline(this.state);
      if (deadline === null || deadline > until) break;
      this.now = instant(Math.max(this.now, deadline));
      this.send({ kind: "deadline" });
    }
    this.now = instant(until);
    return this;
  }

  /** Time passes, but nobody wakes us: then whatever was due comes at once. */
  freeze(millis: number): this {
    this.now = instant(this.now + millis * 1_000);
    return this;
  }

  thaw(): this {
    return this.send({ kind: "deadline" });
  }

  /** Lets time pass with a master that advertises all the while. */
  passHearing(millis: number, every: number, priority: number): this {
    for (let passed = 0; passed < millis; passed += every) this.hear(priority).pass(every);
    return this;
  }

  #note(state: VrrpState, effects: readonly VrrpEffect[]): void {
    this.state = state;
    for (const effect of effects) {
      const word = describeEffect(effect);
      this.#said.push(word);
      this.at.set(word, this.millis);
    }
  }
}

export function describeEffect(effect: VrrpEffect): string {
  switch (effect.kind) {
    case "announce":
      return `announce ${effect.repeat}`;
    case "ask-gate":
      return `ask ${effect.which} ${effect.gate}`;
    case "cancel-gate":
      return `cancel ${effect.gate}`;
    case "report":
      return describeReport(effect.report);
    default:
      return effect.kind;
  }
}

function describeReport(report: Extract<VrrpEffect, { readonly kind: "report" }>["report"]): string {
  switch (report.kind) {
    case "state":
      return `${report.from}->${report.to} ${report.cause.code}`;
    case "phase":
      return `(${report.from}->${report.to}) ${report.cause.code}`;
    case "priority":
      return `priority ${report.from}->${report.to}`;
    case "lower-priority-advert":
      return `lower ${report.priority}`;
    case "faults":
      return `faults ${report.faults.map((it) => it.kind).join(",") || "none"}`;
    case "two-owners":
      return "two owners";
    case "announced":
      return "announced";
  }
}
