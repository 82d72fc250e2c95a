/** Ways in which a returning server loses or doubles data without an error, on real MariaDB servers: each is seen and does not happen. */
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { RejoinReply } from "../src/control/contract/types.ts";
import { APPLICATION, replicating } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { holdfast, instanceWhen, lookedAgain } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

describeStage("a server that returns", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test("restored from a backup it would skip what it had committed itself: its replication is stopped, and it does not take over", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const data = join(one.directory, "data");
    await one.query("INSERT INTO shop.orders (id, server) VALUES (1, 1)");
    await until(async () => (await pair.ids(two)).has(1) || undefined, "the other has it", 10_000);
    await one.kill();
    cpSync(data, join(one.directory, "backup"), { recursive: true });
    // Without this MariaDB takes back its own transactions.
    one.configure("rpl_semi_sync_slave_enabled = 0");
    await one.start();
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await one.query("INSERT INTO shop.orders (id, server) VALUES (2, 1), (3, 1)");
    await until(async () => (await pair.ids(two)).has(3) || undefined, "the other has them", 10_000);
    await one.kill();
    await serving(second);

    rmSync(data, { recursive: true });
    renameSync(join(one.directory, "backup"), data);
    await one.start();
    const told = async () => (await steps(second)).some((step) => step.includes("has lost what it had committed"));
    await until(async () => (await told()) || undefined, "that it lacks its own is told", 15_000);
    const stands = async () => (await one.replica()).Slave_SQL_Running === "No" || undefined;
    await until(stands, "its replication is stopped", 10_000);
    const looked = JSON.parse((await holdfast(second, "rejoin", "orders", "--json")).stdout) as RejoinReply;
    expect(looked.end).toContain("has lost transactions that it committed itself (0-1-");
    expect(looked.choices.map(({ title }) => title)).toEqual(["make the server anew from the writer"]);
    // Its own daemon has seen that it follows nobody.
    await lookedAgain(first);
    await two.kill();
    const refused = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT");
    expect(refused.reason).toContain("may hold older data");
    expect([...(await pair.ids(one))]).toEqual([1]);
  });

  test("with init_rpl_role = SLAVE a commit that nobody was told of is rolled back at its start, and the ring is whole by itself", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    const armed = async () => (await one.value("SELECT @@rpl_semi_sync_master_enabled")) === "1" || undefined;
    await until(armed, "commits are acknowledged", 10_000);
    await two.query("STOP SLAVE IO_THREAD");
    const client = await SqlConnection.open({ socketPath: one.socketPath, ...APPLICATION });
    const waiting = client.query("INSERT INTO shop.orders (id, server) VALUES (7, 1)").catch(() => "broken");
    const waits = async () =>
      (await one.query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'"))[0]?.Value === "1" || undefined;
    await until(waits, "the commit waits", 10_000);
    await one.kill();
    expect(await waiting).toBe("broken");
    await holdfast(second, "takeover", "orders", "--accept-loss");
    await serving(second);
    one.configure("init_rpl_role = SLAVE");
    await one.start();
    await replicating(two);
    await replicating(one);
    expect((await pair.ids(one)).has(7)).toBe(false);
    expect((await pair.ids(two)).has(7)).toBe(false);
    await two.query("INSERT INTO shop.orders (id, server) VALUES (8, 2)");
    await until(async () => (await pair.ids(one)).has(8) || undefined, "it follows", 10_000);
  });

  test("after both were open nothing is merged, though no number collides: one is closed and quarantined, the other keeps what it has", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const lines = ["    policy availability"];
    const first = pair.start(0, lines);
    await serving(first);
    const second = pair.start(1, lines);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await stage.lab.cutLink("db1", "silent");
    await serving(second);
    // Asynchronous replication: nobody waits for anybody.
    for (const server of [one, two]) await server.query("SET GLOBAL rpl_semi_sync_master_enabled = 0");
    // As auto_increment_increment 2 with offsets 1 and 2 numbers them.
    await one.query("INSERT INTO shop.orders (id, server) VALUES (101, 1), (103, 1)");
    await two.query("INSERT INTO shop.orders (id, server) VALUES (102, 2), (104, 2)");
    const left = async () => (await one.replica()).Slave_SQL_Running === "No" || undefined;
    await until(left, "the one receives nothing more from the other", 15_000);
    await stage.lab.restoreLink("db1");
    const closed = async () =>
      (await Promise.all(pair.servers.map((server) => server.value("SELECT @@read_only")))).sort();
    await until(async () => (await closed()).join() === "0,1" || undefined, "one is closed", 20_000);
    const told = async () =>
      [...(await steps(first)), ...(await steps(second))].some((step) => step.includes("stays quarantined")) ||
      undefined;
    await until(told, "what only one has is told", 15_000);
    expect([...(await pair.ids(one))].filter((id) => id > 100)).toEqual([101, 103]);
    expect([...(await pair.ids(two))].filter((id) => id > 100)).toEqual([102, 104]);
  });
});
