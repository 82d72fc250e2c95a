// Whatever the program, the file system or the kernel do: a run ends.

import { expect, test } from "vitest";
import { micros, millis, seconds } from "../core/lib/units.ts";
import type { Spawner } from "../ports/spawner.ts";
import { PLAIN_POLICY } from "../ports/spawner.ts";
import { type CommandResult, KILL_GRACE, REAP_LIMIT, runCommand } from "./command-run.ts";
import { createFakeSpawner } from "./testing/fake-spawner.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const TIMEOUT = seconds(5);
const SPAN = { file: "/k.conf", line: 1, column: 1, length: 1 };

/** `hangs`: where the run gets stuck; a program in the kernel takes signals and does not end. */
function setUp(hangs: "examine" | "kernel" | "nowhere", patient = false) {
  const timers = createVirtualTimers();
  const fake = createFakeSpawner();
  const signals: string[] = [];
  const spawner: Spawner = {
    examine: hangs === "examine" ? () => new Promise(() => undefined) : fake.examine,
    start: hangs === "kernel" ? () => ({ pid: 1, signalGroup: (signal) => void signals.push(signal) }) : fake.start,
  };
  const ends: CommandResult[] = [];
  const command = { argv: ["/x"], user: null, group: null, text: "/x", span: SPAN };
  const policy = PLAIN_POLICY;
  const order = { command, policy, env: {}, timeout: TIMEOUT, patient };
  const run = runCommand({ spawner, timers }, order, { onEnd: (result) => void ends.push(result) });
  return { timers, fake, signals, ends, run };
}

test.each(["cancel", "kill"] as const)("%s ends a run whose file is still looked at, at once", (how) => {
  const { run, ends } = setUp("examine");
  run[how]();
  expect(ends).toMatchObject([{ cancelled: true, unusable: false }]);
});

test.each(["cancel", "kill"] as const)("a program is not started after %s", async (how) => {
  const { run, ends, fake, timers } = setUp("nowhere");
  run[how]();
  await timers.advance(seconds(100));
  expect(fake.started).toEqual([]);
  expect(ends).toHaveLength(1);
});

test("a file that is looked at for ever is a timeout", async () => {
  const { ends, timers } = setUp("examine");
  await timers.advance(TIMEOUT);
  expect(ends).toMatchObject([{ outcome: { kind: "timeout", afterMillis: 5_000 } }]);
});

test("a program that cannot be reaped is given up after SIGTERM, SIGKILL and the limit", async () => {
  const { ends, signals, timers } = setUp("kernel");
  await timers.advance(micros(TIMEOUT + KILL_GRACE + REAP_LIMIT - 1));
  expect(signals).toEqual(["SIGTERM", "SIGKILL"]);
  expect(ends).toEqual([]);
  await timers.advance(micros(1));
  expect(ends).toMatchObject([{ outcome: { kind: "timeout" } }]);
});

test.each(["examine", "kernel"] as const)(
  "a patient run stuck in %s waits, and still ends when killed",
  async (where) => {
    const { run, ends, timers } = setUp(where, true);
    await timers.advance(seconds(3_600));
    expect(ends).toEqual([]);
    run.kill();
    await timers.advance(REAP_LIMIT);
    expect(ends).toHaveLength(1);
  },
);

test("kill leaves a program that the kernel holds after the limit, whatever came before", async () => {
  const { run, ends, signals, timers } = setUp("kernel");
  await timers.advance(millis(1));
  run.cancel();
  run.kill();
  await timers.advance(REAP_LIMIT);
  expect(signals.slice(0, 2)).toEqual(["SIGTERM", "SIGKILL"]);
  expect(ends).toMatchObject([{ cancelled: true, outcome: { kind: "signal", signal: "SIGKILL" } }]);
});

const SHORT = { kind: "spawn-failed", reason: "the host is out of processes (EAGAIN)", shortage: "processes" } as const;

test("a host without processes: it is tried again each second, and runs when there are some", async () => {
  const told: (string | null)[] = [];
  const { spawner, timers, results } = shortRun(told);
  await timers.advance(millis(1));
  spawner.running()[0]?.end(SHORT);
  await timers.advance(seconds(1));
  spawner.running()[0]?.end(SHORT);
  await timers.advance(seconds(1));
  spawner.running()[0]?.end(0);
  expect(results).toMatchObject([{ outcome: { kind: "exit", code: 0 }, shortage: null, unusable: false }]);
  expect(told).toEqual(["processes", "processes", null]);
});

test("when its time is over it has not failed: it has not been run", async () => {
  const { spawner, timers, results } = shortRun([]);
  for (let second = 0; second < 5; second++) {
    await timers.advance(millis(1));
    spawner.running()[0]?.end(SHORT);
    await timers.advance(millis(999));
  }
  await timers.advance(seconds(1));
  expect(results).toMatchObject([{ outcome: { kind: "spawn-failed" }, shortage: "processes", unusable: false }]);
  expect(spawner.running()).toEqual([]);
});

function shortRun(told: (string | null)[]) {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const results: CommandResult[] = [];
  const tools = { timers, spawner, onShortage: (what: string | null) => void told.push(what) };
  const command = { argv: ["/c"], user: null, group: null, text: "/c", span: SPAN };
  const order = { command, policy: PLAIN_POLICY, env: {}, timeout: seconds(5), patient: true };
  runCommand(tools, order, { onEnd: (result) => void results.push(result) });
  return { timers, spawner, results };
}
