import { expect, test } from "vitest";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { GatewayEvidence } from "../../core/evidence/gateways.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { instant, millis, seconds } from "../../core/lib/units.ts";
import type { EchoEvents, ProbePort } from "../../ports/probes.ts";
import type { GateAnswer, GateQuestion } from "../hook-engine.ts";
import { NO_ADDRESSES, NO_PROBES } from "../testing/no-probes.ts";
import { GatewayGate } from "./gateway-gate.ts";

const [A, B] = ["192.0.2.1", "192.0.2.2"] as [IpAddress, IpAddress];

/** Gateways that answer when the test says so, and a timer that fires when it says so. */
function scene(gateways: readonly IpAddress[], quorum = 1, onLink: readonly IpAddress[] = []) {
  const echoes = new Map<IpAddress, { events: EchoEvents; identifier: number }>();
  const cancelled: IpAddress[] = [];
  const answers: GateAnswer[] = [];
  const passed: GateQuestion[] = [];
  const late: (() => void)[] = [];
  const delays: number[] = [];
  const clock = { now: 0 };
  const probes: ProbePort = {
    ...NO_PROBES,
    echo({ address }, { identifier }, events) {
      echoes.set(address, { events, identifier });
      return { cancel: () => void cancelled.push(address) };
    },
  };
  const gate = new GatewayGate({
    timers: {
      now: () => instant(clock.now),
      schedule: (delay, action) => {
        delays.push(delay);
        late.push(action);
        return { cancel: () => void late.splice(late.indexOf(action), 1) };
      },
    },
    probes,
    addresses: {
      ...NO_ADDRESSES,
      place: () => ({ device: onLink.length > 0 ? "eth0" : null, own: false }),
      whoAnswers: async (address) => ({ ok: true, value: onLink.includes(address) ? ["02:00:00:00:00:01"] : [] }),
    },
    answer: (answer) => void answers.push(answer),
    next: (question) => void passed.push(question),
  });
  const evidence: GatewayEvidence = { gateways, quorum, timeout: millis(500) };
  const instances = [
    { vrrp: { name: "VI_1", advertInterval: seconds(1) }, gateways: evidence },
    { vrrp: { name: "VI_2", advertInterval: seconds(1) }, gateways: null },
  ];
  gate.configure({ instances } as unknown as HoldfastConfig);
  const reply = (address: IpAddress): void => {
    const { events, identifier } = echoes.get(address) as { events: EchoEvents; identifier: number };
    events.onReply({ identifier, sequence: 1 });
  };
  return { gate, answers, passed, cancelled, late, delays, clock, echoes, reply };
}

const claim = (instance = "VI_1"): GateQuestion => ({ instance, which: "claim", gate: 7, priority: 100 });

test("a claim goes on when a gateway answers, once, and nothing is left running", () => {
  const { gate, passed, answers, cancelled, late, reply } = scene([A, B]);
  gate.ask(claim());
  expect(passed).toEqual([]);
  reply(B);
  reply(A);
  expect(passed).toEqual([claim()]);
  expect(answers).toEqual([]);
  expect(cancelled).toEqual([A, B]);
  expect(late).toEqual([]);
});

test("nobody answers in time: the claim is refused with the names", () => {
  const { gate, passed, answers, late } = scene([A, B]);
  gate.ask(claim());
  late[0]?.();
  expect(passed).toEqual([]);
  expect(answers).toMatchObject([{ instance: "VI_1", gate: 7, opened: false }]);
  expect(answers[0]?.reason).toContain("no answer from 192.0.2.1, 192.0.2.2");
});

test("after a refused claim the next one listens for a master before it goes on, and the one after that does not", () => {
  const { gate, passed, late, delays, clock, reply } = scene([A]);
  gate.ask(claim());
  late.pop()?.();
  clock.now = 3_000_000;
  gate.ask(claim());
  reply(A);
  expect(passed).toEqual([]);
  expect(delays.at(-1)).toBe(1_500_000);
  late.pop()?.();
  expect(passed).toEqual([claim()]);
  gate.ask(claim());
  reply(A);
  expect(passed).toHaveLength(2);
});

test("a claim that listens is given up when the master is heard", () => {
  const { gate, passed, late, reply } = scene([A]);
  gate.ask(claim());
  late.pop()?.();
  gate.ask(claim());
  reply(A);
  const [over] = late;
  gate.cancel("VI_1", 7);
  expect(late).toEqual([]);
  gate.ask(claim());
  reply(A);
  expect([over === undefined, passed]).toEqual([false, []]);
});

test("a refusal of long ago is of another cut", () => {
  const { gate, passed, late, clock, reply } = scene([A]);
  gate.ask(claim());
  late.pop()?.();
  clock.now = 80_000_001;
  gate.ask(claim());
  reply(A);
  expect(passed).toEqual([claim()]);
});

test("a gateway that drops pings answers by ARP", async () => {
  const { gate, passed } = scene([A], 1, [A]);
  gate.ask(claim());
  await Promise.resolve();
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(passed).toEqual([claim()]);
});

test("an error of one way decides nothing, and somebody else's reply is none", () => {
  const { gate, passed, answers, echoes } = scene([A]);
  gate.ask(claim());
  const echo = echoes.get(A);
  echo?.events.onFailure({ kind: "connect", problem: "unreachable", detail: "EHOSTUNREACH" } as never);
  echo?.events.onReply({ identifier: (echo?.identifier ?? 0) + 1, sequence: 1 });
  expect([passed, answers]).toEqual([[], []]);
});

test("a claim that was given up hears nothing more", () => {
  const { gate, passed, answers, late, reply, cancelled } = scene([A]);
  gate.ask(claim());
  const [over] = late;
  gate.cancel("VI_1", 7);
  reply(A);
  over?.();
  expect([passed, answers, cancelled]).toEqual([[], [], [A]]);
});

test("releases and instances without track_gateway go straight on", () => {
  const { gate, passed, echoes } = scene([A]);
  gate.ask(claim("VI_2"));
  gate.ask({ ...claim(), which: "release" });
  expect(passed).toHaveLength(2);
  expect(echoes.size).toBe(0);
});
