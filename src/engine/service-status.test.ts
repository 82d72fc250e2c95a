import { expect, test } from "vitest";
import { millis } from "../core/lib/units.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { KeeperCondition } from "./keeper-contract.ts";
import { createServiceStatus } from "./service-status.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

function setUp(watchdogMillis: number | null = null) {
  const timers = createVirtualTimers();
  const told: string[] = [];
  const day: { keeper: KeeperCondition } = { keeper: "running" };
  const tell = (...lines: readonly string[]) => void told.push(...lines);
  const status = createServiceStatus({ timers, tell, watchdogMillis, keeper: () => day.keeper, pid: 42 });
  const enter = (instance: string, to: VrrpStateName) =>
    status.hear({
      kind: "vrrp",
      instance,
      report: { kind: "state", from: "INIT", to, cause: { code: "start" }, priority: 1 },
    });
  return { timers, told, day, status, enter };
}

test("ready, status, reload and stop in systemd's words", async () => {
  const { status, told, enter, timers } = setUp();
  status.ready();
  enter("VI_1", "BACKUP");
  enter("VI_1", "MASTER");
  await timers.advance(millis(1_000));
  status.reloading();
  status.reloaded();
  status.stopping();
  enter("VI_1", "STOP");
  await timers.advance(millis(5_000));
  expect(told).toEqual([
    "READY=1",
    "MAINPID=42",
    "STATUS=no instance has a state yet",
    "STATUS=VI_1 MASTER",
    "RELOADING=1",
    expect.stringMatching(/^MONOTONIC_USEC=\d+$/),
    "READY=1",
    "STATUS=VI_1 MASTER",
    "STOPPING=1",
    "STATUS=releasing addresses",
  ]);
});

test("the sign of life stops while the keeper is frozen or lost, and comes back with it", async () => {
  const { status, told, day, timers } = setUp(100);
  const alive = async (): Promise<number> => {
    told.length = 0;
    await timers.advance(millis(1_000));
    return told.filter((line) => line === "WATCHDOG=1").length;
  };
  status.ready();
  expect(await alive()).toBe(10);
  for (const dead of ["frozen", "lost"] as const) {
    day.keeper = dead;
    expect(await alive()).toBe(0);
  }
  day.keeper = "starting";
  expect(await alive()).toBe(10);
  status.close();
  expect(await alive()).toBe(0);
});

test("many instances are counted", async () => {
  const { enter, timers, told } = setUp();
  for (let number = 0; number < 300; number++) enter(`VI_${number}`, number % 3 === 0 ? "MASTER" : "BACKUP");
  await timers.advance(millis(1_000));
  expect(told).toEqual(["STATUS=100 MASTER, 200 BACKUP"]);
});
