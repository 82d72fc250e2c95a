/**
 * The return of an old master, with real servers of both products: what it has too many is exported and counted, refused until an operator
 * has chosen, and attached both ways afterwards.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { RejoinReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { MANAGER, type MariadbServer, replicating } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen, lookedAgain } from "./holdfast-client.ts";
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

/** As an administrator has them for his service manager; returns the lines of the block. */
function serviceScripts(directory: string, command: readonly string[]): readonly string[] {
  const pidFile = join(directory, "mysqld.pid");
  const scripts = {
    stop: `pid=$(cat ${pidFile}); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done`,
    start: `setsid ${command.map((word) => `'${word}'`).join(" ")} </dev/null >/dev/null 2>&1 &`,
  };
  return Object.entries(scripts).map(([name, text]) => {
    const path = join(directory, `${name}.sh`);
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return `    ${name}_server ${path}`;
  });
}

const quarantined = async (daemon: Daemon): Promise<void> => {
  const told = async () => (await steps(daemon)).some((step) => step.includes("stays quarantined")) || undefined;
  await until(told, "the one that came back is told as quarantined", 20_000);
};

/** Its server gets kill -9 and is started again, as systemd does; it has the address and takes writes afterwards. */
async function restarted(daemon: Daemon, server: MariadbServer | MysqlServer): Promise<void> {
  await server.kill();
  await instanceWhen(daemon, "VI_1", (it) => !it.holding);
  await server.start();
  await serving(daemon);
}

describeStage("an old master of MariaDB", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test("with a tail that nobody else has: shown per table, exported, entered on another server by hand", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const copy = join(one.directory, "copy.sh");
    const backup = `mariadb-backup --defaults-file=${two.configFile} --backup --stream=mbstream --target-dir=${two.directory}`;
    writeFileSync(copy, `#!/bin/sh\nexec ${backup} --socket=${two.socketPath} --user=admin --password=lab-admin\n`, {
      mode: 0o755,
    });
    const first = pair.start(0, [...serviceScripts(one.directory, one.command()), `    copy_from ${copy}`]);
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
    await holdfast(second, "takeover", "orders", "--accept-loss");
    await serving(second);
    await two.query("INSERT INTO shop.orders (id, server) VALUES (10, 2)");
    // The row that the old master's tail has changed as well.
    await two.query("UPDATE shop.orders SET server = 9 WHERE id = 1");
    await one.start();
    await quarantined(second);
    expect(await two.query("SELECT server FROM shop.orders WHERE id = 1")).toEqual([{ server: "9" }]);

    // The writer's server starts again, and its replication with it: nothing comes in, and the pair goes on.
    await restarted(second, two);
    expect(await two.replica()).toMatchObject({ Master_User: "quarantined:repl", Last_SQL_Errno: "0" });
    expect(await two.query("SELECT id, server FROM shop.orders ORDER BY id")).toEqual([
      { id: "1", server: "9" },
      { id: "2", server: "1" },
      { id: "10", server: "2" },
    ]);

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

    expect((await rejoin(second, one.host.address, "--reseed")).end).toContain("by the daemon of its own host only");
    expect((await rejoin(first, "--reseed", "--dry-run")).end).toBe("ready");
    expect(await one.value("SELECT COUNT(*) FROM shop.late")).toBe("0");
    pair.write();
    await pair.writesReach(two);
    const anew = await rejoin(first, "--reseed");
    expect(anew).toMatchObject({ end: "whole" });
    await pair.writesReach(two);
    await Promise.all([replicating(one), replicating(two)]);
    await pair.stopWriting();
    await until(async () => (await pair.lost(one)).length === 0 || undefined, "it has everything", 10_000);
    expect(await one.value("SELECT @@read_only")).toBe("1");
    expect(await one.value("SELECT text FROM shop.notes")).toBe("it's");
    const kept = readdirSync(one.directory).filter((name) => name.startsWith("data"));
    expect(kept.sort()).toEqual(["data", expect.stringMatching(/^data\.before-/)]);
    expect((await rejoin(second)).end).toBe("whole");
    // The way back: everything that it had committed before is known to be there.
    await lookedAgain(first);
    expect((await holdfast(second, "switchover", "orders")).stdout).toContain("is written to on");
    await one.kill();
  });
});

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeStage("an old master of MySQL", (stage: Stage) => {
    const servers: MysqlServer[] = [];
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
    });

    async function diverged(gtid: boolean) {
      const more = ["--plugin-load-add=mysql_clone.so"];
      const [one, two] = await startMysqlPair(stage, { gtid, semiSync: false, more }, servers);
      const first = manageMysql(stage, one, two, serviceScripts(one.directory, one.command));
      await instanceWhen(first, "VI_1", (it) => it.holding);
      const second = manageMysql(stage, two, one);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      await one.query(`GRANT CLONE_ADMIN, BACKUP_ADMIN, RELOAD ON *.* TO '${MANAGER.user}'@'%'`);
      await one.query("INSERT INTO shop.orders (id, server) VALUES (1, 1), (2, 1)");
      const has = async () => (await two.query("SELECT COUNT(*) FROM shop.orders")) === "2\n" || undefined;
      await until(has, "the standby has it", 10_000);
      await two.query("STOP REPLICA IO_THREAD");
      await one.query("INSERT INTO shop.orders (id, server) VALUES (3, 1)");
      await one.query("UPDATE shop.orders SET server = 7 WHERE id = 1");
      await one.kill();
      await holdfast(second, "takeover", "orders", "--accept-loss");
      await instanceWhen(second, "VI_1", (it) => it.holding);
      await two.query("INSERT INTO shop.orders (id, server) VALUES (10, 2)");
      await one.start();
      await quarantined(second);
      return { one, two, first, second };
    }

    const whole = async (server: MysqlServer): Promise<void> => {
      const runs = async () => (await server.replica()).match(/_Running: Yes/g)?.length === 2 || undefined;
      await until(runs, `${server.host.name} replicates`, 15_000);
    };

    test("with GTIDs: the exported tail is entered on the writer under its own GTIDs, and the ring is whole again", async () => {
      const { one, two, first, second } = await diverged(true);
      // Its own daemon would take over: it has everything that the writer has, and more.
      await first.stop();
      await restarted(second, two);
      expect(await two.query("SELECT id FROM shop.orders ORDER BY id")).toBe("1\n2\n10\n");
      expect(await two.replica()).toContain("Source_User: quarantined:repl");
      stage.again(first);
      await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
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

      expect((await rejoin(first, "--reseed", "--dry-run")).end).toBe("ready");
      const anew = await rejoin(first, "--reseed");
      expect(anew).toMatchObject({ end: "whole" });
      await Promise.all([whole(one), whole(two)]);
      expect(await one.query("SELECT id, server FROM shop.orders ORDER BY id")).toBe(rows);
      await two.query("INSERT INTO shop.orders VALUES (11, 2)");
      const follows = async () => (await one.query("SELECT COUNT(*) FROM shop.orders")) === "5\n" || undefined;
      await until(follows, "it follows", 10_000);
      expect(readdirSync(one.directory).some((name) => name.startsWith("data.before-"))).toBe(true);
      await one.kill();
    });

    test("by file and position: read from its binary log, and passed over when the operator has said that word for word", async () => {
      const { one, two, first, second } = await diverged(false);
      await two.query("INSERT INTO shop.orders (id, server) VALUES (11, 2)");
      await first.stop();
      await restarted(second, two);
      expect(await two.query("SELECT id FROM shop.orders ORDER BY id")).toBe("1\n2\n10\n11\n");
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
      expect(await two.query("SELECT id FROM shop.orders ORDER BY id")).toBe("1\n2\n10\n11\n");
    });
  });
});
