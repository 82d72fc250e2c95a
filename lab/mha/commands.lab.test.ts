/** The other commands with MHA's names, on real servers: switch, status, stop, host blocks, ssh, secondary check, the node's tools. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import { MHA_TOPOLOGY, MhaScene } from "../../src/lab/mha-scene.ts";
import { sshClientOptions } from "../../src/lab/sshd.ts";
import { describeHoldfast } from "../support.ts";

describeHoldfast("MHA: commands", () => {
  let lab: Lab;
  let scene: MhaScene;
  beforeAll(async () => {
    lab = await createLab(MHA_TOPOLOGY);
    scene = new MhaScene(lab, { mode: "gtid", count: 4 });
    await scene.start();
    await scene.startSsh();
  });
  beforeEach(() => {
    rmSync(join(scene.directory, "work"), { recursive: true, force: true });
    mkdirSync(join(scene.directory, "work"));
    scene.writeConf();
  });
  afterAll(async () => {
    await scene.end();
    await lab.destroy();
  });

  const switchTo = (host: string, ...more: readonly string[]) =>
    scene.run(
      "masterha_master_switch",
      "--master_state=alive",
      `--new_master_host=${host}`,
      "--interactive=0",
      ...more,
    );

  test("status and stop tell the manager's state with MHA's words and codes", async () => {
    expect(await scene.run("masterha_check_status")).toMatchObject({
      code: 2,
      stdout: expect.stringContaining("app1 is stopped(2:NOT_RUNNING)."),
    });
    const manager = await scene.watching();
    const status = await scene.run("masterha_check_status");
    expect(status).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^app1 \(pid:\d+\) is running\(0:PING_OK\), master:192\.168\.11\.81$/m),
    });
    const second = await scene.run("masterha_manager", `--manager_workdir=${join(scene.directory, "other")}`);
    expect(second.code).toBe(1);
    expect(scene.log).toContain("is held by somebody else");
    expect(await switchTo("192.168.11.82")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("masterha_stop"),
    });
    expect(await scene.run("masterha_stop")).toMatchObject({ code: 0, stdout: "Stopped app1 successfully.\n" });
    expect(await manager.exited).toBe(1);
    expect((await scene.run("masterha_stop")).stdout).toContain("MHA Manager is not running on app1(2:NOT_RUNNING).");
  });

  test("online switch: to a replica and back, the old master stays as a replica, scripts get MHA's arguments", async () => {
    const script = scene.script("online");
    scene.writeConf({ defaults: [`master_ip_online_change_script=${script}`] });
    const [db1, db2, db3, db4] = scene.four;
    const writing = scene.writeUntilItFails(db1);
    const there = await switchTo("192.168.11.83", "--orig_master_is_new_slave");
    expect(there.code, there.stdout).toBe(0);
    await writing;
    expect(there.stdout).toContain("Switching master to 192.168.11.83(192.168.11.83:3306) completed successfully.");
    for (const replica of [db1, db2, db4]) expect(await scene.follows(replica)).toBe("192.168.11.83");
    expect(await db1.value("SELECT @@global.read_only")).toBe("1");
    await scene.write(db3, 3);
    await scene.sameData([db1, db2, db3, db4]);
    expect(await scene.missing(db1)).toEqual([]);
    const words = ["orig", "new"].map((side) => (name: string, value: string) => `--${side}_master_${name}=${value}`);
    const [orig, next] = words as [(name: string, value: string) => string, (name: string, value: string) => string];
    const call = (command: string) => [
      `--command=${command}`,
      ...[orig("host", "192.168.11.81"), orig("ip", "192.168.11.81"), orig("port", "3306"), orig("user", "admin")],
      ...[next("host", "192.168.11.83"), next("ip", "192.168.11.83"), next("port", "3306"), next("user", "admin")],
      orig("ssh_user", "root"),
      next("ssh_user", "root"),
      expect.stringContaining("--ssh_options="),
      "--orig_master_is_new_slave",
      orig("password", "lab-admin"),
      next("password", "lab-admin"),
    ];
    expect(scene.calls("online")).toEqual([call("stop"), call("start")]);
    const back = await switchTo("192.168.11.81", "--orig_master_is_new_slave");
    expect(back.code, back.stdout).toBe(0);
    await scene.write(db1, 3);
    await scene.sameData([db1, db2, db3, db4]);
  });

  test("an online switch that cannot end well changes nothing, or is taken back", async () => {
    const [db1, db2, db3, db4] = scene.four;
    expect((await switchTo("192.168.11.99")).stdout).toContain("no replica that is alive");
    expect((await switchTo("192.168.11.82", "--check_only")).code).toBe(0);
    scene.writeConf({ servers: { db2: ["no_master=1"] } });
    expect((await switchTo("192.168.11.82")).stdout).toContain("is bad as a new master: no_master is set");
    await db3.query("STOP SLAVE SQL_THREAD");
    expect((await switchTo("192.168.11.84")).stdout).toContain("Slave SQL thread is not running");
    await db3.query("START SLAVE SQL_THREAD");
    // The script that stops writing fails: the old master is opened again, and the script is told so.
    const failing = scene.script("failing", 1);
    scene.writeConf({ defaults: [`master_ip_online_change_script=${failing}`] });
    const refused = await switchTo("192.168.11.84");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("Taking the switch back");
    expect(scene.calls("failing").map(([command]) => command)).toEqual(["--command=stop", "--command=start"]);
    expect(await db1.value("SELECT @@global.read_only")).toBe("0");
    await scene.write(db1, 2);
    // The script opens the new master and fails then: that one is closed before the old one is opened.
    const half = scene.script("half", 0, [
      `case "$command" in *start) case "$*" in *--new_master_host=192.168.11.84*)`,
      `  mariadb --socket="${db4.socketPath}" -uadmin -plab-admin -e "SET GLOBAL read_only = 0"; exit 1;; esac;; esac`,
    ]);
    scene.writeConf({ defaults: [`master_ip_online_change_script=${half}`] });
    const reopened = await switchTo("192.168.11.84");
    expect(reopened.code).toBe(1);
    expect(reopened.stdout).toContain("Taking the switch back");
    const closed = await Promise.all([db1, db4].map((server) => server.value("SELECT @@global.read_only")));
    expect(closed).toEqual(["0", "1"]);
    await scene.write(db1, 2);
    // A replica that is far behind: writing stands for a stated time at most.
    await scene.sameData([db1, db2, db3, db4]);
  });

  test("an online switch by hand asks, and no is no", async () => {
    const run = (answers: string) =>
      scene.manager.exec(
        [
          "sh",
          "-c",
          'printf "$1" | "$2" mha masterha_master_switch --master_state=alive --conf="$3" --orig_master_is_new_slave',
          "sh",
          answers,
          `${process.cwd()}/bin/holdfast`,
          scene.conf,
        ],
        { timeoutMs: 60_000 },
      );
    const no = await run("yes\\nno\\nno\\n");
    expect(no.stdout).toContain("Not typed yes. Stopping.");
    expect(no.code).toBe(1);
    const yes = await run("yes\\nno\\nyes\\n192.168.11.84\\nyes\\nyes\\n");
    expect(yes.code, yes.stdout).toBe(0);
    expect(await scene.server("db4").value("SELECT @@global.read_only")).toBe("0");
    expect((await switchTo("192.168.11.81", "--orig_master_is_new_slave")).code).toBe(0);
  });

  test("blocks of hosts are added and removed", async () => {
    const add = await scene.run(
      "masterha_conf_host",
      "--command=add",
      "--hostname=db9",
      "--params=no_master=1;ignore_fail=1",
    );
    expect(add).toMatchObject({ code: 0, stdout: `Wrote server_db9 entry to ${scene.conf} .\n` });
    expect(readFileSync(scene.conf, "utf8")).toContain("[server_db9]\nhostname=db9\nno_master=1\nignore_fail=1\n");
    expect((await scene.run("masterha_conf_host", "--command=add", "--hostname=db9")).stdout).toContain(
      "already exists",
    );
    expect(
      (await scene.run("masterha_conf_host", "--command=add", "--hostname=db8", "--params=foo=1")).stdout,
    ).toContain("Parameter name foo is invalid!");
    expect((await scene.run("masterha_conf_host", "--command=delete", "--block=_db9")).code).toBe(0);
    expect(readFileSync(scene.conf, "utf8")).not.toContain("db9");
  });

  test("ssh: every host is asked; a host without a server is named", async () => {
    expect((await scene.run("masterha_check_ssh")).stdout).toContain("All SSH connection tests passed successfully.");
    scene.writeConf({ servers: { db2: ["ssh_port=2222"] } });
    const failed = await scene.run("masterha_check_ssh");
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining("192.168.11.82 port 2222") });
  });

  test("secondary check: reachable, not reachable, not to be asked", async () => {
    const options = `--options=${sshClientOptions(join(scene.manager.directory, "key/id"))} -o StrictHostKeyChecking=no -o BatchMode=yes -o ConnectTimeout=2`;
    const ask = (host: string, port: string) =>
      scene.manager.exec(
        [
          `${process.cwd()}/bin/masterha_secondary_check`,
          "-s",
          host,
          "-s",
          "192.168.11.83",
          "--user=root",
          options,
          "--master_host=192.168.11.81",
          `--master_port=${port}`,
          "--timeout=1",
        ],
        { timeoutMs: 30_000 },
      );
    expect(await ask("192.168.11.82", "3306")).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("Master is reachable from 192.168.11.82!"),
    });
    expect(await ask("192.168.11.82", "3399")).toMatchObject({ code: 0 });
    expect(await ask("192.168.11.90", "3399")).toMatchObject({
      code: 2,
      stdout: expect.stringContaining("192.168.11.90 is NOT reachable!"),
    });
  });

  test("the node's tools: relay logs are purged; a log's end is saved and can be applied", async () => {
    const [db1, db2] = scene.four;
    const tool = (name: string, ...args: readonly string[]) =>
      db2.host.exec([`${process.cwd()}/bin/${name}`, ...args], { timeoutMs: 30_000 });
    const login = ["--user=admin", "--password=lab-admin"];
    expect((await tool("purge_relay_logs", ...login)).stdout).toContain("Nothing to do");
    const purged = await tool("purge_relay_logs", ...login, "--disable_relay_log_purge");
    expect(purged.code, purged.stdout).toBe(0);
    expect(await db2.value("SELECT @@global.relay_log_purge")).toBe("0");
    expect(await scene.follows(db2)).toBe("192.168.11.81");

    const [at] = await db1.query("SHOW MASTER STATUS");
    await scene.write(db1, 4);
    const output = join(scene.directory, "tail.binlog");
    const dir = join(db1.directory, "data");
    const save = [
      "--command=save",
      `--binlog_dir=/nowhere,${dir}`,
      `--start_file=${at?.File}`,
      `--output_file=${output}`,
    ];
    expect(await tool("save_binary_logs", ...save, `--start_pos=${at?.Position}`)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^4 transactions/),
    });
    const decoded = (path: string, ...more: readonly string[]) =>
      db1.host.execOrThrow(["mysqlbinlog", "--base64-output=decode-rows", "-v", ...more, path]);
    const statements = (text: string) => text.split("\n").filter((line) => /^### |^COMMIT|GTID \d/.test(line));
    const whole = statements(await decoded(join(dir, at?.File ?? ""), `--start-position=${at?.Position}`));
    expect(statements(await decoded(output))).toEqual(whole);
    expect(whole.filter((line) => line.startsWith("### INSERT"))).toHaveLength(4);
    const [end] = await db1.query("SHOW MASTER STATUS");
    expect((await tool("save_binary_logs", ...save, `--start_pos=${end?.Position}`)).code).toBe(10);
    expect(await tool("save_binary_logs", ...save, `--start_pos=${Number(at?.Position) + 1}`)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("no place between two events"),
    });
  });
});
