/**
 * A managed MariaDB pair without a ring: only the standby receives. Whoever returns is attached to the writer, by GTID, or in classic mode from the
 * position that was noted before the writer's first write.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { type MariadbServer, REPLICATION } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { eventsOf, holdfast, instanceWhen, mayTakeOver } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

describeStage("a managed MariaDB pair without a ring", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  async function follows(server: MariadbServer, source: MariadbServer): Promise<void> {
    const runs = async () => {
      const { Master_Host, Slave_IO_Running, Slave_SQL_Running } = await server.replica();
      const both = Slave_IO_Running === "Yes" && Slave_SQL_Running === "Yes";
      return (both && Master_Host === source.host.address) || undefined;
    };
    await until(runs, `${server.host.name} follows ${source.host.name}`, 20_000).catch((error) => {
      throw new Error(`${String(error)}\n${stage.said()}`);
    });
  }

  /** In classic mode what nobody else has would keep it out, so it has nothing of that. */
  async function kill(writer: MariadbServer, mode: "gtid" | "position"): Promise<void> {
    if (mode === "gtid") return await writer.kill();
    await pair.stopWriting();
    const counts = async () => (await Promise.all(pair.servers.map((one) => pair.ids(one)))).map(({ size }) => size);
    const same = async () => new Set(await counts()).size === 1 || undefined;
    await until(same, "the standby has everything", 10_000);
    await writer.kill();
    pair.write();
  }

  /** The noted position is behind what it has executed: all of that would be executed once more. */
  async function leftWithoutChannel(daemon: Daemon, server: MariadbServer): Promise<void> {
    for (const order of ["STOP SLAVE", "RESET SLAVE ALL"]) await server.query(order);
    const gone = "its channel from this server was removed";
    const told = async () =>
      (await eventsOf(daemon)).some(({ body }) => body.kind === "mysql-step" && body.detail.startsWith(gone)) ||
      undefined;
    await until(told, "it is left alone", 20_000);
    expect(await server.replica()).toEqual({});
  }

  test.each(["gtid", "position"] as const)(
    "by %s: the writer is killed and comes back, twice; each time it is attached to the other, which receives from nobody",
    async (mode) => {
      pair = new ManagedPair(stage);
      await pair.startServers(mode);
      const [one, two] = pair.servers;
      for (const order of ["STOP SLAVE", "RESET SLAVE ALL"]) await one.query(order);
      // Killed under writes. In classic mode the last transaction must not be rolled back: it would not come back.
      if (mode === "gtid") for (const server of pair.servers) server.configure("init_rpl_role = SLAVE");
      const account = `[client]\nuser = ${REPLICATION.user}\npassword = ${REPLICATION.password}\n`;
      const lines = pair.servers.map(({ directory }) => {
        const file = join(directory, "repl.cnf");
        writeFileSync(file, account, { mode: 0o600 });
        return ["    ring no", `    replication_credentials ${file}`];
      });
      const first = pair.start(0, lines[0]);
      await serving(first);
      const second = pair.start(1, lines[1]);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      await mayTakeOver(second);
      pair.write();
      await pair.writesReach(one);

      await kill(one, mode);
      await pair.writesReach(two);
      expect(await pair.lost(two)).toEqual([]);
      await one.start();
      await follows(one, two);
      const attached = `tending: attach ${one.host.address}:3306 to this server, ${mode === "gtid" ? "by GTID" : "from m2-bin"}`;
      // It follows a moment before that is told.
      const told = async () => (await steps(second)).some((step) => step.startsWith(attached)) || undefined;
      await until(told, attached, 5_000);
      expect(await two.replica()).toMatchObject({ Slave_IO_Running: "No", Slave_SQL_Running: "No" });
      await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");
      await mayTakeOver(first);

      await kill(two, mode);
      await pair.writesReach(one);
      expect(await pair.lost(one)).toEqual([]);
      await two.start();
      await follows(two, one);
      await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
      await mayTakeOver(second);

      // Moved by command: the old writer has a channel from before, the new one gives its own up.
      expect((await holdfast(first, "switchover", "orders")).stdout).toContain("is written to on");
      await pair.writesReach(two);
      await follows(one, two);
      const left = async () => (await two.replica()).Slave_IO_Running === "No" || undefined;
      await until(left, "the writer receives from nobody", 10_000);
      await pair.stopWriting();
      const equal = async () => (await pair.lost(one)).length === 0 || undefined;
      await until(equal, "the standby has every acknowledged row", 10_000);
      const sums = pair.servers.map(async (server) => (await server.query("CHECKSUM TABLE shop.orders"))[0]?.Checksum);
      const [ours, theirs] = await Promise.all(sums);
      expect(theirs).toBe(ours);
      if (mode === "position") await leftWithoutChannel(second, one);
    },
  );
});
