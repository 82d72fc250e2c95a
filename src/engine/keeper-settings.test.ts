import { expect, test } from "vitest";
import type { HostEventBody } from "../core/events/host-events.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { instant, millis, seconds } from "../core/lib/units.ts";
import type { KeeperSettings } from "../core/link/keeper-settings.ts";
import type { KernelError } from "../ports/network.ts";
import { createKeeperTuner } from "./keeper-settings.ts";

const PLAIN: KeeperSettings = {
  nice: null,
  realtime: null,
  realtimeLimit: seconds(10),
  processors: null,
  lockMemory: false,
  autoRealtimeMax: 0,
  autoRealtimeDelay: seconds(1),
};

function setUp(answer: () => Result<void, KernelError> = () => ok(undefined)) {
  const calls: string[] = [];
  const events: HostEventBody[] = [];
  const call = (text: string): Result<void, KernelError> => {
    calls.push(text);
    return answer();
  };
  const own = {
    setNice: (nice: number) => call(`nice ${nice}`),
    setRealtime: (priority: number | null) => call(`realtime ${priority}`),
    setProcessors: (numbers: readonly number[] | null) => call(`processors ${numbers}`),
    lockMemory: (on: boolean) => call(`lock ${on}`),
  };
  return { calls, events, tuner: createKeeperTuner(own, (body) => void events.push(body)) };
}

test("what the file does not name is left alone, and nothing is told of it", () => {
  const { tuner, calls, events } = setUp();
  tuner.apply(PLAIN);
  tuner.woke(instant(0), () => instant(60_000_000));
  expect(calls).toEqual([]);
  expect(events).toEqual([]);
});

test("a reload that takes settings out of the file takes them back", () => {
  const { tuner, calls } = setUp();
  tuner.apply({ ...PLAIN, nice: -5, realtime: 10, processors: [0, 1], lockMemory: true });
  expect(calls.splice(0)).toEqual(["nice -5", "realtime 10", "processors 0,1", "lock true"]);
  tuner.apply(PLAIN);
  expect(calls).toEqual(["nice 0", "realtime null", "processors null", "lock false"]);
});

test("without the right for it the setting is named with its remedy, and the rest is tried", () => {
  const { tuner, calls, events } = setUp(() => err({ errno: "EPERM", what: "run with real-time priority 10" }));
  tuner.apply({ ...PLAIN, realtime: 10, lockMemory: true });
  expect(calls).toHaveLength(2);
  expect(events[0]).toMatchObject({
    kind: "keeper-settings",
    settings: [{ problem: expect.stringContaining("CAP_SYS_NICE") }, { setting: "vrrp_no_swap on" }],
  });
});

test("each time it is late the loop goes one step up, as far as max_auto_priority", () => {
  const { tuner, calls, events } = setUp();
  tuner.apply({ ...PLAIN, autoRealtimeMax: 2, autoRealtimeDelay: millis(500) });
  tuner.woke(instant(0), () => instant(499_999));
  expect(calls).toEqual([]);
  for (let round = 0; round < 4; round++) tuner.woke(instant(0), () => instant(700_000));
  tuner.woke(null, () => expect.fail("nothing was due"));
  expect(calls).toEqual(["realtime 1", "realtime 2"]);
  expect(events).toEqual([
    { kind: "priority-raised", realtime: 1, lateMillis: 700 },
    { kind: "priority-raised", realtime: 2, lateMillis: 700 },
  ]);
});
