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

async function claim(pair: DatabasePair, index: 0 | 1): Promise<string> {
  const node = pair.nodes[index];
  const hook = [
    `${LAB_DATA}/hooks/notify_claim.sh`,
    node.server.directory,
    node.peerAddress,
    "INSTANCE",
    "VI_82",
    "100",
  ];
  return await node.host.execOrThrow(hook);
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
      const close = [`${LAB_DATA}/hooks/notify_close.sh`, isolated.directory, survivor.host.address];
      expect(await pair.nodes[0].host.execOrThrow(close)).toContain("server killed");
      await client;
      expect(acknowledged).toEqual([]);
      await claim(pair, 1);
      await survivor.query("INSERT INTO shop.orders (id, server) VALUES (1, 2)");
      await lab.restoreLink("db1");
      await isolated.program?.exited;
      await isolated.start();
      await converged([isolated, survivor]);
      expect(await ids(isolated)).toEqual([1]);
      expect(await isolated.value("SELECT server FROM shop.orders WHERE id = 1")).toBe("2");
    }));
});
