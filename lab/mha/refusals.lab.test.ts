/**
 * What stops a failover, what only warns, and parameters that change a detail of it. One set of servers; the master is "dead" for the
 * commands only where a test says so, and comes back.
 */
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import { MHA_TOPOLOGY, MhaScene } from "../../src/lab/mha-scene.ts";
import { describeHoldfast } from "../support.ts";

describeHoldfast("MHA: refusals and details", () => {
  let lab: Lab;
  let scene: MhaScene;
  beforeAll(async () => {
    lab = await createLab(MHA_TOPOLOGY);
  });
  beforeEach(async () => {
    scene = new MhaScene(lab, { mode: "gtid", count: 4 });
    await scene.start();
    scene.writeConf();
    mkdirSync(join(scene.directory, "work"), { recursive: true });
  });
  afterEach(() => scene.end());
  afterAll(() => lab.destroy());

  const file = (name: string) => join(scene.directory, "work", `app1.${name}`);
  const switchDead = (...more: readonly string[]) =>
    scene.run(
      "masterha_master_switch",
      "--master_state=dead",
      "--dead_master_host=192.168.11.81",
      "--interactive=0",
      "--ssh_reachable=0",
      ...more,
    );
  const check = (...more: readonly string[]) => scene.run("masterha_check_repl", ...more);

  test("the guards: a recent failover, a failed one, a master that lives; each is overcome as MHA has it", async () => {
    const [db1, db2, db3, db4] = scene.four;
    expect((await switchDead()).code).toBe(1);
    expect(scene.log).toContain("is reachable via MySQL! Stop failover");
    expect(existsSync(file("failover.error"))).toBe(false);
    await db1.kill();
    writeFileSync(file("failover.error"), "");
    expect((await switchDead()).code).toBe(1);
    expect(scene.log).toContain("Failover error flag file");
    rmSync(file("failover.error"));
    writeFileSync(file("failover.complete"), "");
    expect((await switchDead()).code).toBe(1);
    expect(scene.log).toContain("It is too early to do failover again");
    const nineHours = Date.now() / 1000 - 9 * 3600;
    utimesSync(file("failover.complete"), nineHours, nineHours);
    expect((await switchDead("--new_master_host=192.168.11.83")).code, scene.log).toBe(0);
    await scene.write(db3, 2);
    await scene.sameData([db2, db3, db4]);
  });

  test("a dead replica stops it, unless it has ignore_fail; then the report names it and the code is 10", async () => {
    const [db1, db2, db3, db4] = scene.four;
    await db4.kill();
    expect((await check()).stdout).toContain("192.168.11.84(192.168.11.84:3306) is dead, but must be alive");
    await db1.kill();
    expect((await switchDead()).code).toBe(1);
    scene.writeConf({ servers: { db4: ["ignore_fail=1", "node_label=backup"] } });
    expect((await switchDead()).code).toBe(10);
    expect(scene.log).toContain(
      "192.168.11.84(192.168.11.84:3306): ERROR: Could not be reachable so couldn't recover.",
    );
    await scene.write(db2, 2);
    await scene.sameData([db2, db3]);
  });

  test("replication that is broken, filtered otherwise, stopped or elsewhere is refused by name; multi_tier_slave leaves a tier alone", async () => {
    const [, , db3, db4] = scene.four;
    await db4.query("STOP SLAVE");
    expect((await check()).stdout).toContain("Slave IO thread is not running");
    await db4.query("SET GLOBAL replicate_ignore_db = 'other'");
    await db4.query("START SLAVE");
    expect((await check()).stdout).toContain("Replication filtering check failed on 192.168.11.84");
    scene.writeConf({ defaults: ["check_repl_filter=0"] });
    expect((await check()).code).toBe(0);
    scene.writeConf();
    await db4.query("STOP SLAVE");
    await db4.query("SET GLOBAL replicate_ignore_db = ''");
    await scene.follow(db4, db3);
    expect((await check()).stdout).toContain("replicates from 192.168.11.83:3306, but real master is 192.168.11.81");
    scene.writeConf({ servers: { db4: ["multi_tier_slave=1", "node_label=second tier"] } });
    const tiers = await check();
    expect(tiers.code, tiers.stdout).toBe(0);
    expect(tiers.stdout).toContain("Unmanaged Servers:");
    expect(tiers.stdout).toContain("(second tier)");
  });

  test("multi-tier failover: the tier below its replica goes on", async () => {
    const [db1, db2, db3, db4] = scene.four;
    await db4.query("STOP SLAVE");
    await scene.follow(db4, db3);
    scene.writeConf({ servers: { db4: ["multi_tier_slave=1"] } });
    await db1.kill();
    expect((await switchDead()).code, scene.log).toBe(0);
    await scene.write(db2, 3);
    await scene.sameData([db2, db3, db4]);
    expect(await scene.follows(db4)).toBe("192.168.11.83");
  });

  test("two masters: the writable one dies, the read-only one takes over", async () => {
    const [db1, db2, db3, db4] = scene.four;
    await scene.follow(db1, db2);
    const both = await check();
    expect(both.stdout).toContain("192.168.11.81(192.168.11.81:3306) (current master)");
    await db2.query("SET GLOBAL read_only = 0");
    expect((await check()).stdout).toContain("two or more masters are either writable or dead");
    await db2.query("SET GLOBAL read_only = 1");
    await db1.kill();
    expect((await switchDead("--new_master_host=192.168.11.82")).code, scene.log).toBe(0);
    await scene.write(db2, 2);
    await scene.sameData([db2, db3, db4]);
  });

  test("ping_type INSERT writes, CONNECT connects anew, both notice a death; a secondary check that sees the master vetoes", async () => {
    const [db1] = scene.four;
    const veto = scene.script("veto", 3);
    const defaults = ["ping_type=INSERT", "ping_interval=1", `secondary_check_script=${veto} -s other`];
    scene.writeConf({ defaults });
    const manager = await scene.watching();
    expect(await db1.value("SELECT COUNT(*) FROM infra.chk_masterha")).toBe("1");
    await db1.kill();
    const vetoed = async () => (/No failover/.test(scene.log) ? true : undefined);
    const { until } = await import("../../src/lab/processes.ts");
    await until(vetoed, "the secondary check vetoes", 20_000);
    expect(scene.calls("veto")[0]).toEqual([
      "-s",
      "other",
      "--user=root",
      "--master_host=192.168.11.81",
      "--master_ip=192.168.11.81",
      "--master_port=3306",
      "--master_user=admin",
      "--master_password=lab-admin",
      "--ping_type=INSERT",
    ]);
    expect((await scene.run("masterha_check_status")).code).toBe(20);
    expect(manager.running).toBe(true);
    await db1.start();
    await db1.query("SET GLOBAL read_only = 0");
    expect((await scene.run("masterha_stop")).code).toBe(0);
    scene.writeConf({ defaults: ["ping_type=CONNECT", "ping_interval=1"] });
    writeFileSync(scene.logFile, "");
    const monitor = scene.spawn("masterha_master_monitor");
    await scene.watches(monitor);
    await db1.kill();
    expect(await monitor.exited, scene.log).toBe(20);
  });

  test("cut off from the master alone: the replicas still receive, and there is no failover", async () => {
    const [db1] = scene.four;
    scene.writeConf({ defaults: ["ping_interval=1"] });
    const manager = await scene.watching();
    await scene.manager.execOrThrow([
      "nft",
      "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out ip daddr 192.168.11.81 drop",
    ]);
    const { until } = await import("../../src/lab/processes.ts");
    try {
      await until(() => /Master is reachable from slave/.test(scene.log) || undefined, "the replicas veto", 40_000);
      expect(manager.running).toBe(true);
    } finally {
      await scene.manager.exec(["nft", "delete", "table", "inet", "cut"]);
    }
    expect(await db1.value("SELECT @@global.read_only")).toBe("0");
    expect((await scene.run("masterha_stop")).code).toBe(0);
  });

  test("details: passwords from init_conf_load_script, skip_reset_slave, the dead block removed, debug in the log, --skip options", async () => {
    const [db1, db2, db3, db4] = scene.four;
    const load = join(scene.directory, "load");
    writeFileSync(load, "#!/bin/sh\necho password=lab-admin\n", { mode: 0o755 });
    scene.writeConf({
      defaults: [
        "password=wrong",
        `init_conf_load_script=${load}`,
        "log_level=debug",
        "client_libdir=/usr/lib/none",
        "disable_log_bin=1",
        "skip_reset_slave=1",
      ],
      servers: { db2: ["skip_init_ssh_check=1"] },
    });
    await db1.kill();
    const done = await switchDead(
      "--remove_dead_master_conf",
      "--skip_disable_read_only",
      "--wait_until_gtid_in_sync=0",
    );
    expect(done.code, scene.log).toBe(0);
    expect(await db2.value("SELECT @@global.read_only")).toBe("1");
    expect((await db2.replica()).Master_Host).toBe("192.168.11.81");
    expect(scene.log).toContain("[debug]");
    await db2.query("SET GLOBAL read_only = 0");
    await scene.write(db2, 1);
    await scene.sameData([db2, db3, db4]);
    expect((await check()).stdout).not.toContain("192.168.11.81(192.168.11.81:3306) (current");
  });

  test("a script that fails after the point where servers were changed leaves the guard file, and the next start refuses", async () => {
    const [db1] = scene.four;
    const failing = scene.script("ip", 1);
    scene.writeConf({ defaults: [`master_ip_failover_script=${failing}`] });
    await db1.kill();
    expect((await switchDead()).code).toBe(1);
    expect(existsSync(file("failover.error"))).toBe(true);
    expect(scene.log).toContain("Failed to deactivate master IP with return code 1");
    const proceeding = scene.script("ip10", 10);
    scene.writeConf({ defaults: [`master_ip_failover_script=${proceeding}`] });
    expect((await switchDead("--ignore_last_failover")).code, scene.log).toBe(0);
    expect(existsSync(file("failover.error"))).toBe(false);
  });
});
