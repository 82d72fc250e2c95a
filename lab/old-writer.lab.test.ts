import { expect, test } from "vitest";
import { type Lab, withLab } from "../src/lab/lab.ts";
import { APPLICATION, converged, type MariadbServer } from "../src/lab/mariadb.ts";
import { DatabasePair } from "../src/lab/pair.ts";
import { LAB_DATA } from "../src/lab/paths.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { describeLab } from "./support.ts";

/** Writes until the server goes away; returns what was acknowledged. */
async function writeUntilGone(server: MariadbServer, firstId: number, acknowledged: number[]): Promise<void> {
  const sql = await SqlConnection.open({ socketPath: server.socketPath, ...APPLICATION });
  try {
    for (let id = firstId; ; id++) {
      await sql.query(`INSERT INTO shop.orders (id, server) VALUES (${id}, @@server_id)`);
      acknowledged.push(id);
    }
  } catch {
    sql.close();
  }
}

/** The hooks as the daemon calls them, but by hand: no daemon runs here. */
async function hook(pair: DatabasePair, index: 0 | 1, name: string, ...rest: readonly string[]): Promise<string> {
  const node = pair.nodes[index];
  return await node.host.execOrThrow([
    `${LAB_DATA}/hooks/${name}.sh`,
    node.server.directory,
    node.peerAddress,
    ...rest,
  ]);
}

const claim = (pair: DatabasePair, index: 0 | 1) => hook(pair, index, "notify_claim", "INSTANCE", "VI_82", "100");
const close = (pair: DatabasePair, index: 0 | 1) => hook(pair, index, "notify_close");
/** Once, with one second of patience. */
const watchAcker = (pair: DatabasePair, index: 0 | 1) => hook(pair, index, "watch_acker", "1");

/** Runs the watch every half second until it says so. */
async function watchUntil(pair: DatabasePair, index: 0 | 1, words: string): Promise<string> {
  const watched = async () => {
    const said = await watchAcker(pair, index);
    if (said.includes(words)) return said;
    await sleep(500);
    return undefined;
  };
  return await until(watched, `the watch says "${words}"`, 15_000);
}

async function runningPair(lab: Lab): Promise<DatabasePair> {
  const pair = new DatabasePair(lab, ["keepalived", "keepalived"]);
  await pair.startDatabases();
  return pair;
}

const ids = async (server: MariadbServer): Promise<readonly number[]> =>
  (await server.query("SELECT id FROM shop.orders ORDER BY id")).map((row) => Number(row.id));

describeLab("the databases of the pair", () => {
  test("a killed writer rolls its unacknowledged tail back; every acknowledged write is on both servers", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      const [old, survivor] = [pair.nodes[0].server, pair.nodes[1].server];
      expect(await claim(pair, 0)).toContain("commits wait for the acknowledgement");
      const acknowledged: number[] = [];
      const clients = [1, 2, 3, 4].map((client) => writeUntilGone(old, client * 1_000_000, acknowledged));
      await until(() => acknowledged.length > 50 || undefined, "some acknowledged writes", 10_000);
      await old.kill();
      await Promise.all(clients);

      expect(await claim(pair, 1)).toContain("DEGRADED");
      await survivor.query("INSERT INTO shop.orders (id, server) VALUES (1, 2)");
      await old.start();
      await watchUntil(pair, 1, "acknowledgement again");
      expect(await old.value("SELECT @@read_only")).toBe("1");
      await converged([old, survivor]);
      const rows = await ids(survivor);
      expect(rows).toEqual(expect.arrayContaining([1, ...acknowledged]));
      expect(await ids(old)).toEqual(rows);
    }));

  test("a writer whose commits get no acknowledgement is killed when it must close, and comes back clean", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      const [isolated, survivor] = [pair.nodes[0].server, pair.nodes[1].server];
      await claim(pair, 0);
      await lab.cutLink("db1");
      const acknowledged: number[] = [];
      const client = writeUntilGone(isolated, 1, acknowledged);
      await sleep(200);
      expect(await close(pair, 0)).toContain("server killed");
      await client;
      expect(acknowledged).toEqual([]);
      await claim(pair, 1);
      await survivor.query("INSERT INTO shop.orders (id, server) VALUES (1, 2)");
      await lab.restoreLink("db1");
      await isolated.program?.exited;
      await isolated.start();
      await watchUntil(pair, 1, "acknowledgement again");
      await converged([isolated, survivor]);
      expect(await ids(isolated)).toEqual([1]);
      expect(await isolated.value("SELECT server FROM shop.orders WHERE id = 1")).toBe("2");
    }));

  test("the gate opens only after everything received has been applied", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      const [old, standby] = [pair.nodes[0].server, pair.nodes[1].server];
      await claim(pair, 0);
      const blocker = await SqlConnection.open(standby.address);
      await blocker.query("LOCK TABLES shop.orders READ");
      await old.query("INSERT INTO shop.orders (id, server) VALUES (7, 1)");
      await old.kill();
      let opened = false;
      const claimed = claim(pair, 1).then((said) => {
        opened = true;
        return said;
      });
      await sleep(1_500);
      expect(opened).toBe(false);
      expect(await standby.value("SELECT @@read_only")).toBe("1");
      await blocker.query("UNLOCK TABLES");
      expect(await claimed).toContain("everything received is applied (0-1-1)");
      expect(await ids(standby)).toEqual([7]);
      blocker.close();
    }));

  test("what an old writer sends after a cut is neither acknowledged nor received by the new one", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      const [old, survivor] = [pair.nodes[0].server, pair.nodes[1].server];
      await claim(pair, 0);
      await lab.cutLink("db1", "silent");
      const acknowledged: number[] = [];
      const client = writeUntilGone(old, 1, acknowledged);
      await claim(pair, 1);
      await survivor.query("INSERT INTO shop.orders (id, server) VALUES (1, 2)");
      await lab.restoreLink("db1");
      expect(await watchUntil(pair, 1, "BOTH OPEN")).toContain("nothing is received");
      await sleep(2_500);
      expect(acknowledged).toEqual([]);
      expect(await close(pair, 0)).toContain("server killed");
      await client;
      expect(await ids(survivor)).toEqual([1]);
      expect((await survivor.replica()).Last_SQL_Error).toBe("");
    }));

  test("who reaches neither the peer nor the gateway does not open, and does not stop waiting for acknowledgements", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      await claim(pair, 0);
      const [writer, standby] = [pair.nodes[0].server, pair.nodes[1].server];
      await lab.cutLink("db2");
      await expect(claim(pair, 1)).rejects.toThrow("refused: neither");
      expect(await standby.value("SELECT @@read_only")).toBe("1");
      await lab.cutLink("db1");
      const acknowledged: number[] = [];
      const client = writeUntilGone(writer, 1, acknowledged);
      expect(await watchUntil(pair, 0, "gateway")).toContain("commits go on waiting");
      await writer.kill();
      await client;
      expect(acknowledged).toEqual([]);
    }));

  test("a standby whose host vanishes holds the writer up for the stated time only", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      await claim(pair, 0);
      await lab.cutLink("db2", "silent");
      const write = pair.nodes[0].server.query("INSERT INTO shop.orders (id, server) VALUES (1, 1)");
      expect(await watchUntil(pair, 0, "DEGRADED")).toContain("no acker");
      await write;
      await lab.restoreLink("db2");
      await watchUntil(pair, 0, "acknowledgement again");
      await converged([pair.nodes[0].server, pair.nodes[1].server]);
      expect(await ids(pair.nodes[1].server)).toEqual([1]);
    }));

  test("a standby that dies alone holds the writer up for the stated time only; back, it is required again", () =>
    withLab(async (lab) => {
      const pair = await runningPair(lab);
      const [writer, standby] = [pair.nodes[0].server, pair.nodes[1].server];
      await claim(pair, 0);
      await writer.query("INSERT INTO shop.orders (id, server) VALUES (1, 1)");
      await standby.kill();
      let acknowledged = false;
      const write = writer.query("INSERT INTO shop.orders (id, server) VALUES (2, 1)").then(() => {
        acknowledged = true;
      });
      expect(await watchAcker(pair, 0)).toBe("");
      expect(acknowledged).toBe(false);
      expect(await watchUntil(pair, 0, "DEGRADED")).toContain("no acker");
      await write;
      await standby.start();
      await watchUntil(pair, 0, "acknowledgement again");
      await converged([writer, standby]);
      expect(await ids(standby)).toEqual([1, 2]);
      expect(await writer.value("SELECT @@rpl_semi_sync_master_enabled")).toBe("1");
    }));
});
