/** Two MariaDB servers on each of the same two hosts: two pairs, each behind an address of its own, that fail over independently. */
import { rmSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { APPLICATION, MariadbServer, replicateFrom } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { withSql } from "../src/lab/sql-client.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { holdfast, instanceWhen, lookedAgain } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const GROUPS = [
  { name: "orders", instance: "VI_1", port: 3306, virtualRouterId: 51, vip: "192.168.11.100" },
  { name: "stock", instance: "VI_2", port: 3307, virtualRouterId: 52, vip: "192.168.11.101" },
] as const;

describeStage("several servers on a host", (stage: Stage) => {
  const servers: MariadbServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) if (server.program?.running === true) await server.kill();
  });

  /** The ring of one group: its server on db1 and the one on db2. */
  async function startGroup(
    port: number,
    ids: readonly [number, number],
  ): Promise<readonly [MariadbServer, MariadbServer]> {
    const pair = [
      new MariadbServer(stage.host("db1"), ids[0], port),
      new MariadbServer(stage.host("db2"), ids[1], port),
    ] as const;
    for (const server of pair) rmSync(server.directory, { recursive: true, force: true });
    await Promise.all(pair.map((server) => server.prepare()));
    await Promise.all(pair.map((server) => server.start()));
    servers.push(...pair);
    await Promise.all([replicateFrom(pair[0], pair[1]), replicateFrom(pair[1], pair[0])]);
    return pair;
  }

  /** Each host is the better one for one of the groups. */
  function start(index: 0 | 1, pairs: readonly (readonly [MariadbServer, MariadbServer])[]) {
    const blocks = GROUPS.map(({ name, instance, port, virtualRouterId, vip }, at) => {
      const pair = pairs[at] as readonly [MariadbServer, MariadbServer];
      const [own, peer] = index === 0 ? pair : [pair[1], pair[0]];
      const block = [
        `mysql ${name} {`,
        `    server 127.0.0.1 ${port}`,
        `    peer ${peer.host.address} ${port}`,
        `    credentials ${own.directory}/manager.cnf`,
        "}",
        "",
      ].join("\n");
      const priority = index === at ? 100 : 90;
      const vrrp = { name: instance, virtualRouterId, vip, priority, advertSeconds: 0.5, nopreempt: true };
      return block + instanceBlock({ ...vrrp, lines: [`manage_mysql ${name}`] });
    });
    return stage.start(index === 0 ? "db1" : "db2", blocks.join(""));
  }

  const writesReach = async (vip: string, port: number, server: MariadbServer): Promise<void> => {
    const write = async () => {
      const sql = "INSERT INTO shop.orders (id, server) VALUES (FLOOR(RAND() * 1000000000), @@server_id)";
      const done = await stage
        .host("client")
        .exec([
          "mariadb",
          `-h${vip}`,
          `-P${port}`,
          `-u${APPLICATION.user}`,
          `-p${APPLICATION.password}`,
          "--skip-ssl",
          "-e",
          sql,
        ]);
      const held = await withSql(server.address, (sqlc) =>
        sqlc.query(`SELECT COUNT(*) AS n FROM shop.orders WHERE server = ${server.serverId}`),
      ).catch(() => []);
      return (done.code === 0 && Number(held[0]?.n) > 0) || undefined;
    };
    await until(write, `writes through ${vip} reach ${server.host.name}:${server.port}`, 15_000);
  };

  test("each host is the writer of one group; killing a server moves its own address only, and so does a switchover", async () => {
    const orders = await startGroup(3306, [1, 2]);
    const stock = await startGroup(3307, [3, 4]);
    const first = start(0, [orders, stock]);
    await instanceWhen(first, "VI_1", (it) => it.holding, 20_000);
    await instanceWhen(first, "VI_2", (it) => it.holding, 20_000);
    const second = start(1, [orders, stock]);
    await instanceWhen(second, "VI_2", (it) => it.state === "BACKUP");
    await lookedAgain(second);
    expect((await holdfast(first, "switchover", "stock")).stdout).toContain("is written to on");
    await instanceWhen(second, "VI_2", (it) => it.holding);
    expect((await instanceWhen(first, "VI_1", (it) => it.state === "MASTER")).holding).toBe(true);
    await writesReach("192.168.11.100", 3306, orders[0]);
    await writesReach("192.168.11.101", 3307, stock[1]);

    await orders[0].kill();
    await instanceWhen(second, "VI_1", (it) => it.holding, 20_000);
    await writesReach("192.168.11.100", 3306, orders[1]);
    // The other group never noticed, on either host.
    expect((await instanceWhen(second, "VI_2", (it) => it.state === "MASTER")).holding).toBe(true);
    expect((await instanceWhen(first, "VI_2", (it) => it.state === "BACKUP")).faults).toEqual([]);
    expect(await stock[0].value("SELECT @@read_only")).toBe("1");
    expect(await stock[1].value("SELECT @@read_only")).toBe("0");
  });
});
