/**
 * What a writer has committed and not sent when its server is killed, and its host lives: the claim fetches it from the files of the dead
 * server, through the daemon there. Real servers; a receiver that is cut off is one that lags, only longer.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import type { LabHost } from "../src/lab/lab.ts";
import { until } from "../src/lab/processes.ts";
import { eventsOf, instanceWhen, mayTakeOver, statusOf } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { managedMysql, startMysqlPair } from "./mysql-pair.ts";
import { type MysqlServer, mysqlUnavailable } from "./mysql-server.ts";
import { describeStages, type Stage } from "./stage.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null)
  process.stderr.write(`needs MySQL: not run: the tail of a dead MySQL server (${unavailable})\n`);

const ROWS = 20;
/** Several beats. */
const SLOW_SECONDS = 2;

function linkBlock(own: LabHost, peer: LabHost): string {
  const file = join(own.directory, "peer.key");
  writeFileSync(file, `hex:${"5a".repeat(32)}\n`, { mode: 0o600 });
  return `peer_link {\n listen ${own.address}\n peer ${peer.address}\n key 1 file:${file}\n active_key 1\n}\n`;
}

async function readyFor(second: Daemon): Promise<void> {
  await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
  await mayTakeOver(second);
  const linked = async () => (await statusOf(second))?.peers[0]?.connected || undefined;
  await until(linked, "the daemons are connected", 20_000);
}

/** Nobody of `from` reaches the server on `to` any more: its host says so, as when nobody listens. */
async function refuse(from: LabHost, to: LabHost): Promise<void> {
  const rule = `ip saddr ${from.address} tcp dport 3306 reject with tcp reset`;
  const table = `table inet cut {\n chain in {\n type filter hook input priority 0\n ${rule}\n }\n}\n`;
  await to.execOrThrow(["nft", "-f", "-"], { input: table });
}

const allow = (host: LabHost): Promise<unknown> => host.execOrThrow(["nft", "delete", "table", "inet", "cut"]);

const fetched = async (daemon: Daemon): Promise<readonly string[]> =>
  (await eventsOf(daemon)).flatMap(({ body }) =>
    body.kind === "mysql-step" && body.outcome === "done" && body.step.startsWith("fetch ") ? [body.detail] : [],
  );

/** Every row is a commit that its client was told of; in two files. The last one takes a while to execute: its receiver has to hear that its source lives. */
async function commit(inSession: (...statements: readonly string[]) => Promise<unknown>): Promise<void> {
  for (let id = 1; id < ROWS; id++) {
    if (id === ROWS / 2) await inSession("FLUSH BINARY LOGS");
    await inSession(`INSERT INTO shop.orders (id, server) VALUES (${id}, 1)`);
  }
  await inSession(
    "SET SESSION binlog_format = 'STATEMENT'",
    `INSERT INTO shop.orders (id, server) SELECT ${ROWS}, 1 + SLEEP(${SLOW_SECONDS})`,
    "SET SESSION binlog_format = 'ROW'",
  );
}

const ALL = [expect.stringMatching(/^20 transactions, up to m1-bin\.\d+:\d+$/)];

function onMariadb(mode: "gtid" | "position", settings: string): (stage: Stage) => void {
  return (stage) => {
    let pair: ManagedPair;
    afterEach(() => pair.end());

    test("every commit is on the new writer, and the old one joins", async () => {
      pair = new ManagedPair(stage);
      await pair.startServers(mode, settings);
      const [one, two] = pair.servers;
      await serving(pair.start(0, [], { blocks: linkBlock(one.host, two.host) }));
      const second = pair.start(1, [], { blocks: linkBlock(two.host, one.host) });
      await readyFor(second);
      await refuse(two.host, one.host);
      const dumps = await one.query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'");
      for (const { ID } of dumps) await one.query(`KILL ${ID}`);
      const cut = async () => (await two.replica()).Slave_IO_Running !== "Yes" || undefined;
      await until(cut, "the standby is cut off", 10_000);
      await commit(async (...statements) => {
        for (const sql of statements) await one.query(sql);
      });
      expect((await pair.ids(two)).size).toBe(0);

      await one.kill();
      await serving(second);
      expect(await fetched(second)).toEqual(ALL);
      expect((await pair.ids(two)).size).toBe(ROWS);
      const replica = await two.replica();
      expect([replica.Master_Host, replica.Master_Port]).toEqual([one.host.address, "3306"]);
      expect(replica.Using_Gtid).toBe(mode === "gtid" ? "Slave_Pos" : "No");

      await two.query(`INSERT INTO shop.orders (id, server) VALUES (${ROWS + 1}, 2)`);
      await allow(one.host);
      await one.start();
      await until(async () => (await pair.ids(one)).has(ROWS + 1) || undefined, "the old writer follows", 20_000);
      const whole = async () => (await two.replica()).Slave_IO_Running === "Yes" || undefined;
      await until(whole, "the ring is whole", 20_000);
      expect((await pair.ids(one)).size).toBe(ROWS + 1);
      expect((await steps(second)).join("\n")).not.toContain("stays quarantined");
    });
  };
}

function onMysql(gtid: boolean): (stage: Stage) => void {
  return (stage) => {
    const servers: MysqlServer[] = [];
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
    });
    const rows = async (server: MysqlServer) => Number(await server.query("SELECT COUNT(*) FROM shop.orders"));

    test.skipIf(unavailable !== null)("every commit is on the new writer, and the old one joins", async () => {
      const [one, two] = await startMysqlPair(stage, { gtid, semiSync: gtid }, servers);
      const first = stage.start(one.host.name, linkBlock(one.host, two.host) + managedMysql(one, two));
      await serving(first);
      const second = stage.start(two.host.name, linkBlock(two.host, one.host) + managedMysql(two, one));
      await readyFor(second);
      await refuse(two.host, one.host);
      const dumps = await one.query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'");
      for (const id of dumps.split("\n").filter(Boolean)) await one.query(`KILL ${id}`);
      const cut = async () => !(await two.replica()).includes("Replica_IO_Running: Yes") || undefined;
      await until(cut, "the standby is cut off", 10_000);
      await commit((...statements) => one.query(statements.join("; ")));
      expect(await rows(two)).toBe(0);

      await one.kill();
      await serving(second);
      expect(await fetched(second)).toEqual(ALL);
      expect(await rows(two)).toBe(ROWS);
      expect(await two.replica()).toContain(`Source_Host: ${one.host.address}\n`);
      expect(await two.replica()).toContain(`Auto_Position: ${gtid ? 1 : 0}\n`);

      await two.query(`INSERT INTO shop.orders (id, server) VALUES (${ROWS + 1}, 2)`);
      await allow(one.host);
      await one.start();
      await until(async () => (await rows(one)) === ROWS + 1 || undefined, "the old writer follows", 25_000);
      const whole = async () => (await two.replica()).includes("Replica_IO_Running: Yes") || undefined;
      await until(whole, "the ring is whole", 25_000);
      expect((await steps(second)).join("\n")).not.toContain("stays quarantined");
    });
  };
}

// The writer goes on alone after three seconds without an acknowledgement.
describeStages("the tail of a dead MariaDB", {
  "by GTID, semi-sync degraded": onMariadb("gtid", ""),
  "by file and position": onMariadb("position", "rpl_semi_sync_slave_enabled = 0\n"),
});

describeStages("the tail of a dead MySQL", {
  "by GTID, semi-sync degraded": onMysql(true),
  "by file and position": onMysql(false),
});
