/**
 * One of the two processes dies or stands still, at every combination. Seen from outside: priority 0 on the wire, the
 * address events of the kernel, the peer. What a regular stop does is measured by the same means.
 */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { wallClock } from "../src/lab/clock.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { AddressObserver } from "../src/lab/observer.ts";
import { outsidePid, sleep, until } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { Capture } from "./capture.ts";
import { eventsOf, holdfast, instanceOf, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStages, type Stage } from "./stage.ts";

const CONFIG = instanceBlock({ version: 2, advertSeconds: 1, nopreempt: true });
/** Priority 100 at 1 s adverts (RFC 3768 section 6.1). */
const SKEW_MILLIS = (156 / 256) * 1_000;
const MASTER_DOWN_MILLIS = 3_000 + SKEW_MILLIS;
const LEASE_MILLIS = 3_000;
/** The kernel ends an address in whole ticks of its own (up to 1 s late: decision 20). */
const KERNEL_LATE_MILLIS = 1_000;
const DB1 = "192.168.11.81";

interface Scene {
  readonly first: Daemon;
  readonly second: Daemon;
  readonly observer: AddressObserver;
  readonly capture: Capture;
  /** Unix milliseconds of the first resignation by db1 since then. */
  resigned(since: number): Promise<number>;
  end(): Promise<void>;
}

async function runningPair(stage: Stage): Promise<Scene> {
  const first = stage.start("db1", CONFIG);
  await instanceWhen(first, "VI_1", (it) => it.holding);
  const second = stage.start("db2", CONFIG);
  await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP" && it.master !== null);
  const capture = await Capture.start(stage.host("client"), "processes");
  const observer = await AddressObserver.start(stage.lab, [stage.host("db1"), stage.host("db2")]);
  const resigned = (since: number) =>
    until(
      () => {
        const found = capture.adverts().find((it) => it.source === DB1 && it.priority === 0 && it.at * 1_000 >= since);
        return found === undefined ? undefined : found.at * 1_000;
      },
      "priority 0 from db1",
      8_000,
    );
  const end = async () => {
    await observer.stop();
    await capture.stop();
    expect(observer.probes.length).toBeGreaterThan(20);
    expect(observer.answeredTwice).toEqual([]);
  };
  return { first, second, observer, capture, resigned, end };
}

const takenOver = async (scene: Scene, since: number): Promise<number> => {
  const seen = () => scene.observer.first("db2", "added", since) ?? undefined;
  return await until(seen, "db2 takes the address", 10_000);
};

const gone = (pid: number) => until(() => !existsSync(`/proc/${pid}`) || undefined, `process ${pid} is gone`, 8_000);

function killed(stage: Stage): void {
  test.sequential("of the keeper: control takes the address off, says priority 0, and starts a new keeper", async () => {
    const scene = await runningPair(stage);
    const { first, observer } = scene;
    const keeper = await first.keeperPid();
    const killed = wallClock();
    process.kill(keeper, "SIGKILL");
    const resigned = await scene.resigned(killed);
    const taken = await takenOver(scene, killed);
    const removed = observer.first("db1", "removed", killed) ?? Number.POSITIVE_INFINITY;
    expect(removed).toBeLessThan(taken);
    // Not the three lost adverts of a silent master.
    expect(resigned - killed).toBeLessThan(1_000);
    expect(taken - resigned).toBeGreaterThan(SKEW_MILLIS - 100);
    expect(taken - killed).toBeLessThan(MASTER_DOWN_MILLIS - 1_000);
    const renewed = async () => {
      const status = await statusOf(first);
      return status?.keeper.state === "running" && status.keeper.restarts === 1 ? status : undefined;
    };
    await until(renewed, "a new keeper", 10_000);
    expect(await first.keeperPid()).not.toBe(keeper);
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP" && it.master !== null);
    expect((await eventsOf(first)).some(({ body }) => body.kind === "guard-released")).toBe(true);
    await scene.end();
  });

  test.sequential("of control: the keeper takes the address off, says priority 0 and ends", async () => {
    const scene = await runningPair(stage);
    const { first, observer } = scene;
    const keeper = await first.keeperPid();
    const control = await first.controlPid();
    const killed = wallClock();
    process.kill(control, "SIGKILL");
    const resigned = await scene.resigned(killed);
    await gone(keeper);
    expect(await stage.host("db1").holds(VIP)).toBe(false);
    const taken = await takenOver(scene, killed);
    expect(observer.first("db1", "removed", killed) ?? Number.POSITIVE_INFINITY).toBeLessThan(taken);
    expect(resigned - killed).toBeLessThan(1_000);
    expect(taken - killed).toBeLessThan(MASTER_DOWN_MILLIS - 1_000);
    await scene.end();
  });

  test.sequential("of both: the kernel ends the address within the lease, before the peer claims", async () => {
    const scene = await runningPair(stage);
    const killed = wallClock();
    await scene.first.killBoth();
    const taken = await takenOver(scene, killed);
    const removed = scene.observer.first("db1", "removed", killed) ?? Number.POSITIVE_INFINITY;
    expect(removed - killed).toBeLessThan(LEASE_MILLIS + KERNEL_LATE_MILLIS);
    expect(removed).toBeLessThan(taken);
    await scene.end();
  });
}

/** What a thawed process may never do: put the address back without an election. */
async function staysAway(scene: Scene, since: number): Promise<void> {
  await sleep(1_500);
  expect(scene.observer.first("db1", "added", since)).toBeNull();
  expect(await scene.first.host.holds(VIP)).toBe(false);
  expect(await instanceOf(scene.second, "VI_1")).toMatchObject({ holding: true, counters: { releasedMaster: 0 } });
  await scene.end();
}

function oneFrozen(stage: Stage): void {
  test.sequential("of the keeper: control kills it first, then says priority 0; the thawed one is no more", async () => {
    const scene = await runningPair(stage);
    const keeper = await scene.first.keeperPid();
    const stopped = wallClock();
    process.kill(keeper, "SIGSTOP");
    await scene.resigned(stopped);
    expect(existsSync(`/proc/${keeper}`)).toBe(false);
    await takenOver(scene, stopped);
    const removed = scene.observer.first("db1", "removed", stopped) ?? Number.POSITIVE_INFINITY;
    expect(removed - stopped).toBeLessThan(LEASE_MILLIS + KERNEL_LATE_MILLIS);
    const events = (await eventsOf(scene.first)).map(({ body }) => body.kind);
    expect(events.indexOf("keeper-frozen")).toBeLessThan(events.indexOf("guard-released"));
    expect(events).toContain("keeper-frozen");
    await staysAway(scene, stopped);
  });

  test.sequential("of control: the keeper releases with priority 0 and takes part again once control speaks", async () => {
    const scene = await runningPair(stage);
    const control = await scene.first.controlPid();
    const stopped = wallClock();
    process.kill(control, "SIGSTOP");
    const resigned = await scene.resigned(stopped);
    const taken = await takenOver(scene, stopped);
    expect(taken - resigned).toBeLessThan(MASTER_DOWN_MILLIS);
    await scene.first.program.signal("SIGCONT");
    const back = await instanceWhen(scene.first, "VI_1", (it) => it.state === "BACKUP" && it.master !== null);
    expect(back.faults).toEqual([]);
    const events = (await eventsOf(scene.first)).map(({ body }) => body.kind);
    expect(events).toEqual(expect.arrayContaining(["control-silent", "control-back"]));
    await staysAway(scene, stopped);
  });
}

function bothFrozen(stage: Stage): void {
  test.sequential("of both: the lease ends in the kernel; thawed, they find a master and stay BACKUP", async () => {
    const scene = await runningPair(stage);
    const [control, keeper] = [await scene.first.controlPid(), await scene.first.keeperPid()];
    const stopped = wallClock();
    process.kill(keeper, "SIGSTOP");
    process.kill(control, "SIGSTOP");
    const taken = await takenOver(scene, stopped);
    const removed = scene.observer.first("db1", "removed", stopped) ?? Number.POSITIVE_INFINITY;
    expect(removed - stopped).toBeLessThan(LEASE_MILLIS + KERNEL_LATE_MILLIS);
    expect(removed).toBeLessThan(taken);
    await sleep(1_000);
    process.kill(keeper, "SIGCONT");
    await scene.first.program.signal("SIGCONT");
    await instanceWhen(scene.first, "VI_1", (it) => it.state === "BACKUP" && it.master !== null);
    await staysAway(scene, stopped);
  });

  test.sequential("of control while the keeper is killed: the lease ends the address; the thawed control starts anew, as BACKUP", async () => {
    const scene = await runningPair(stage);
    const [control, keeper] = [await scene.first.controlPid(), await scene.first.keeperPid()];
    const stopped = wallClock();
    process.kill(control, "SIGSTOP");
    process.kill(keeper, "SIGKILL");
    const taken = await takenOver(scene, stopped);
    const removed = scene.observer.first("db1", "removed", stopped) ?? Number.POSITIVE_INFINITY;
    expect(removed - stopped).toBeLessThan(LEASE_MILLIS + KERNEL_LATE_MILLIS);
    expect(removed).toBeLessThan(taken);
    await scene.first.program.signal("SIGCONT");
    await instanceWhen(scene.first, "VI_1", (it) => it.state === "BACKUP" && it.master !== null);
    await staysAway(scene, stopped);
  });

  test.sequential("of both for less than the lease: nothing has happened", async () => {
    const scene = await runningPair(stage);
    const [control, keeper] = [await scene.first.controlPid(), await scene.first.keeperPid()];
    const stopped = wallClock();
    process.kill(keeper, "SIGSTOP");
    process.kill(control, "SIGSTOP");
    await sleep(700);
    process.kill(keeper, "SIGCONT");
    await scene.first.program.signal("SIGCONT");
    await sleep(2_000);
    expect(scene.observer.first("db1", "removed", stopped)).toBeNull();
    expect(await instanceOf(scene.first, "VI_1")).toMatchObject({ holding: true, counters: { releasedMaster: 0 } });
    await scene.end();
  });
}

function regular(stage: Stage): void {
  test.sequential("TERM releases first, then ends with exit code 0 and leaves nothing behind", async () => {
    const scene = await runningPair(stage);
    const { first } = scene;
    const keeper = await first.keeperPid();
    const asked = wallClock();
    await first.stop();
    expect(first.program.exitCode).toBe(0);
    expect(await stage.host("db1").holds(VIP)).toBe(false);
    const resigned = await scene.resigned(asked);
    const taken = await takenOver(scene, asked);
    expect(taken - resigned).toBeGreaterThan(SKEW_MILLIS - 100);
    expect(taken - asked).toBeLessThan(MASTER_DOWN_MILLIS - 1_000);
    expect(scene.observer.first("db1", "removed", asked) ?? Number.POSITIVE_INFINITY).toBeLessThan(taken);
    expect(existsSync(`/proc/${keeper}`)).toBe(false);
    expect(existsSync(first.pidFile)).toBe(false);
    expect(scene.capture.adverts().filter((it) => it.source === DB1 && it.priority === 0)).toHaveLength(1);
    await scene.end();
  });

  test.sequential("status --wait returns as soon as the address is there, and 1 when it does not come in time", async () => {
    const first = stage.start("db1", CONFIG);
    const wait = (daemon: Daemon, timeout: string) =>
      holdfast(daemon, "status", "--wait", "VI_1=MASTER", "--timeout", timeout);
    // Asked before the daemon has come up.
    const result = await wait(first, "15");
    expect(result.code, result.stderr).toBe(0);
    expect(await stage.host("db1").holds(VIP)).toBe(true);
    const second = stage.start("db2", CONFIG);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    const vain = await wait(second, "1");
    expect(vain.code).toBe(1);
    expect(vain.stdout + vain.stderr).toContain("VI_1 is not MASTER after 1 s: it is BACKUP");
  });

  test.sequential("the pid file names control", async () => {
    const first = stage.start("db1", CONFIG);
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
    const text = await stage.host("db1").execOrThrow(["cat", first.pidFile]);
    expect(outsidePid(stage.host("db1").pid, Number(text))).toBe(await first.controlPid());
  });
}

describeStages("processes", {
  "kill -9": killed,
  "SIGSTOP of one": oneFrozen,
  "SIGSTOP of both": bothFrozen,
  "a regular stop and start": regular,
});
