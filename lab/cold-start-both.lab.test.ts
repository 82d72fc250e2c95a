// Cold start of both hosts (wait_for_all): a server that comes up alone does not become the writer by itself, whatever the order of the starts. It does when
// the other one answers and has nothing that it lacks, or when an operator has named it the first writer.
import { afterEach, expect, test } from "vitest";
import { sleep } from "../src/lab/processes.ts";
import { holdfast, instanceWhen } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { RedisPair, redisSteps } from "./redis-pair.ts";
import { describeStages, type Stage } from "./stage.ts";

function mariadb(stage: Stage): void {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test.sequential("nobody has written anything down: the first that starts waits for the other, or for init-writer, which holds once", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    await two.kill();
    const first = pair.start(0);
    const waiting = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT");
    expect(waiting.reason).toContain("may hold older data");
    expect(await one.value("SELECT @@read_only")).toBe("1");

    const named = await holdfast(first, "init-writer", "orders");
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining("this host may become the first writer") });
    await serving(first);
    expect(await steps(first)).toContain("takeover: an operator has named this host the first writer");
    const again = await holdfast(first, "init-writer", "orders");
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("is the writer already") });

    // Both go down; the daemon that was the writer is away for longer than it may be: the name given once is used up.
    await first.stop();
    await sleep(3_500);
    const restarted = stage.again(first);
    const alone = await instanceWhen(restarted, "VI_1", (it) => it.state === "FAULT");
    expect(alone.reason).toContain("may hold older data");
    // The other answers: what it has is compared, and the newer one becomes the writer without an operator.
    await two.start();
    await serving(restarted);
  });
}

function redis(stage: Stage): void {
  let pair: RedisPair;
  afterEach(() => pair.end());

  test.sequential("nobody has written anything down: the first that starts waits for the other, or for init-writer", async () => {
    pair = new RedisPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    await two.kill();
    const first = pair.start(0);
    const waiting = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT");
    expect(waiting.reason).toContain("cannot be asked");
    expect(await one.info("role")).toBe("slave");

    expect(await holdfast(first, "init-writer", "nobody")).toMatchObject({ code: 1 });
    expect(await holdfast(first, "init-writer", "cache")).toMatchObject({ code: 0 });
    await instanceWhen(first, "VI_1", (it) => it.holding);
    expect(await one.info("role")).toBe("master");
    expect(await redisSteps(first)).toContain("takeover: an operator has named this host the first writer");
  });

  test.sequential("the other answers: nothing has to be said, and init-writer refuses", async () => {
    pair = new RedisPair(stage);
    await pair.startServers();
    const [, two] = pair.servers;
    await two.kill();
    const first = pair.start(0);
    await instanceWhen(first, "VI_1", (it) => it.state === "FAULT");
    await two.start();
    await instanceWhen(first, "VI_1", (it) => it.holding);
    expect(await holdfast(first, "init-writer", "cache")).toMatchObject({ code: 1 });
  });
}

describeStages("cold-start-both", { "of MariaDB servers": mariadb, "of Redis servers": redis });
