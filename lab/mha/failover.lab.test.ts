/** The master of an MHA application dies: who becomes master, what everybody has afterwards, and what scripts and files are told. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import { MHA_TOPOLOGY, MhaScene, type SceneOptions } from "../../src/lab/mha-scene.ts";
import { describeHoldfast } from "../support.ts";

const orig = ["--orig_master_host=192.168.11.81", "--orig_master_ip=192.168.11.81", "--orig_master_port=3306"];
const next = ["--new_master_host=192.168.11.83", "--new_master_ip=192.168.11.83", "--new_master_port=3306"];

describeHoldfast("MHA: failover", () => {
  let lab: Lab;
  let scene: MhaScene;
  beforeAll(async () => {
    lab = await createLab(MHA_TOPOLOGY);
  });
  afterEach(() => scene.end());
  afterAll(() => lab.destroy());

  async function start(options: Partial<SceneOptions> = {}): Promise<void> {
    scene = new MhaScene(lab, { mode: "gtid", count: 4, ...options });
    await scene.start();
  }

  test("by GTID: check_repl agrees, the manager watches, the master is killed under load, everybody follows the new one", async () => {
    await start();
    const scripts = ["ip", "power", "mail"].map((name) => scene.script(name));
    scene.writeConf({
      defaults: [
        `master_ip_failover_script=${scripts[0]}`,
        `shutdown_script=${scripts[1]}`,
        `report_script=${scripts[2]}`,
        "ping_interval=3",
      ],
      servers: { db3: ["candidate_master=1"], db2: ["no_master=1"] },
    });
    const check = await scene.run("masterha_check_repl");
    expect(check.stdout).toContain("MySQL Replication Health is OK.");
    expect(check.code).toBe(0);

    const manager = await scene.watching();
    const [db1, db2, db3, db4] = scene.four;
    const writing = scene.writeUntilItFails(db1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await db1.kill();
    await writing;
    expect(await manager.exited, scene.log).toBe(0);

    expect(await db3.value("SELECT @@global.read_only")).toBe("0");
    for (const replica of [db2, db4]) {
      expect(await scene.follows(replica)).toBe("192.168.11.83");
      expect(await replica.value("SELECT @@global.read_only")).toBe("1");
    }
    expect(scene.calls("ip")).toEqual([
      ...[1, 2].map(() => ["--command=status", "--ssh_user=root", ...orig]),
      [...orig, "--command=stop"],
      [
        "--command=start",
        "--ssh_user=root",
        ...orig,
        ...next,
        "--new_master_user=admin",
        "--new_master_password=lab-admin",
      ],
    ]);
    expect(scene.calls("power").at(-1)).toEqual([
      "--command=stop",
      "--host=192.168.11.81",
      "--ip=192.168.11.81",
      "--port=3306",
    ]);
    const [report = []] = scene.calls("mail");
    expect(report.slice(0, 5)).toEqual([
      "--orig_master_host=192.168.11.81",
      "--new_master_host=192.168.11.83",
      "--new_slave_hosts=192.168.11.82,192.168.11.84",
      `--conf=${scene.conf}`,
      "--subject=app1: MySQL Master failover 192.168.11.81(192.168.11.81:3306) to 192.168.11.83(192.168.11.83:3306) succeeded",
    ]);
    expect(scene.log).not.toContain("lab-admin");
    await scene.write(db3, 2);
    await scene.sameData([db2, db3, db4]);
    expect(existsSync(join(scene.directory, "work/app1.failover.complete"))).toBe(true);
    expect(existsSync(join(scene.directory, "work/app1.master_status.health"))).toBe(false);
  });

  test("by file and position: replicas of different ages, one with half a transaction, get the end of the dead master's log from its disk", async () => {
    await start({ mode: "position", settings: ["binlog_format = ROW", "innodb_lock_wait_timeout = 5"] });
    await scene.startSsh();
    scene.writeConf({ servers: { db4: ["candidate_master=1"] } });
    expect((await scene.run("masterha_check_repl")).stdout).toContain("MySQL Replication Health is OK.");
    const manager = await scene.watching();
    const [db1, db2, db3, db4] = scene.four;
    await scene.stopHalfWay(db4, db1);
    await scene.write(db1, 5);
    await scene.stopReceiving(db3);
    await scene.write(db1, 5);
    await scene.stopReceiving(db2);
    await scene.write(db1, 5);
    await db1.kill();
    expect(await manager.exited, scene.log).toBe(0);
    await scene.write(db4, 2);
    await scene.sameData([db2, db3, db4], ["shop.orders", "shop.wide"]);
    for (const replica of [db2, db3]) expect(await scene.follows(replica)).toBe("192.168.11.84");
    for (const server of [db2, db3, db4]) expect(await scene.missing(server)).toEqual([]);
  });
});
