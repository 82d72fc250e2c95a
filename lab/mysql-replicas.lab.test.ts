/** A managed MariaDB pair with a replica that follows one of the two by its own address: whichever dies, the replica goes on. */
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import type { MariadbServer } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen, lookedAgain } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

describeStage("replicas of a managed MariaDB pair", (stage: Stage) => {
  let pair: ManagedPair;
  let replica: MariadbServer;
  afterEach(() => pair.end());

  async function start(mode: "gtid" | "position"): Promise<readonly [Daemon, Daemon]> {
    pair = new ManagedPair(stage);
    await pair.startServers(mode);
    replica = await pair.startReplica(mode);
    const lines = [`    replica ${replica.host.address} 3306`];
    const first = pair.start(0, lines);
    await serving(first);
    const second = pair.start(1, lines);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await lookedAgain(second);
    pair.write();
    await pair.writesReach(pair.servers[0]);
    return [first, second];
  }

  /** It receives from that server, and has what is written from now on. */
  async function follows(server: MariadbServer): Promise<void> {
    const moved = async () => {
      const { Master_Host, Slave_IO_Running, Slave_SQL_Running } = await replica.replica();
      return (
        (Master_Host === server.host.address && Slave_IO_Running === "Yes" && Slave_SQL_Running === "Yes") || undefined
      );
    };
    await until(moved, `the replica follows ${server.host.name}`, 15_000);
  }

  async function hasEverything(): Promise<void> {
    const missing = async () => (await pair.lost(replica)).length === 0 || undefined;
    await until(missing, "the replica has every acknowledged row", 15_000);
    const rows = await replica.query("SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS d FROM shop.orders");
    expect(rows[0]?.n).toBe(rows[0]?.d);
  }

  test("by GTID: the writer dies, comes back, and later the one without the address dies; the writer is never disturbed", async () => {
    const [first, second] = await start("gtid");
    const [one, two] = pair.servers;
    one.configure("init_rpl_role = SLAVE");
    await one.kill();
    await pair.writesReach(two);
    await follows(two);
    expect((await steps(second)).join("\n")).toContain(
      `tending: point ${replica.host.address}:3306 at this server, by GTID (it followed ${one.host.address}:3306)`,
    );
    expect((await holdfast(second, "positions", "orders")).stdout).toContain(`${replica.host.address}:3306: MariaDB`);
    await one.start();
    const whole = async () => (await steps(second)).some((step) => step.includes("receive from")) || undefined;
    await until(whole, "the ring is whole", 15_000);
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");

    // An operator moves it to the standby, which then dies: a failover for the replica alone.
    for (const order of ["STOP SLAVE", `CHANGE MASTER TO MASTER_HOST = '${one.host.address}'`, "START SLAVE"]) {
      await replica.query(order);
    }
    await follows(one);
    await one.kill();
    await follows(two);
    await pair.writesReach(two);
    expect((await instanceWhen(second, "VI_1", (it) => it.state === "MASTER")).holding).toBe(true);
    await pair.stopWriting();
    await hasEverything();
  });

  test.each(["where the new writer's log stood before its first write", "where its own last transaction ends there"])(
    "by file and position: it goes on %s",
    async (where) => {
      const [, second] = await start("position");
      const [one, two] = pair.servers;
      if (where.includes("last transaction")) {
        // What comes now it has not received when its source dies: its place is in the middle of what the new writer has executed.
        await replica.query("STOP SLAVE IO_THREAD");
        await pair.writesReach(one);
      }
      await one.kill();
      await pair.writesReach(two);
      await follows(two);
      expect((await steps(second)).join("\n")).toMatch(/point [\d.]+:3306 at this server, from m2-bin\.\d+:\d+ on/);
      await pair.stopWriting();
      await hasEverything();
      const sums = [two, replica].map(async (one) => (await one.query("CHECKSUM TABLE shop.orders"))[0]?.Checksum);
      const [ours, theirs] = await Promise.all(sums);
      expect(theirs).toBe(ours);
    },
  );
});
