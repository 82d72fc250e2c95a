/** MHA's failover and switch with Oracle's MySQL, whose statements, GTIDs and logs have nothing in common with MariaDB's but the idea. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import { REPLICATION } from "../../src/lab/mariadb.ts";
import { MHA_TOPOLOGY } from "../../src/lab/mha-scene.ts";
import { cacheDirectory, HOLDFAST_LAUNCHER } from "../../src/lab/paths.ts";
import { type RunningProgram, until } from "../../src/lab/processes.ts";
import { sshClientOptions, sshKey, startSshd } from "../../src/lab/sshd.ts";
import { MysqlServer, mysqlUnavailable } from "../mysql-server.ts";
import { describeHoldfast } from "../support.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null) process.stderr.write(`needs MySQL: not run: MHA with Oracle's MySQL (${unavailable})\n`);

const BASE = ["--log-bin=binlog", "--relay-log=relay", "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"];
const GTID = ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"];
const POSITION = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF", "--replica-net-timeout=4"];

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeHoldfast("MHA with MySQL", () => {
    let lab: Lab;
    let servers: readonly [MysqlServer, MysqlServer, MysqlServer];
    let programs: RunningProgram[] = [];
    let directory: string;
    beforeAll(async () => {
      lab = await createLab(MHA_TOPOLOGY);
      directory = join(lab.host("manager").directory, "mha");
    });
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
      for (const program of programs) await program.signal("SIGKILL");
      programs = [];
    });
    afterAll(() => lab.destroy());

    async function start(gtid: boolean): Promise<void> {
      const made = [1, 2, 3].map(
        (id) =>
          new MysqlServer(lab.host(`db${id}`), id, [
            ...BASE,
            ...(gtid ? GTID : POSITION),
            ...(id === 1 ? [] : ["--read-only=ON"]),
          ]),
      );
      servers = made as unknown as typeof servers;
      await Promise.all(
        servers.map(async (server) => {
          await server.host.exec(["rm", "-rf", server.directory]);
          await server.prepare();
          await server.start();
        }),
      );
      for (const server of servers) {
        // Not in its log: every server has it by itself.
        await server.query(
          "SET sql_log_bin = 0; CREATE USER mha@'%' IDENTIFIED BY 'lab-mha'; GRANT ALL ON *.* TO mha@'%' WITH GRANT OPTION",
        );
      }
      const [master, ...replicas] = servers;
      for (const replica of replicas) await replica.replicateFrom(master, gtid);
      await master.query("INSERT INTO shop.orders VALUES (1, 1), (2, 1)");
      await has(replicas, "2");
      const key = await sshKey(join(lab.host("manager").directory, "key"));
      programs = await Promise.all(servers.map(({ host }) => startSshd(host, key)));
      writeConf(key);
    }

    function writeConf(key: string): void {
      const bin = join(directory, "bin");
      mkdirSync(bin, { recursive: true });
      for (const name of ["mysql", "mysqlbinlog"]) {
        writeFileSync(join(bin, name), `#!/bin/sh\nexec ${join(cacheDirectory(), "mysql", `run-${name}`)} "$@"\n`);
        chmodSync(join(bin, name), 0o755);
      }
      const lines = [
        "[server default]",
        "user=mha",
        "password=lab-mha",
        `repl_user=${REPLICATION.user}`,
        `repl_password=${REPLICATION.password}`,
        `manager_workdir=${directory}/work`,
        `manager_log=${directory}/manager.log`,
        `client_bindir=${bin}`,
        `ssh_options=${sshClientOptions(key)}`,
        `master_binlog_dir=${servers[0].dataDirectory}`,
        ...servers.map(({ host }, at) => `[server${at + 1}]\nhostname=${host.address}`),
        "",
      ];
      writeFileSync(join(directory, "app1.cnf"), lines.join("\n"));
      writeFileSync(join(directory, "manager.log"), "");
    }

    const words = (name: string, ...args: readonly string[]) => [
      HOLDFAST_LAUNCHER,
      "mha",
      name,
      `--conf=${join(directory, "app1.cnf")}`,
      ...args,
    ];
    const log = () => readFileSync(join(directory, "manager.log"), "utf8");

    async function watching(): Promise<RunningProgram> {
      const manager = lab.host("manager").spawn(words("masterha_manager", "--ignore_last_failover"));
      const seen = () => {
        if (!manager.running) throw new Error(`the manager has ended:\n${manager.text}${log()}`);
        return /Ping\(SELECT\) succeeded/.test(log()) || undefined;
      };
      await until(seen, "the manager watches", 40_000);
      return manager;
    }

    async function has(list: readonly MysqlServer[], rows: string): Promise<void> {
      for (const server of list) {
        const same = async () => (await server.query("SELECT COUNT(*) FROM shop.orders")).trim() === rows || undefined;
        await until(same, `${server.host.name} has ${rows} rows`, 20_000);
      }
    }

    const sums = async (list: readonly MysqlServer[]) =>
      new Set(await Promise.all(list.map((server) => server.query("CHECKSUM TABLE shop.orders"))));

    test.each([
      ["by GTID", true],
      ["by file and position", false],
    ])("%s: the master is killed, what only its disk has is saved, the other replica follows", async (_title, gtid) => {
      await start(gtid);
      const check = await lab.host("manager").exec(words("masterha_check_repl"), { timeoutMs: 60_000 });
      expect(check.stdout).toContain("MySQL Replication Health is OK.");
      const manager = await watching();
      const [db1, db2, db3] = servers;
      await db3.query("STOP REPLICA IO_THREAD");
      await db1.query("INSERT INTO shop.orders VALUES (3, 1)");
      await has([db2], "3");
      await db2.query("STOP REPLICA IO_THREAD");
      await db1.query(
        "INSERT INTO shop.orders VALUES (4, 1); CREATE TABLE shop.late (id INT PRIMARY KEY, t TEXT); INSERT INTO shop.late VALUES (1, 'it''s')",
      );
      await db1.kill();
      expect(await manager.exited, log()).toBe(0);
      expect((await db2.query("SELECT @@global.read_only, @@global.super_read_only")).trim()).toBe("0\t0");
      await db2.query("INSERT INTO shop.orders VALUES (5, 2)");
      await has([db2, db3], "5");
      expect(await sums([db2, db3])).toHaveLength(1);
      expect((await db3.query("SELECT t FROM shop.late")).trim()).toBe("it's");
      expect(await db3.replica()).toMatch(/Source_Host: 192\.168\.11\.82/);
      expect(await db3.replica()).toMatch(gtid ? /Auto_Position: 1/ : /Auto_Position: 0/);
    });

    test("online switch there, the old master stays as a replica", async () => {
      await start(true);
      const [db1, db2, db3] = servers;
      const args = [
        "--master_state=alive",
        "--new_master_host=192.168.11.83",
        "--interactive=0",
        "--orig_master_is_new_slave",
      ];
      const done = await lab.host("manager").exec(words("masterha_master_switch", ...args), { timeoutMs: 60_000 });
      expect(done.code, done.stdout).toBe(0);
      await db3.query("INSERT INTO shop.orders VALUES (9, 3)");
      await has([db1, db2, db3], "3");
      expect((await db1.query("SELECT @@global.super_read_only")).trim()).toBe("1");
    });
  });
});
