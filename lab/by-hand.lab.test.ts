/** What an operator orders by hand on a managed pair, with real servers of both products: passing over a transaction, and fencing a server. */
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { InstanceView, SkipReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { manageMysql, startMysqlPair } from "./mysql-pair.ts";
import { type MysqlServer, mysqlUnavailable } from "./mysql-server.ts";
import { describeStage, type Stage } from "./stage.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null)
  process.stderr.write(`needs MySQL: not run: skipping a transaction of MySQL (${unavailable})\n`);

async function skip(daemon: Daemon, ...words: readonly string[]): Promise<SkipReply> {
  const said = await holdfast(daemon, "skip", "orders", ...words, "--json");
  if (!said.stdout.startsWith("{")) throw new Error(said.stderr);
  return JSON.parse(said.stdout) as SkipReply;
}

const fenced = (fault: InstanceView["faults"][number]): boolean =>
  fault.kind === "mysql" && fault.trouble?.kind === "fenced";

describeStage("a managed pair of MariaDB", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test.each(["gtid", "position"] as const)(
    "by %s: a transaction is shown, and passed over when that one was ordered",
    async (mode) => {
      pair = new ManagedPair(stage);
      await pair.startServers(mode);
      const [one, two] = pair.servers;
      await serving(pair.start(0));
      const second = pair.start(1);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      expect(await skip(second)).toMatchObject({ transaction: null, end: expect.stringContaining("nothing to skip") });
      await two.query("SET STATEMENT sql_log_bin = 0 FOR INSERT INTO shop.orders (id, server) VALUES (5, 2)");
      await one.query("INSERT INTO shop.orders (id, server) VALUES (5, 1)");
      await one.query("INSERT INTO shop.orders (id, server) VALUES (6, 1)");
      await until(async () => (await two.replica()).Last_SQL_Errno === "1062" || undefined, "it stops", 10_000);

      const shown = await skip(second);
      expect(shown).toMatchObject({ end: "shown", sqlError: { number: 1062 }, source: `${one.host.address}:3306` });
      expect(shown.transaction).toMatch(/^0-1-\d+$/);
      expect(shown.events.join("\n")).toContain("VALUES (5, 1)");
      expect((await two.replica()).Slave_SQL_Running).toBe("No");

      expect(await skip(second, "--yes")).toMatchObject({ end: "skipped" });
      await until(async () => (await pair.ids(two)).has(6) || undefined, "it goes on", 10_000);
      expect(await two.query("SELECT server FROM shop.orders WHERE id = 5")).toEqual([{ server: "2" }]);
      expect(await steps(second)).toContain(
        `skip: skip ${shown.transaction} from ${one.host.address}:3306 on 127.0.0.1:3306 (error 1062)`,
      );
    },
  );

  test("a fenced writer is closed and lets go, the other takes over, and it stays fenced over a restart until given back", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const kept = { words: ["--state-dir", join(one.directory, "state")] };
    const first = pair.start(0, [], kept);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    pair.write();
    await pair.writesReach(one);
    const said = await holdfast(first, "fence", "orders");
    expect([said.code, said.stdout]).toEqual([0, expect.stringContaining("is fenced: closed for writes")]);
    expect(await one.value("SELECT @@read_only")).toBe("1");
    await pair.writesReach(two);
    expect((await instanceWhen(first, "VI_1", (it) => it.state === "FAULT")).faults.some(fenced)).toBe(true);
    // Somebody opens it by hand: a fenced server does not stay open.
    await one.query("SET GLOBAL read_only = 0");
    await until(async () => (await one.value("SELECT @@read_only")) === "1" || undefined, "it is closed again", 10_000);

    await first.stop();
    const again = pair.start(0, [], kept);
    expect((await instanceWhen(again, "VI_1", (it) => it.state === "FAULT")).faults.some(fenced)).toBe(true);
    expect((await holdfast(again, "fence", "orders", "--off")).code).toBe(0);
    await instanceWhen(again, "VI_1", (it) => it.state === "BACKUP");
    expect((await holdfast(again, "fence", "orders", "--off")).stdout).toContain("Not given back: it is not fenced");
    expect(await pair.lost(two)).toEqual([]);
  });
});

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeStage("a managed pair of MySQL", (stage: Stage) => {
    const servers: MysqlServer[] = [];
    afterEach(async () => {
      for (const server of servers) if (server.program?.running === true) await server.kill();
    });

    test.each([true, false])(
      "GTIDs %s: a transaction is shown, and passed over when that one was ordered",
      async (gtid) => {
        const [one, two] = await startMysqlPair(stage, { gtid, semiSync: false }, servers);
        await instanceWhen(manageMysql(stage, one, two), "VI_1", (it) => it.holding);
        const second = manageMysql(stage, two, one);
        await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
        await two.query(
          "SET SESSION sql_log_bin = 0; SET GLOBAL read_only = 0; INSERT INTO shop.orders VALUES (5, 2); SET GLOBAL super_read_only = 1",
        );
        await one.query("INSERT INTO shop.orders VALUES (5, 1); INSERT INTO shop.orders VALUES (6, 1)");
        await until(
          async () => (await two.replica()).includes("Last_SQL_Errno: 1062") || undefined,
          "it stops",
          10_000,
        );
        const shown = await skip(second);
        expect(shown).toMatchObject({ end: "shown", sqlError: { number: 1062 } });
        expect(shown.transaction).toMatch(gtid ? /^[\da-f-]{36}:\d+$/ : /^m1-bin\.\d+:\d+$/);
        expect(await skip(second, "--yes")).toMatchObject({ end: "skipped" });
        const goesOn = async () =>
          (await two.query("SELECT id, server FROM shop.orders")) === "5\t2\n6\t1\n" || undefined;
        await until(goesOn, "it goes on", 10_000);
        if (gtid) expect(await two.query("SELECT @@gtid_executed")).toBe(await one.query("SELECT @@gtid_executed"));
      },
    );
  });
});
