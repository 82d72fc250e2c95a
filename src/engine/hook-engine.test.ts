import { expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { millis, seconds } from "../core/lib/units.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import { createHookEngine, type GateAnswer, QUEUE_LIMIT } from "./hook-engine.ts";
import { configOf } from "./testing/configs.ts";
import { createFakeSpawner } from "./testing/fake-spawner.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const CONFIG = `
vrrp_instance redis1 { interface eth0
 virtual_router_id 1
 priority 90
 virtual_ipaddress { 192.0.2.1 }
 notify "/n -a"
 notify_master "/m x"
 notify_backup /b
 notify_fault /f
 notify_claim /claim
 notify_release /release
}`;

function setUp(options: { stopping?: () => boolean } = {}) {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const events: HoldfastEventBody[] = [];
  const answers: GateAnswer[] = [];
  const hooks = createHookEngine({
    tools: { timers, spawner },
    publish: (body) => void events.push(body),
    answer: (answer) => void answers.push(answer),
    ...options,
  });
  hooks.configure(configOf(CONFIG));
  const enter = (to: VrrpStateName, from: VrrpStateName = "BACKUP") =>
    hooks.report("redis1", { kind: "state", from, to, cause: { code: "recovered" }, priority: 90 });
  /** Ends whatever runs until nothing does; returns the commands in the order of their start. */
  const runAll = async (): Promise<string[]> => {
    await timers.advance(millis(0));
    for (let one = spawner.running()[0]; one; one = spawner.running()[0]) {
      expect(spawner.running()).toHaveLength(1);
      one.end(0);
      await timers.advance(millis(0));
    }
    return spawner.started.map(({ argv }) => argv.join(" "));
  };
  return { timers, spawner, events, answers, hooks, enter, runAll };
}

test("notify hears INSTANCE redis1 FAULT 90 after its own arguments, and after notify_fault", async () => {
  const { enter, runAll } = setUp();
  enter("FAULT");
  expect(await runAll()).toEqual(["/f", "/n -a INSTANCE redis1 FAULT 90"]);
});

test("fault-to-master: each state entered is told exactly once, in order, one program at a time", async () => {
  const { enter, runAll } = setUp();
  for (const state of ["FAULT", "BACKUP", "MASTER"] as const) enter(state);
  expect(await runAll()).toEqual([
    "/f",
    "/n -a INSTANCE redis1 FAULT 90",
    "/b",
    "/n -a INSTANCE redis1 BACKUP 90",
    "/m x",
    "/n -a INSTANCE redis1 MASTER 90",
  ]);
});

test("a hook hears the state and the cause of its own moment, not of the moment it is run", async () => {
  const { enter, runAll, spawner } = setUp();
  enter("FAULT");
  enter("BACKUP");
  await runAll();
  expect(spawner.started.map(({ env }) => env.HOLDFAST_STATE)).toEqual(["FAULT", "FAULT", "BACKUP", "BACKUP"]);
  expect(spawner.started[0]?.env).toMatchObject({ HOLDFAST_INSTANCE: "redis1", HOLDFAST_CAUSE: "recovered" });
});

test("the claim gate runs after everything queued before it and opens with exit 0", async () => {
  const { enter, runAll, hooks, answers } = setUp();
  enter("BACKUP");
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  expect(await runAll()).toEqual(["/b", "/n -a INSTANCE redis1 BACKUP 90", "/claim INSTANCE redis1 90"]);
  expect(answers).toEqual([{ instance: "redis1", gate: 7, opened: true, reason: "" }]);
});

test("a gate's hook hears the cause that is reported right after the question", async () => {
  const { hooks, runAll, spawner } = setUp();
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  const cause = { code: "master-down", lastMaster: null } as const;
  hooks.report("redis1", { kind: "phase", from: "BACKUP", to: "CLAIMING", cause });
  await runAll();
  expect(spawner.started[0]?.env.HOLDFAST_CAUSE).toBe("master-down");
});

test("a claim that fails is refused with exit code and last line of standard error", async () => {
  const { hooks, answers, spawner, timers } = setUp();
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  await timers.advance(millis(0));
  spawner.running()[0]?.end(3, { stderr: "applier is 40 s behind\n" });
  expect(answers).toEqual([
    { instance: "redis1", gate: 7, opened: false, reason: "notify_claim exited with 3: applier is 40 s behind" },
  ]);
});

test("a release opens however its hook ends", async () => {
  const { hooks, answers, spawner, timers } = setUp();
  hooks.ask({ instance: "redis1", which: "release", gate: 8, priority: 90 });
  await timers.advance(millis(0));
  spawner.running()[0]?.end(1);
  expect(answers).toEqual([{ instance: "redis1", gate: 8, opened: true, reason: "" }]);
});

test("I5: a cancelled claim is gone before notify_backup starts, and is not answered", async () => {
  const { hooks, answers, spawner, timers, enter } = setUp();
  spawner.obedient = false;
  hooks.ask({ instance: "redis1", which: "claim", gate: 9, priority: 90 });
  await timers.advance(millis(0));
  hooks.cancel("redis1", 9);
  enter("BACKUP");
  await timers.advance(millis(1_999));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/claim"]);
  expect(spawner.started[0]?.signals).toEqual(["SIGTERM"]);
  await timers.advance(millis(1));
  expect(spawner.started[0]?.signals.slice(0, 2)).toEqual(["SIGTERM", "SIGKILL"]);
  expect(spawner.running().map(({ argv }) => argv[0])).toEqual(["/b"]);
  expect(answers).toEqual([]);
});

test("a gate cancelled while it waits never runs", async () => {
  const { hooks, enter, runAll } = setUp();
  enter("BACKUP");
  hooks.ask({ instance: "redis1", which: "claim", gate: 9, priority: 90 });
  hooks.cancel("redis1", 9);
  expect(await runAll()).toEqual(["/b", "/n -a INSTANCE redis1 BACKUP 90"]);
});

test("a hook that hangs is ended after its time and the next one runs", async () => {
  const { spawner, timers, enter, events } = setUp();
  enter("FAULT");
  await timers.advance(seconds(3_600));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/f", "/n"]);
  const ended = events.filter((body) => body.kind === "hook-ended");
  expect(ended.map((body) => body.outcome.kind)).toEqual(["timeout", "timeout"]);
});

test("without a configured hook a gate opens at once", () => {
  const { hooks, answers } = setUp();
  hooks.ask({ instance: "other", which: "claim", gate: 1, priority: 90 });
  expect(answers).toEqual([{ instance: "other", gate: 1, opened: true, reason: "" }]);
});

test("a hook that hangs is ended in half of claim_timeout, and the claim behind it still has its turn", async () => {
  const { hooks, enter, spawner, timers, answers } = setUp();
  enter("BACKUP");
  await timers.advance(millis(0));
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  await timers.advance(millis(5_000));
  spawner.running()[0]?.end(0);
  await timers.advance(millis(0));
  expect(spawner.running().map(({ argv }) => argv[0])).toEqual(["/claim"]);
  spawner.running()[0]?.end(1, { stderr: "no" });
  const reason = "notify_claim exited with 1, after it had waited 5 s behind notify: no";
  expect(answers).toEqual([{ instance: "redis1", gate: 7, opened: false, reason }]);
});

test("a claim that would not get its turn in time is refused and names the hook it waited behind", async () => {
  const { hooks, enter, spawner, timers, answers } = setUp();
  hooks.configure(configOf(CONFIG.replace("priority 90", "priority 90\n hook_timeout 60")));
  enter("BACKUP");
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  await timers.advance(millis(8_999));
  expect(answers).toEqual([]);
  await timers.advance(millis(1));
  const reason = "notify_claim waited behind notify_backup, which has been running for 9 s";
  expect(answers).toEqual([{ instance: "redis1", gate: 7, opened: false, reason }]);
  await timers.advance(seconds(300));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/b", "/n"]);
});

test("beyond the limit the newest notification is dropped, visibly, and a claim is not", async () => {
  const { hooks, enter, events, runAll } = setUp();
  for (let round = 0; round < QUEUE_LIMIT; round++) enter("BACKUP");
  hooks.ask({ instance: "redis1", which: "claim", gate: 7, priority: 90 });
  const dropped = events.filter((body) => body.kind === "hook-ended");
  // One runs, QUEUE_LIMIT wait; each state asks for two programs.
  expect(dropped).toHaveLength(2 * QUEUE_LIMIT - 1 - QUEUE_LIMIT);
  expect(dropped[0]?.outcome).toEqual({
    kind: "spawn-failed",
    reason: `dropped, because ${QUEUE_LIMIT} hooks wait already: waited behind notify_backup, which has been running for 0 s`,
  });
  const commands = await runAll();
  expect(commands).toHaveLength(QUEUE_LIMIT + 2);
  expect(commands.at(-1)).toBe("/claim INSTANCE redis1 90");
});

test("after kill nothing that the keeper still reports is started, and the queue is empty", async () => {
  const { hooks, enter, spawner, timers } = setUp();
  enter("BACKUP");
  hooks.kill();
  enter("STOP", "BACKUP");
  await timers.advance(millis(0));
  await hooks.idle();
  expect(spawner.started).toEqual([]);
});

const REMOVED = CONFIG.replace("notify_fault /f", "notify_fault /f\n notify_stop /s\n DELETED");

test.each([
  ["without notify_deleted", "", ["/f", "/n -a INSTANCE redis1 FAULT 90"]],
  ["with it", "notify_deleted", ["/n -a INSTANCE redis1 DELETED 90"]],
  ["with its command", 'notify_deleted "/d x"', ["/d x", "/n -a INSTANCE redis1 DELETED 90"]],
])("an instance that a reload removes, %s", async (_name, line, commands) => {
  const { hooks, enter, runAll } = setUp({ stopping: () => false });
  hooks.configure(configOf(REMOVED.replace("DELETED", line)));
  enter("STOP");
  expect(await runAll()).toEqual(commands);
});

test("the same stop of the whole daemon runs notify_stop", async () => {
  const { hooks, enter, runAll } = setUp({ stopping: () => true });
  hooks.configure(configOf(REMOVED.replace("DELETED", "notify_deleted /d")));
  enter("STOP");
  expect(await runAll()).toEqual(["/s", "/n -a INSTANCE redis1 STOP 90"]);
});

test("notify_master_rx_lower_pri: a storm of adverts is one run and one that waits", async () => {
  const { hooks, runAll } = setUp();
  hooks.configure(configOf(CONFIG.replace("notify_fault", "notify_master_rx_lower_pri /low\n notify_fault")));
  const lower = { kind: "lower-priority-advert", source: "192.0.2.9" as never, priority: 50, ours: 90 } as const;
  for (let advert = 0; advert < 100; advert++) hooks.report("redis1", { ...lower, state: "MASTER" });
  hooks.report("redis1", { ...lower, state: "BACKUP" });
  expect(await runAll()).toEqual(["/low", "/low"]);
});
