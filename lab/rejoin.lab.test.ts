/**
 * The return of an old master, with real servers of both products: what it has too many is exported and counted, refused until an operator
 * has chosen, and attached both ways afterwards.
 */
import { readFileSync, statSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { RejoinReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { manageMysql, startMysqlPair } from "./mysql-pair.ts";
import { type MysqlServer, mysqlUnavailable } from "./mysql-server.ts";
import { describeStage, type Stage } from "./stage.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null) process.stderr.write(`needs MySQL: not run: the return of an old master (${unavailable})\n`);

async function rejoin(daemon: Daemon, ...words: readonly string[]): Promise<RejoinReply> {
  const said = await holdfast(daemon, "rejoin", "orders", ...words, "--json");
  if (!said.stdout.startsWith("{")) throw new Error(said.stderr);
  return JSON.parse(said.stdout) as RejoinReply;
}

const quarantined = async (daemon: Daemon): Promise<void> => {
  const told = async () => (await steps(daemon)).some((step) => step.includes("stays quarantined")) || undefined;
  await until(told, "the one that came back is told as quarantined", 20_000);
};

describeStage("an old master of MariaDB", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test("with a tail that nobody else has: shown per table, exported, entered on another server by hand", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await one.query("CREATE TABLE shop.notes (id INT PRIMARY KEY, text VARCHAR(20))");
    await one.query("INSERT INTO shop.orders (id, server) VALUES (1, 1), (2, 1)");
    const has = async (rows: string) => (await two.value("SELECT COUNT(*) FROM shop.orders")) === rows || undefined;
    await until(() => has("2"), "the standby has it", 10_000);
    // Its tail: the standby receives no more, and nobody waits for it.
    await one.query("SET GLOBAL rpl_semi_sync_master_enabled = 0");
    await two.query("STOP SLAVE IO_THREAD");
    await one.query("INSERT INTO shop.orders (id, server) VALUES (3, 1), (4, 1)");
    await one.query("UPDATE shop.orders SET server = 7 WHERE id = 1");
    await one.query("DELETE FROM shop.orders WHERE id = 2");
    await one.query("INSERT INTO shop.notes VALUES (1, 'it''s')");
    await one.query("CREATE TABLE shop.late (id INT PRIMARY KEY)");
    await one.kill();
    expect((await holdfast(second, "takeover", "orders", "--accept-loss")).code).toBe(0);
    await serving(second);
    await two.query("INSERT INTO shop.orders (id, server) VALUES (10, 2)");
    await one.start();
    await quarantined(second);

    const looked = await rejoin(second, "--dry-run");
    expect(looked).toMatchObject({ writer: "127.0.0.1:3306", server: `${one.host.address}:3306` });
    expect(looked.extra).toMatchObject({ transactions: 5, missing: null, file: null });
    const refused = await rejoin(second);
    expect(refused.extra?.tables).toEqual([
      { table: "shop.late", inserts: 0, updates: 0, deletes: 0, statements: ["CREATE TABLE"] },
      { table: "shop.notes", inserts: 1, updates: 0, deletes: 0, statements: [] },
      { table: "shop.orders", inserts: 2, updates: 1, deletes: 1, statements: [] },
    ]);
    const file = refused.extra?.file ?? "";
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain("### INSERT INTO `shop`.`notes`");
    expect(refused.choices.map(({ title }) => title)).toEqual([
      "keep them: enter them on the writer, then make the server anew",
      "make the server anew from the writer",
    ]);
    expect((await two.replica()).Slave_IO_Running).toBe("No");
    // As the choice says.
    await two.host.execOrThrow(["mariadb", `--socket=${two.socketPath}`, "-uadmin", "-plab-admin"], {
      input: readFileSync(file, "utf8"),
    });
    expect(await two.query("SELECT id, server FROM shop.orders ORDER BY id")).toEqual([
      { id: "1", server: "7" },
      { id: "3", server: "1" },
      { id: "4", server: "1" },
      { id: "10", server: "2" },
    ]);
    expect(await two.value("SELECT text FROM shop.notes")).toBe("it's");
    // Under new numbers, so the server itself is still one to be made anew.
    expect((await rejoin(second, "--dry-run")).extra?.transactions).toBe(5);
  });
});

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeStage("an old master of MySQL", (stage: Stage) => {
    const servers: MysqlServer[] = [];
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
    });

    async function diverged(gtid: boolean) {
      const [one, two] = await startMysqlPair(stage, { gtid, semiSync: false }, servers);
      const first = manageMysql(stage, one, two);
      await instanceWhen(first, "VI_1", (it) => it.holding);
      const second = manageMysql(stage, two, one);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      await one.query("INSERT INTO shop.orders (id, server) VALUES (1, 1), (2, 1)");
      const has = async () => (await two.query("SELECT COUNT(*) FROM shop.orders")) === "2\n" || undefined;
      await until(has, "the standby has it", 10_000);
      await two.query("STOP REPLICA IO_THREAD");
      await one.query("INSERT INTO shop.orders (id, server) VALUES (3, 1)");
      await one.query("UPDATE shop.orders SET server = 7 WHERE id = 1");
      await one.kill();
      expect((await holdfast(second, "takeover", "orders", "--accept-loss")).code).toBe(0);
      await instanceWhen(second, "VI_1", (it) => it.holding);
      await two.query("INSERT INTO shop.orders (id, server) VALUES (10, 2)");
      await one.start();
      await quarantined(second);
      return { one, two, second };
    }

    const whole = async (server: MysqlServer): Promise<void> => {
      const runs = async () => (await server.replica()).match(/_Running: Yes/g)?.length === 2 || undefined;
      await until(runs, `${server.host.name} replicates`, 15_000);
    };

    test("with GTIDs: the exported tail is entered on the writer under its own GTIDs, and the ring is whole again", async () => {
      const { one, two, second } = await diverged(true);
      const refused = await rejoin(second);
      expect(refused.extra).toMatchObject({ transactions: 2, missing: null });
      expect(refused.extra?.tables).toEqual([
        { table: "shop.orders", inserts: 1, updates: 1, deletes: 0, statements: [] },
      ]);
      await two.enter(readFileSync(refused.extra?.file ?? "", "utf8"));
      const joined = await rejoin(second);
      expect(joined).toMatchObject({ end: "whole" });
      await Promise.all([whole(one), whole(two)]);
      const rows = "1\t7\n2\t1\n3\t1\n10\t2\n";
      for (const server of [one, two]) {
        const same = async () =>
          (await server.query("SELECT id, server FROM shop.orders ORDER BY id")) === rows || undefined;
        await until(same, `${server.host.name} has everything`, 10_000);
      }
    });

    test("by file and position: read from its binary log, and passed over when the operator has said that word for word", async () => {
      const { one, two, second } = await diverged(false);
      const refused = await rejoin(second);
      expect(refused.extra).toMatchObject({ transactions: 2, missing: null });
      expect(refused.extra?.what).toMatch(/^m1-bin\.\d+:\d+ to m1-bin\.\d+:\d+$/);
      expect(await rejoin(second, "--accept-extra", "m1-bin.000001:4 to m1-bin.000001:5")).toMatchObject({
        end: expect.stringContaining("is not what"),
      });
      expect(await two.replica()).toContain("Replica_IO_Running: No");
      // What it has too many is undone there by hand first: the data are equal then.
      await one.query(
        "SET SESSION sql_log_bin = 0; SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0; DELETE FROM shop.orders WHERE id = 3; UPDATE shop.orders SET server = 1 WHERE id = 1; SET GLOBAL super_read_only = 1",
      );
      const joined = await rejoin(second, "--accept-extra", refused.extra?.what ?? "");
      expect(joined).toMatchObject({ end: "whole" });
      await Promise.all([whole(one), whole(two)]);
      expect((await rejoin(second)).end).toBe("whole");
      expect(await two.query("SELECT id FROM shop.orders ORDER BY id")).toBe("1\n2\n10\n");
    });
  });
});
