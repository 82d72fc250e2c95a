/**
 * Managed pairs of Oracle's MySQL, with GTIDs and semi-sync and by file and position: its statements, privileges and variables. What both
 * products do alike is in mysql-takeover.lab.test.ts.
 */
import { rmSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { RejoinReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { APPLICATION } from "../src/lab/mariadb.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { eventsOf, holdfast, instanceWhen, mayTakeOver } from "./holdfast-client.ts";
import { manageMysql, optionsOf, startMysqlPair } from "./mysql-pair.ts";
import { MysqlServer, mysqlUnavailable } from "./mysql-server.ts";
import { describeStage, type Stage } from "./stage.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null)
  process.stderr.write(`needs MySQL: not run: managed pairs of Oracle's MySQL (${unavailable})\n`);

/** On the client's host; it acknowledges nothing. */
async function startReplica(
  stage: Stage,
  { gtid, of }: { readonly gtid: boolean; readonly of: MysqlServer },
  servers: MysqlServer[],
): Promise<MysqlServer> {
  const replica = new MysqlServer(stage.host("client"), 3, optionsOf(3, gtid));
  rmSync(replica.directory, { recursive: true, force: true });
  await replica.prepare();
  await replica.start();
  await replica.replicateFrom(of, gtid);
  servers.push(replica);
  return replica;
}

/** It receives from that server, and executes it. */
async function follows(replica: MysqlServer, source: MysqlServer): Promise<void> {
  const moved = async () => {
    const status = await replica.replica();
    const runs = status.match(/_Running: Yes/g)?.length === 2;
    return (runs && status.includes(`Source_Host: ${source.host.address}\n`)) || undefined;
  };
  await until(moved, `the replica follows ${source.host.name}`, 20_000);
}

/** One row after the other through the address, until told; what was committed. */
function writeThrough(stage: Stage, server: MysqlServer) {
  const acknowledged: number[] = [];
  let stopped = false;
  const client = stage.host("client");
  const running = (async () => {
    for (let id = 1; !stopped; id++) {
      const done = await server
        .queryFrom(
          client,
          { address: VIP, ...APPLICATION },
          `INSERT INTO shop.orders (id, server) VALUES (${id}, @@server_id)`,
        )
        .then(() => true)
        .catch(() => false);
      if (done) acknowledged.push(id);
      else await sleep(20);
    }
  })();
  const stop = async (): Promise<void> => {
    stopped = true;
    await running;
  };
  const progress = async (): Promise<void> => {
    const before = acknowledged.length;
    await until(async () => acknowledged.length > before + 3 || undefined, "writes go through", 25_000);
  };
  return { acknowledged, stop, progress };
}

const opened = async (daemon: Daemon): Promise<number> =>
  (await eventsOf(daemon)).filter(({ body }) => body.kind === "mysql-step" && body.outcome === "ready").length;

const rowsOf = async (server: MysqlServer): Promise<ReadonlySet<number>> =>
  new Set((await server.query("SELECT id FROM shop.orders")).split("\n").filter(Boolean).map(Number));

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeStage("a managed pair of MySQL servers", (stage: Stage) => {
    const servers: MysqlServer[] = [];
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
    });

    test("with GTIDs and semi-sync: the writer is killed, comes back, is followed again, and takes over from the other", async () => {
      const [one, two] = await startMysqlPair(stage, { gtid: true, semiSync: true }, servers);
      const replica = await startReplica(stage, { gtid: true, of: one }, servers);
      const lines = [`    replica ${replica.host.address} 3306`];
      const first = manageMysql(stage, one, two, lines);
      await instanceWhen(first, "VI_1", (it) => it.holding, 20_000);
      const second = manageMysql(stage, two, one, lines);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      const writes = writeThrough(stage, one);
      await writes.progress();
      expect(await one.query("SELECT @@super_read_only, @@rpl_semi_sync_source_enabled")).toBe("0\t1\n");

      await one.kill();
      await instanceWhen(second, "VI_1", (it) => it.holding, 20_000);
      await writes.progress();
      expect(await two.query("SELECT @@super_read_only, @@rpl_semi_sync_source_enabled")).toBe("0\t0\n");

      await follows(replica, two);
      const examined = (await holdfast(second, "doctor", "orders")).stdout;
      expect(examined).toContain("it cannot be asked: nobody listens");
      expect(examined).not.toMatch(/\[(privileges|clock|log-bin|gtid-mode)/);

      await one.start();
      const whole = async () => (await two.query("SELECT @@rpl_semi_sync_source_enabled")) === "1\n" || undefined;
      await until(whole, "commits are acknowledged again", 20_000);
      expect(await one.query("SELECT @@super_read_only")).toBe("1\n");
      await mayTakeOver(first);
      expect((await holdfast(second, "switchover", "orders")).stdout).toContain("is written to on");
      await writes.progress();
      expect(await two.query("SELECT @@super_read_only")).toBe("1\n");
      await mayTakeOver(second);
      expect((await holdfast(first, "switchover", "orders")).stdout).toContain("is written to on");
      await writes.progress();
      await mayTakeOver(first);
      await two.kill();
      await instanceWhen(first, "VI_1", (it) => it.holding, 20_000);
      await writes.progress();
      await writes.stop();
      const held = await rowsOf(one);
      expect(writes.acknowledged.filter((id) => !held.has(id))).toEqual([]);
      expect(await opened(first)).toBe(3);
    });

    test("by file and position: an orderly stop moves everything, and a killed writer is compared by its binary log", async () => {
      const [one, two] = await startMysqlPair(stage, { gtid: false, semiSync: true }, servers);
      const replica = await startReplica(stage, { gtid: false, of: two }, servers);
      const lines = [`    replica ${replica.host.address} 3306`];
      const first = manageMysql(stage, one, two, lines);
      await instanceWhen(first, "VI_1", (it) => it.holding, 20_000);
      const second = manageMysql(stage, two, one, lines);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      const writes = writeThrough(stage, one);
      await writes.progress();
      await first.stop();
      await instanceWhen(second, "VI_1", (it) => it.holding, 20_000);
      await writes.progress();
      expect(await one.query("SELECT @@super_read_only")).toBe("1\n");
      const again = manageMysql(stage, one, two, lines);
      await instanceWhen(again, "VI_1", (it) => it.state === "BACKUP");
      await writes.progress();
      await mayTakeOver(again);
      expect((await holdfast(second, "switchover", "orders")).stdout).toContain("is written to on");
      await writes.progress();
      await mayTakeOver(second);
      expect((await holdfast(again, "switchover", "orders")).stdout).toContain("is written to on");
      await writes.progress();
      await mayTakeOver(again);
      const acknowledged = async () =>
        (await two.query("SELECT @@rpl_semi_sync_source_enabled")) === "1\n" || undefined;
      await until(acknowledged, "commits are acknowledged", 20_000);
      // What comes now the replica has not received when its source dies: its place is found by its last transactions.
      await replica.query("STOP REPLICA IO_THREAD");
      await writes.progress();
      await two.kill();
      await instanceWhen(again, "VI_1", (it) => it.holding, 20_000);
      await writes.progress();
      await writes.stop();
      const held = await rowsOf(one);
      expect(writes.acknowledged.filter((id) => !held.has(id))).toEqual([]);
      await follows(replica, one);
      const equal = async () => (await rowsOf(replica)).size === held.size || undefined;
      await until(equal, "the replica has every row", 15_000);
      expect([...(await rowsOf(replica))].filter((id) => !held.has(id))).toEqual([]);

      await two.start();
      // Whether the writer's last commit had come over is chance; its binary log tells, and the ring is whole, or it is told which.
      const settled = async () => {
        const whole = (await one.replica()).match(/_Running: Yes/g)?.length === 2;
        const told = (await eventsOf(again)).some(
          ({ body }) => body.kind === "mysql-step" && body.outcome === "trouble",
        );
        return whole ? "whole" : told ? "told" : undefined;
      };
      const how = await until(settled, "the one that came back is received from again, or told as quarantined", 15_000);
      const looked = JSON.parse(
        (await holdfast(again, "rejoin", "orders", "--dry-run", "--json")).stdout,
      ) as RejoinReply;
      expect(looked.end === "ready").toBe(how === "whole");
    });
  });
});
