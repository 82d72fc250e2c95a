/**
 * MYSQL_CHECK against a real MariaDB pair: who belongs into a pool of replicas, who into one of writers, and why not. Needs no IPVS: the pool
 * is what the checks say, whatever the kernel has.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LvsServerView, LvsStatusReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { ADMIN, CHECK, MariadbServer, replicateFrom, replicating } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { holdfast, lvsOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const POOLS = { replica: "192.168.11.101", writer: "192.168.11.102", beating: "192.168.11.103" } as const;
type PoolName = keyof typeof POOLS;
const PATIENCE = 20_000;

/** Small limits, so that two seconds without an applied row are a lag. */
const LINES: Readonly<Record<PoolName, string>> = {
  replica: "max_lag 2\nrejoin_lag 1",
  writer: "role writer",
  beating: "role any\nmax_lag 100\nheartbeat_table shop.heartbeat",
};

function config(directory: string): string {
  const written = ({ user, password }: typeof CHECK | typeof ADMIN): string => {
    const file = join(directory, `${user}.cnf`);
    writeFileSync(file, `[client]\nuser = ${user}\npassword = "${password}"\n`, { mode: 0o600 });
    return file;
  };
  // Of the lab's accounts only this one may also read the heartbeat.
  const credentials = { replica: written(CHECK), writer: written(CHECK), beating: written(ADMIN) };
  const real = (address: string, pool: PoolName): string =>
    `real_server ${address} 3306 {\nMYSQL_CHECK {\ncredentials ${credentials[pool]}\nconnect_timeout 2\n${LINES[pool]}\n}\n}\n`;
  const pools = (Object.keys(POOLS) as PoolName[]).map((pool) => {
    const servers = real("192.168.11.81", pool) + real("192.168.11.82", pool);
    const head =
      "delay_loop 0.3\nretry 1\ndelay_before_retry 0.1\nalpha\nlvs_sched wlc\nlvs_method NAT\nprotocol TCP\n";
    return `virtual_server ${POOLS[pool]} 3306 {\n${head}${servers}}\n`;
  });
  return pools.join("");
}

const memberOf = (reply: LvsStatusReply | undefined, pool: PoolName, name: string): LvsServerView | undefined => {
  const service = reply?.services.find((one) => one.service === `TCP ${POOLS[pool]}:3306`);
  return service?.servers.find(({ server }) => server === `${name === "db1" ? "192.168.11.81" : "192.168.11.82"}:3306`);
};

describeStage("MYSQL_CHECK of a pool", (stage: Stage) => {
  let db1: MariadbServer;
  let db2: MariadbServer;
  let daemon: Daemon;
  let rows = 0;

  const write = () => db1.query(`INSERT INTO shop.orders (id, server) VALUES (${++rows}, 1)`);
  /** The checker's last result in that pool, once the server is in it or out of it. */
  const found = (pool: PoolName, name: string, alive: boolean, text = ""): Promise<string> =>
    until(
      async () => {
        const standing = memberOf(await lvsOf(daemon), pool, name)?.pool;
        const [checker] = standing?.checkers ?? [];
        const as = standing?.alive === alive && checker?.ok === alive && (checker.finding ?? "").includes(text);
        return as ? (checker.finding ?? "") : undefined;
      },
      `${name} is ${alive ? "in" : "out of"} ${pool} (${text})`,
      PATIENCE,
    );

  beforeAll(async () => {
    db1 = new MariadbServer(stage.host("db1"), 1);
    db2 = new MariadbServer(stage.host("db2"), 2);
    await Promise.all([db1.prepare(), db2.prepare()]);
    await Promise.all([db1.start(), db2.start()]);
    await db1.query("SET GLOBAL read_only = 0");
    await replicateFrom(db2, db1);
    await db1.query("CREATE TABLE shop.heartbeat (server_id INT PRIMARY KEY, ts VARCHAR(26) NOT NULL)");
  });

  afterAll(async () => {
    for (const server of [db1, db2]) if (server.program?.running === true) await server.kill();
  });

  test("a server's part decides its pool, then its lag, its threads, its heartbeat, and a failover changes sides", async () => {
    daemon = stage.start("client", config(stage.host("client").directory));
    await found("replica", "db2", true);
    await found("writer", "db1", true);
    await found("replica", "db1", false, "it takes writes, so it is no replica");
    await found("writer", "db2", false, "it takes no writes (read_only)");

    // Lag: nothing is applied while a session holds the table.
    const report = await SqlConnection.open(db2.address);
    await report.query("LOCK TABLES shop.orders READ");
    await write();
    expect(await found("replica", "db2", false, "lags")).toMatch(
      /^it lags \d+ s behind, and (max_lag is 2|it comes back at 1)$/,
    );
    const explained = (await holdfast(daemon, "explain", "192.168.11.82:3306")).stdout.replaceAll(/\s+/g, " ");
    expect(explained).toMatch(/192\.168\.11\.82:3306 is out of the pool since .*MYSQL_CHECK fails since .*: it lags/);
    report.close();
    await found("replica", "db2", true);

    // Threads, and an error of replication.
    await db2.query("STOP SLAVE SQL_THREAD");
    await found("replica", "db2", false, "its SQL thread is stopped");
    await db2.query("START SLAVE");
    await found("replica", "db2", true);
    await db2.query("STOP SLAVE IO_THREAD");
    await found("replica", "db2", false, "its I/O thread from");
    await db2.query("START SLAVE");
    await found("replica", "db2", true);
    const own = await SqlConnection.open(db2.address);
    await own.query("SET sql_log_bin = 0");
    await own.query(`INSERT INTO shop.orders (id, server) VALUES (${rows + 1}, 2)`);
    await write();
    await found("replica", "db2", false, "its SQL thread is stopped (error 1062)");
    await own.query(`DELETE FROM shop.orders WHERE id = ${rows}`);
    own.close();
    await db2.query("START SLAVE");
    await replicating(db2);
    await found("replica", "db2", true);

    // The heartbeat table: none, fresh, stale.
    await found("beating", "db2", false, "there is no heartbeat in shop.heartbeat");
    await db1.query("REPLACE INTO shop.heartbeat VALUES (1, NOW(6))");
    await found("beating", "db2", true);
    await db1.query("REPLACE INTO shop.heartbeat VALUES (1, NOW(6) - INTERVAL 500 SECOND)");
    await found("beating", "db2", false, "lags 50");

    // A dead source empties no pool of replicas; the writer's pool loses it.
    await db1.kill();
    await found("writer", "db1", false);
    await found("replica", "db2", true);
    await db2.query("STOP SLAVE");
    await db2.query("RESET SLAVE ALL");
    await db2.query("SET GLOBAL read_only = 0");
    await found("writer", "db2", true);
    await found("replica", "db2", false, "it takes writes, so it is no replica");
    const told = (await holdfast(daemon, "history", "--server", "192.168.11.82:3306")).stdout;
    expect(told).toContain("[192.168.11.82]:tcp:3306 serves [192.168.11.102]:tcp:3306");
  });
});
