/**
 * Planned moves of the writer of a managed MariaDB pair, with a client that writes through the address all the time. Adverts are proved
 * (auth_hmac), so a resignation is a directed release.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { APPLICATION, MANAGER, type MariadbServer } from "../src/lab/mariadb.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { holdfast, instanceWhen, lookedAgain } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

const PROVED = ["auth_hmac {", `    key 1 hex:${"5a".repeat(32)}`, "    active_key 1", "}"];

describeStage("a planned switchover of a managed MariaDB pair", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  async function start(mode: "gtid" | "position", lines: readonly string[] = []): Promise<readonly [Daemon, Daemon]> {
    pair = new ManagedPair(stage);
    await pair.startServers(mode);
    const first = pair.start(0, lines, { instance: PROVED });
    await serving(first);
    const second = pair.start(1, lines, { instance: PROVED });
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await lookedAgain(second);
    pair.write();
    await pair.writesReach(pair.servers[0]);
    return [first, second];
  }

  const readOnly = async (server: MariadbServer): Promise<boolean> =>
    (await server.value("SELECT @@read_only")) === "1";

  test.each(["gtid", "position"] as const)(
    "by %s: there and back under writes; nothing acknowledged is lost, and replication goes on both ways",
    async (mode) => {
      const [first, second] = await start(mode);
      const [one, two] = pair.servers;
      const pooled = await SqlConnection.open({ socketPath: one.socketPath, ...APPLICATION });

      const elsewhere = await holdfast(second, "switchover", "orders");
      expect(elsewhere.code).toBe(1);
      expect(elsewhere.stdout).toContain(`${one.host.address}:3306 is, so run it on that host`);
      const idle = await holdfast(first, "takeover", "orders");
      expect(idle.stdout).toContain("this host is the writer already");
      const shown = await holdfast(first, "switchover", "orders", "--dry-run");
      expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("3. let the address go") });
      expect(await readOnly(one)).toBe(false);
      const examined = await holdfast(first, "doctor", "orders");
      expect(examined.stdout).toContain("auto_increment_increment is 2 and 2 [auto-increment]");
      expect(examined.stdout).not.toMatch(/\[(privileges|unanswered|server-id|clock|durability)/);
      expect(examined.code).toBe(0);

      const moved = await holdfast(first, "switchover", "orders");
      expect(moved.stdout).toContain(`orders is written to on ${two.host.address}:3306 now.`);
      expect(moved.code).toBe(0);
      await pair.writesReach(two);
      expect(await readOnly(one)).toBe(true);
      await expect(pooled.query("SELECT 1")).rejects.toThrow();
      expect(await pair.lost(two)).toEqual([]);
      expect((await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP")).faults).toEqual([]);
      expect((await steps(second)).join("\n")).not.toContain("standing");

      await lookedAgain(first);
      expect((await holdfast(second, "switchover", "orders")).stdout).toContain("is written to on");
      await pair.writesReach(one);
      expect(await readOnly(two)).toBe(true);
      expect(await pair.lost(one)).toEqual([]);
      for (const server of pair.servers) {
        expect(await server.replica()).toMatchObject({ Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes" });
      }
    },
  );

  test("a successor that cannot execute everything in time: the writer is open again, and its address never moved", async () => {
    const [first] = await start("gtid", ["    takeover_deadline 2"]);
    const [one, two] = pair.servers;
    const blocking = await SqlConnection.open({ socketPath: two.socketPath, ...APPLICATION });
    await blocking.query("BEGIN");
    await blocking.query("SELECT COUNT(*) FROM shop.orders LOCK IN SHARE MODE");
    const before = await holdfast(first, "status", "--json");
    const refused = await holdfast(first, "switchover", "orders");
    expect(refused.code).toBe(1);
    // Either the lag was seen before anything changed, or the drain has run into its deadline.
    expect(refused.stdout).toMatch(/Not moved: .*(takeover_deadline \(2 s\) is over|is \d+ s behind)/);
    await pair.writesReach(one);
    expect(await readOnly(one)).toBe(false);
    expect(before.code).toBe(0);
    expect((await instanceWhen(first, "VI_1", (it) => it.state === "MASTER")).holding).toBe(true);
    await blocking.query("ROLLBACK");
    blocking.close();
    const caughtUp = async () => (await two.replica()).Seconds_Behind_Master === "0" || undefined;
    await until(caughtUp, "the successor has caught up", 10_000);
    await sleep(200);
    // The password changes under both daemons, and their connections are ended.
    for (const { directory } of pair.servers) {
      const file = `[client]\nuser = ${MANAGER.user}\npassword = "new"\n[holdfast-other]\npassword = "${MANAGER.password}"\n`;
      writeFileSync(join(directory, "manager.cnf"), file);
    }
    await one.query(`SET PASSWORD FOR ${MANAGER.user}@'%' = PASSWORD('new')`);
    const replicated = async () => (await two.query(`SHOW GRANTS FOR ${MANAGER.user}@'%'`))[0] ?? undefined;
    expect(Object.values((await until(replicated, "grants", 5_000)) ?? {}).join()).toContain("READ_ONLY ADMIN");
    for (const server of pair.servers) await server.query(`KILL USER ${MANAGER.user}`);
    await lookedAgain(first);
    expect((await instanceWhen(first, "VI_1", (it) => it.state === "MASTER")).faults).toEqual([]);

    // By hand, under its address: clients are refused until the daemon opens it again.
    await one.query("SET GLOBAL read_only = 1");
    await pair.writesReach(one, 20_000);
    expect(await steps(first)).toContain("guard: open the writer again, which somebody has closed");

    await lookedAgain(first);
    expect((await holdfast(first, "switchover", "orders")).stdout).toContain("is written to on");
    await pair.writesReach(two);
    expect(await pair.lost(two)).toEqual([]);
  });
});
