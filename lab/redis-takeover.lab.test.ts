/**
 * Managed Redis pairs on real servers, seen by a client that writes all the time: what it was told is written must be there afterwards.
 * The classic incidents are in incidents/.
 */
import { readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen } from "./holdfast-client.ts";
import { RedisPair, redisSteps } from "./redis-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding, 20_000);
const standby = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.state === "BACKUP");

describeStage("managed Redis pairs", (stage: Stage) => {
  let pair: RedisPair;

  afterEach(async () => {
    await pair.end();
  });

  test("redis-server is killed on one host and then on the other, and each comes back as a replica", async () => {
    pair = new RedisPair(stage);
    await pair.startServers();
    const replica = await pair.startReplica();
    const [one, two] = pair.servers;
    const lines = [`replica ${replica.host.address} 6379`];
    const first = pair.start(0, lines);
    await serving(first);
    const second = pair.start(1, lines);
    await standby(second);
    await pair.inStep();
    pair.write();
    await pair.writesReach(one);
    await replica.waitFor("master_host", one.host.address);
    await one.waitFor("min_slaves_good_slaves", "2");

    await one.kill();
    await pair.writesReach(two);
    expect(await pair.lost(two)).toEqual([]);
    await replica.waitFor("master_host", two.host.address);

    // It starts closed, its data set is kept as a copy, and it follows.
    await one.start();
    await pair.inStep();
    expect(readdirSync(one.directory).filter((name) => name.includes(".holdfast-"))).toHaveLength(1);
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
    expect(await redisSteps(second)).toContain("takeover: promote the own server (REPLICAOF NO ONE)");

    await two.kill();
    await pair.writesReach(one);
    expect(await pair.lost(one)).toEqual([]);
  });

  test("a planned move under load: clients wait, nothing fails after it was acknowledged, and back again", async () => {
    pair = new RedisPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await standby(second);
    await pair.inStep();
    pair.write();
    await pair.writesReach(one);
    const shown = await holdfast(first, "switchover", "cache", "--dry-run");
    expect(shown.stdout).toContain("pause writes (CLIENT PAUSE WRITE)");
    const moved = await holdfast(first, "switchover", "cache");
    expect(moved.stdout).toContain(`cache is written to on ${two.host.address}:6379 now`);
    await pair.writesReach(two);
    await pair.inStep();
    expect(await holdfast(second, "switchover", "cache")).toMatchObject({ code: 0 });
    await pair.writesReach(one);
    await pair.stopWriting();
    await pair.inStep();
    for (const server of pair.servers) expect(await pair.lost(server)).toEqual([]);
    // Without a copy: nothing was ever in doubt.
    for (const { directory } of pair.servers) {
      expect(readdirSync(directory).filter((name) => name.includes(".holdfast-"))).toEqual([]);
    }
  });

  test.each([
    ["a check that is FAULT", []],
    ["a check that moves the priority only", ["track_redis {", "    cache weight -5", "}"]],
  ])("a writer that comes back empty at once wipes nobody, with %s", async (_, instanceLines) => {
    // No persistence and no boot guard: what so many tutorials say.
    pair = new RedisPair(stage, { startsOpen: true, lines: ["appendonly no"] });
    pair.instanceLines = instanceLines;
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await standby(second);
    await pair.inStep();
    pair.write();
    await pair.writesReach(one);
    const run = await one.info("run_id");
    await one.kill();
    await one.start();
    await pair.writesReach(two);
    await pair.inStep();
    // What it took between its start and its closing, empty as it was, is on nobody else: only a boot guard keeps clients out of it.
    expect(await pair.lost(two, run)).toEqual([]);
    expect(await one.info("role")).toBe("slave");
  });

  test("a Sentinel is not fought: the claim is refused, and says so", async () => {
    pair = new RedisPair(stage);
    await pair.startServers();
    const [one] = pair.servers;
    const listener = one.host.spawn(["redis-cli", "-p", "6379", "SUBSCRIBE", "__sentinel__:hello"]);
    await until(
      async () => (await one.ask("PUBSUB", "CHANNELS")).includes("sentinel") || undefined,
      "it listens",
      5_000,
    );
    const first = pair.start(0);
    const refused = async () =>
      (await holdfast(first, "takeover", "cache")).stdout.includes("a Sentinel manages this server") || undefined;
    await until(refused, "the plan is refused", 10_000);
    await listener.signal("SIGKILL");
    await serving(first);
    await one.waitFor("role", "master");
  });
});
