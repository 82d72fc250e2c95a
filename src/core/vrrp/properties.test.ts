import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { assert } from "../lib/assert.ts";
import { type Instant, instant, micros, millis, seconds } from "../lib/units.ts";
import type { Fault } from "./causes.ts";
import type { VrrpInstanceConfig } from "./config.ts";
import type { VrrpEffect } from "./effects.ts";
import type { VrrpEvent } from "./events.ts";
import { configWith, virtualAddress } from "./example-config.ts";
import {
  initialState,
  isHolding,
  nextDeadline,
  phaseName,
  reconfigure,
  type Step,
  stateName,
  step,
} from "./machine.ts";
import { masterDeadline, routineAdvert } from "./master.ts";
import { HIGHER, LINK_FAULT, LOWER, OURS, SCRIPT_FAULT } from "./rig.suite.ts";
import type { VrrpPhaseName, VrrpState, VrrpStateName } from "./state.ts";
import type { Draft } from "./transition.ts";

/** Always the same search, so that what it must reach is reached; other properties look elsewhere every time. */
const RUNS = { numRuns: runs(4_000, 60_000), seed: 82 };

const anyConfig: fc.Arbitrary<VrrpInstanceConfig> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    priority: fc.constantFrom(1, 100, 150, 254, 255),
    advertInterval: fc.constantFrom(seconds(1), seconds(5)),
    initialState: fc.constantFrom("MASTER" as const, "BACKUP" as const),
    preempt: fc.boolean(),
    preemptDelay: fc.constantFrom(micros(0), seconds(3)),
    downTimerAdverts: fc.constantFrom(1, 3, 10),
    claimGate: fc.constantFrom(null, { timeout: seconds(2) }, { timeout: seconds(30) }),
    releaseGate: fc.constantFrom(null, { timeout: seconds(3) }),
    leaseSeconds: fc.constantFrom(null, 2, 14),
    lowerPrioNoAdvert: fc.boolean(),
    soleSuccessor: fc.boolean(),
    higherPrioSendAdvert: fc.boolean(),
    trackScripts: fc.constantFrom([], [{ key: "chk", weight: 0, reverse: false }]),
    refresh: fc.constantFrom(micros(0), seconds(7)),
    delay: fc.constantFrom(micros(0), seconds(5)),
  })
  .map(({ refresh, delay, ...rest }) =>
    configWith({ ...rest, garp: { ...configWith().garp, refresh, delay, lowerPrioDelay: delay } }),
  );

type Action =
  | { readonly kind: "event"; readonly event: VrrpEvent }
  | { readonly kind: "gate"; readonly opens: boolean; readonly stale: boolean }
  | { readonly kind: "pass"; readonly millis: number }
  /** A master advertises for so many seconds. */
  | { readonly kind: "listen"; readonly seconds: number; readonly priority: number }
  | { readonly kind: "freeze"; readonly millis: number }
  | { readonly kind: "reconfigure"; readonly config: VrrpInstanceConfig };

const ADDRESS_FAULT = { kind: "address-refused", address: virtualAddress("192.0.2.100").address, reason: "x" } as const;
const faultLists: readonly (readonly Fault[])[] = [[], [], [SCRIPT_FAULT], [LINK_FAULT], [SCRIPT_FAULT, LINK_FAULT]];

const anyEvent: fc.Arbitrary<VrrpEvent> = fc.oneof(
  { weight: 6, arbitrary: anyAdvert() },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("fitness" as const),
      faults: fc.constantFrom(...faultLists),
      waiting: fc.boolean(),
      priority: fc.constantFrom(1, 99, 100, 150, 254),
      source: fc.constantFrom(OURS, OURS, OURS, null),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<VrrpEvent>(
      { kind: "start" },
      { kind: "check-succeeded" },
      { kind: "lease-lost" },
      { kind: "hand-over" },
      { kind: "address-removed", address: ADDRESS_FAULT.address },
      ADDRESS_FAULT,
    ),
  },
  { weight: 1, arbitrary: fc.boolean().map((skipGates): VrrpEvent => ({ kind: "stop", skipGates })) },
);

function anyAdvert(): fc.Arbitrary<VrrpEvent> {
  return fc.record({
    kind: fc.constant("advert" as const),
    advert: fc.record({
      source: fc.constantFrom(LOWER, HIGHER),
      priority: fc.constantFrom(0, 1, 99, 100, 150, 255),
      advertInterval: fc.constantFrom(seconds(1), millis(10), seconds(40)),
    }),
  });
}

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: anyEvent.map((event): Action => ({ kind: "event", event })) },
  { weight: 6, arbitrary: fc.nat(20_000).map((it): Action => ({ kind: "pass", millis: it })) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("listen" as const),
      seconds: fc.nat(20),
      priority: fc.constantFrom(1, 99, 150),
    }),
  },
  { weight: 1, arbitrary: fc.nat(40_000).map((it): Action => ({ kind: "freeze", millis: it })) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("gate" as const),
      opens: fc.boolean(),
      stale: fc.constantFrom(true, false, false, false),
    }),
  },
  { weight: 1, arbitrary: anyConfig.map((config): Action => ({ kind: "reconfigure", config })) },
);

/** Carries out effects as a strict engine would: whatever is out of order or twice throws. */
class Auditor {
  config: VrrpInstanceConfig;
  state: VrrpState;
  now: Instant = instant(5_000_000);
  addresses = false;
  /** The gate that runs at control's side. */
  gate: number | null = null;
  /** The gate whose answer is being told: a router that finds its lease lost first may still cancel it. */
  answered: number | null = null;
  asked = 0;
  heard: VrrpStateName = "INIT";
  shown: VrrpPhaseName = "INIT";
  /** An effect whose opposite needs a report in between. */
  unreported: "add-addresses" | "remove-addresses" | "send-resign" | null = null;
  states: VrrpStateName[] = [];

  constructor(config: VrrpInstanceConfig) {
    this.config = config;
    this.state = initialState(config, this.now);
  }

  act(action: Action): void {
    switch (action.kind) {
      case "event":
        this.send(action.event);
        return;
      case "pass":
        this.pass(action.millis);
        return;
      case "listen":
        this.listen(action.seconds, action.priority);
        return;
      case "freeze":
        this.now = instant(this.now + action.millis * 1_000);
        return;
      case "gate":
        this.answer(action.opens, action.stale);
        return;
      case "reconfigure": {
        const before = this.config;
        // Version and trackers are fixed here: the file that changes them makes another instance or another fitness.
        this.config = { ...action.config, version: before.version };
        this.carryOut(reconfigure(before, this.config, this.state, this.now));
        return;
      }
    }
  }

  listen(duration: number, priority: number): void {
    for (let second = 0; second < duration; second++) {
      this.send({ kind: "advert", advert: { source: LOWER, priority, advertInterval: seconds(1) } });
      this.pass(1_000);
    }
  }

  answer(opens: boolean, stale: boolean): void {
    const gate = stale ? this.asked - 1 : this.asked;
    if (gate === this.gate) {
      this.gate = null;
      this.answered = gate;
    }
    this.send(opens ? { kind: "gate-opened", gate } : { kind: "gate-refused", gate, reason: "no" });
    this.answered = null;
  }

  pass(duration: number): void {
    const until = this.now + duration * 1_000;
    for (let steps = 0; ; steps++) {
      assert(steps < 10_000, "too many deadlines: a busy loop");
      const due = nextDeadline(this.state);
      if (due === null || due > until) break;
      this.now = instant(Math.max(this.now, due));
      this.send({ kind: "deadline" });
      const next = nextDeadline(this.state);
      assert(next === null || next > this.now, "the next deadline is already past after a deadline was served");
    }
    this.now = instant(Math.max(this.now, until));
  }

  send(event: VrrpEvent): void {
    const before = this.state;
    this.carryOut(step(this.config, before, event, this.now));
    if (before.role.kind === "fault") {
      assert(this.state.role.kind !== "master", `MASTER entered from FAULT by ${event.kind}`);
    }
  }

  carryOut({ state, effects }: Step): void {
    const wasMaster = this.state.role.kind === "master";
    this.state = state;
    effects.forEach((effect, at) => {
      this.one(effect, effects[at + 1]);
    });
    const speaks = effects.some((it) => it.kind === "send-advert" || it.kind === "send-resign");
    assert(!speaks || wasMaster || state.role.kind === "master", "only a MASTER advertises or resigns");
    const reports = effects.flatMap((it) => (it.kind === "report" ? [it.report] : []));
    const left = reports.some((it) => (it.kind === "state" || it.kind === "phase") && it.resigned === true);
    assert(left === effects.some((it) => it.kind === "send-resign"), "the report differs about priority 0");
    assert(this.addresses === isHolding(state), `addresses ${this.addresses} in ${phaseName(state)}`);
    assert(this.heard === stateName(state), `hooks heard ${this.heard}, the state is ${stateName(state)}`);
    assert(this.shown === phaseName(state), `status heard ${this.shown}, the phase is ${phaseName(state)}`);
    assert(this.gate === runningGate(state), `gate ${this.gate} runs, the state waits for ${runningGate(state)}`);
  }

  one(effect: VrrpEffect, next: VrrpEffect | undefined): void {
    switch (effect.kind) {
      case "add-addresses":
        assert(!this.addresses && this.unreported === null, "addresses added twice, or without a report in between");
        this.addresses = true;
        this.unreported = "add-addresses";
        return;
      case "remove-addresses":
        assert(this.addresses && this.unreported === null, "addresses removed twice, or without a report in between");
        this.addresses = false;
        this.unreported = "remove-addresses";
        return;
      case "send-resign":
        assert(!this.addresses, "priority 0 while the addresses are still there");
        this.unreported = "send-resign";
        return;
      case "send-advert":
        assert(this.unreported !== "send-resign", "an advert right after resigning");
        return;
      case "renew-lease":
        assert(this.addresses, "a lease renewed without addresses");
        assert(next?.kind === "send-advert", "a renewal without its advert");
        return;
      case "announce":
      case "announce-source":
        return;
      case "announce-elsewhere":
        assert(this.addresses, "announced without addresses");
        return;
      case "ask-gate":
        assert(this.gate === null && effect.gate === this.asked + 1, "two gates at once, or a number used again");
        this.asked = effect.gate;
        this.gate = effect.gate;
        return;
      case "cancel-gate":
        assert(effect.gate === (this.gate ?? this.answered), "a gate cancelled that does not run");
        this.gate = null;
        return;
      case "send-yielded":
        assert(!this.addresses, "a yield told while the addresses are still there");
        return;
      case "echo":
        assert(this.addresses, "an echo without addresses");
        return;
      case "report":
        this.report(effect.report);
        return;
    }
  }

  report(report: Extract<VrrpEffect, { readonly kind: "report" }>["report"]): void {
    this.unreported = null;
    if (report.kind === "state") {
      assert(
        report.from === this.heard && report.to !== report.from,
        `${report.from}->${report.to} after ${this.heard}`,
      );
      const owner = report.from === "INIT" && report.cause.code === "owner-start";
      assert(
        report.to !== "MASTER" || report.from === "BACKUP" || owner,
        "MASTER is announced after BACKUP, or by an owner",
      );
      this.heard = report.to;
      this.shown = report.to;
      this.states.push(report.to);
    } else if (report.kind === "phase") {
      assert(
        report.from === this.shown && report.to !== report.from,
        `${report.from}->${report.to} after ${this.shown}`,
      );
      this.shown = report.to;
    }
  }
}

/** Ways between phases that the search must have taken within one action. */
const REACHED = [
  "BACKUP->PREPARING",
  "PREPARING->CLAIMING",
  "PREPARING->MASTER",
  "PREPARING->FAULT",
  "PREPARING->BACKUP",
  "CLAIMING->MASTER",
  "CLAIMING->BACKUP",
  "CLAIMING->FAULT",
  "MASTER->RELEASING",
  "MASTER->BACKUP",
  "MASTER->FAULT",
  "RELEASING->STOP",
  "RELEASING->FAULT",
  "FAULT->BACKUP",
];

function runningGate(state: VrrpState): number | null {
  const { role } = state;
  if (role.kind === "backup") return role.preparing?.gate ?? null;
  return role.kind === "master" && role.phase.kind !== "holding" ? role.phase.gate : null;
}

describe("from any sequence of events", () => {
  it(
    "addresses are there exactly while MASTER holds or releases; effects, reports and gates are in order",
    () => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(anyConfig, fc.array(anyAction, { minLength: 5, maxLength: 60, size: "max" }), (config, actions) => {
          const auditor = new Auditor(config);
          auditor.send({ kind: "start" });
          seen.add(auditor.shown);
          auditor.send({ kind: "fitness", faults: [], waiting: false, priority: config.priority, source: OURS });
          for (const action of actions) {
            const before = auditor.shown;
            auditor.act(action);
            seen.add(auditor.shown);
            if (auditor.shown !== before) seen.add(`${before}->${auditor.shown}`);
          }
        }),
        RUNS,
      );
      // A search that never gets there proves nothing.
      const phases = ["BACKUP", "CLAIMING", "FAULT", "INIT", "MASTER", "PREPARING", "RELEASING", "STOP"];
      expect([...seen]).toEqual(expect.arrayContaining([...phases, ...REACHED]));
    },
    SEARCH_TIMEOUT,
  );

  it(
    "once everything is in order and nobody else is heard, it becomes MASTER",
    () => {
      fc.assert(
        fc.property(anyConfig, fc.array(anyAction, { maxLength: 40, size: "max" }), (config, actions) => {
          const auditor = new Auditor({ ...config, downTimerAdverts: 3, leaseSeconds: config.leaseSeconds && 14 });
          for (const action of actions) {
            if (action.kind === "reconfigure" || (action.kind === "event" && action.event.kind === "stop")) continue;
            auditor.act(action);
          }
          settle(auditor);
          expect(auditor.shown).toBe("MASTER");
        }),
        { numRuns: runs(400, 4_000) },
      );
    },
    SEARCH_TIMEOUT,
  );

  it(
    "a stop always ends in STOP, with no address left, once gates have had their time",
    () => {
      fc.assert(
        fc.property(
          anyConfig,
          fc.array(anyAction, { maxLength: 40, size: "max" }),
          fc.boolean(),
          (config, actions, skipGates) => {
            const auditor = new Auditor(config);
            for (const action of actions) auditor.act(action);
            auditor.send({ kind: "stop", skipGates });
            auditor.pass(60_000);
            expect([auditor.shown, auditor.addresses, nextDeadline(auditor.state)]).toEqual(["STOP", false, null]);
          },
        ),
        { numRuns: runs(1_000, 20_000) },
      );
    },
    SEARCH_TIMEOUT,
  );
});

/** Trackers in order, every gate opened, time passes. */
function settle(auditor: Auditor): void {
  const { priority } = auditor.config;
  for (let round = 0; round < 300; round++) {
    auditor.send({ kind: "fitness", faults: [], waiting: false, priority, source: OURS });
    auditor.send({ kind: "check-succeeded" });
    auditor.pass(1_000);
    if (auditor.gate !== null) auditor.answer(true, false);
  }
}

describe("the short way of an advert", () => {
  it(
    "does exactly what the long way does",
    () => {
      let compared = 0;
      fc.assert(
        fc.property(anyConfig, fc.array(anyAction, { minLength: 5, maxLength: 40, size: "max" }), (config, actions) => {
          const auditor = new Auditor(config);
          auditor.send({ kind: "fitness", faults: [], waiting: false, priority: config.priority, source: OURS });
          for (const action of actions) {
            auditor.act(action);
            const { state } = auditor;
            const due = nextDeadline(state);
            if (state.role.kind !== "master" || due === null) continue;
            const now = instant(Math.max(due, auditor.now));
            const short = routineAdvert(auditor.config, state, state.role, now);
            if (short === null) continue;
            const draft: Draft = { config: auditor.config, now, state, effects: [] };
            masterDeadline(draft, state.role);
            expect(short).toEqual({ state: draft.state, effects: draft.effects });
            compared++;
          }
        }),
        { numRuns: runs(1_000, 20_000) },
      );
      expect(compared).toBeGreaterThan(100);
    },
    SEARCH_TIMEOUT,
  );
});

describe("two routers that hear each other", () => {
  it(
    "RFC 9568 section 6.4: agree on one master, of the higher priority",
    () => {
      fc.assert(
        fc.property(
          fc.tuple(fc.integer({ min: 1, max: 254 }), fc.integer({ min: 1, max: 254 })),
          fc.nat(20_000),
          fc.constantFrom(2 as const, 3 as const),
          (priorities, delay, version) => {
            const routers = priorities.map((priority, at) => new Peer(configWith({ priority, version }), at));
            run(routers, delay);
            const states = routers.map((it) => stateName(it.state));
            // Who was first stays among equals; on a wire without delay two of them never meet as masters.
            if (priorities[0] === priorities[1]) expect([...states].sort()).toEqual(["BACKUP", "MASTER"]);
            else expect(states).toEqual(priorities[0] > priorities[1] ? ["MASTER", "BACKUP"] : ["BACKUP", "MASTER"]);
          },
        ),
        { numRuns: runs(300, 6_000) },
      );
    },
    SEARCH_TIMEOUT,
  );
});

/** A router on a perfect wire. */
class Peer {
  readonly config: VrrpInstanceConfig;
  readonly source;
  state: VrrpState;

  constructor(config: VrrpInstanceConfig, position: number) {
    this.config = config;
    this.source = position === 0 ? LOWER : HIGHER;
    this.state = initialState(config, instant(0));
  }

  /** Priorities of the adverts that this event made it send. */
  send(event: VrrpEvent, now: Instant): number[] {
    const { state, effects } = step(this.config, this.state, event, now);
    this.state = state;
    return effects.flatMap((it) =>
      it.kind === "send-advert" ? [state.priority] : it.kind === "send-resign" ? [0] : [],
    );
  }
}

/** The second router starts later. Adverts arrive in the instant they are sent. */
function run(routers: readonly Peer[], delay: number): void {
  const begin = (router: Peer, now: Instant) =>
    router.send(
      { kind: "fitness", faults: [], waiting: false, priority: router.config.priority, source: router.source },
      now,
    );
  const [one, other] = routers as [Peer, Peer];
  begin(one, instant(0));
  let started = false;
  const end = delay * 1_000 + 20_000_000;
  for (let steps = 0; steps < 10_000; steps++) {
    const due = routers.map((it) => nextDeadline(it.state) ?? Number.POSITIVE_INFINITY);
    const now = instant(Math.min(...due, started ? end : delay * 1_000));
    if (!started && now >= delay * 1_000) {
      started = true;
      begin(other, now);
      continue;
    }
    if (now >= end) return;
    const sender = due[0]! <= due[1]! ? one : other;
    deliver(sender, sender === one ? other : one, sender.send({ kind: "deadline" }, now), now);
  }
  throw new Error("the routers never come to rest");
}

function deliver(from: Peer, to: Peer, adverts: readonly number[], now: Instant): void {
  for (const priority of adverts) {
    const advert = { source: from.source, priority, advertInterval: from.config.advertInterval };
    deliver(to, from, to.send({ kind: "advert", advert }, now), now);
  }
}
