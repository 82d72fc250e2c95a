/**
 * Managed MariaDB pairs: the server is opened before the address comes and closed before it goes, with a client that writes through the
 * address all the time. What it was told is committed must be on the survivor, whatever is killed.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { InstanceView } from "../src/control/contract/types.ts";
import { APPLICATION } from "../src/lab/mariadb.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { eventsOf, holdfast, instanceWhen, lookedAgain, statusOf } from "./holdfast-client.ts";
import { ManagedPair, serving, steps } from "./managed-pair.ts";
import { describeStage, type Stage } from "./stage.ts";

const isolated = (fault: InstanceView["faults"][number]): boolean =>
  fault.kind === "mysql" && fault.trouble?.kind === "isolated";

describeStage("a managed pair of MariaDB servers", (stage: Stage) => {
  let pair: ManagedPair;
  afterEach(() => pair.end());

  test("the writer's server is killed, comes back and takes over again: nothing acknowledged is lost, one takes writes", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    expect(await one.value("SELECT @@read_only")).toBe("0");
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    pair.write();
    await pair.writesReach(one);

    one.configure("init_rpl_role = SLAVE");
    await one.kill();
    await pair.writesReach(two);
    expect(await steps(second)).toEqual(
      expect.arrayContaining([
        "takeover: stop the I/O thread",
        "takeover: leave the channel standing, its coordinates are kept",
        "takeover: open the own server for writes",
        "takeover: the server is ready",
      ]),
    );
    expect(await pair.lost(two)).toEqual([]);
    const stateDir = (await statusOf(second))?.daemon.stateDir ?? "";
    const kept = await second.host.exec(["cat", join(stateDir, "writers.jsonl")]);
    expect(kept.stdout).toContain('"group":"orders","epoch":1,"role":"writer"');
    const [file] = readdirSync(pair.positions);
    expect(statSync(join(pair.positions, file ?? "")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(pair.positions, file ?? ""), "utf8")).toMatch(
      /^File: m2-bin\.\d{6}\nPosition: \d+\ngtid_binlog_pos: 0-1-/m,
    );

    const told = async () =>
      /degraded: no acker/.test((await holdfast(second, "status")).stdout.replaceAll(/\s+/g, " ")) || undefined;
    await until(told, "status says that nobody acknowledges", 10_000);
    const asked = await holdfast(second, "positions", "orders");
    expect(asked).toMatchObject({ code: 1, stdout: expect.stringMatching(/gtid_binlog_pos +0-2-\d+\n/) });
    expect(asked.stdout).toMatch(/Relay_Master_Log_File:Exec_Master_Log_Pos +m1-bin\.\d+:\d+\n/);
    expect(asked.stdout).toContain("nobody listens");

    // The old writer starts closed, follows, and the ring is whole again without anybody's doing.
    await one.start();
    await until(
      async () => (await steps(second)).some((step) => step.includes("receive from")) || undefined,
      "the channel is resumed",
      15_000,
    );
    await until(
      async () => (await steps(second)).some((step) => step.includes("acknowledgement again")) || undefined,
      "commits are acknowledged",
      15_000,
    );
    expect(await one.value("SELECT @@read_only")).toBe("1");
    await instanceWhen(first, "VI_1", (it) => it.state === "BACKUP");

    await lookedAgain(first);
    await two.kill();
    await pair.writesReach(one);
    await sleep(300);
    expect(await pair.lost(one)).toEqual([]);

    // Alone, its daemon is restarted, and then its server: nobody has listened on the other host ever since. As it is delivered it keeps what
    // was acknowledged while nobody was there to acknowledge it.
    one.configure("init_rpl_role = MASTER");
    await lookedAgain(first);
    await first.stop();
    stage.again(first);
    await pair.writesReach(one, 20_000);
    await sleep(1_000);
    await one.kill();
    await one.start();
    await pair.writesReach(one, 20_000);
    await pair.stopWriting();
    expect(await pair.lost(one)).toEqual([]);
  });

  test("a standby that still executes what it received goes on with that, and opens when it is done", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await lookedAgain(second);
    pair.write();
    await pair.writesReach(one);
    // The applier waits for a reader's lock, while everything is received and acknowledged.
    const reader = await SqlConnection.open({ socketPath: two.socketPath, ...APPLICATION });
    await reader.query("BEGIN");
    await reader.query("SELECT COUNT(*) FROM shop.orders LOCK IN SHARE MODE");
    await pair.writesReach(one);
    await one.kill();
    const stopped = async () => (await steps(second)).includes("takeover: stop the I/O thread") || undefined;
    await until(stopped, "the claim waits for the applier", 10_000);
    // Two looks of the check: a thread that the claim has stopped is nothing that is broken.
    await lookedAgain(second);
    expect((await instanceWhen(second, "VI_1", (it) => it.phase === "CLAIMING")).faults).toEqual([]);
    await reader.query("ROLLBACK");
    reader.close();
    await pair.writesReach(two);
    expect(await pair.lost(two)).toEqual([]);
  });

  test("an orderly stop closes the server and ends its sessions; the other opens when everything has arrived", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers("position");
    const [one, two] = pair.servers;
    const first = pair.start(0);
    await serving(first);
    const second = pair.start(1);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    pair.write();
    await pair.writesReach(one);
    const pooled = await SqlConnection.open({ socketPath: one.socketPath, ...APPLICATION });
    await first.stop();
    await pair.writesReach(two);
    expect(await one.value("SELECT @@read_only")).toBe("1");
    await expect(pooled.query("SELECT 1")).rejects.toThrow();
    expect(await pair.lost(two)).toEqual([]);
    // Nothing was left standing: the peer was there to be asked.
    expect((await steps(second)).join("\n")).not.toContain("standing");
  });

  test("a silent cut: the standby that reaches the gateway takes over, the one cut off acknowledges nothing, and its rest is quarantined", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    // A second between adverts: a host that is busy for longer than Master_Down must not decide anything here.
    const first = pair.start(0, [], { advertSeconds: 1 });
    await serving(first);
    const second = pair.start(1, [], { advertSeconds: 1 });
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    pair.write();
    await pair.writesReach(one);
    const armed = async () => (await one.value("SELECT @@rpl_semi_sync_master_enabled")) === "1" || undefined;
    await until(armed, "commits are acknowledged", 10_000);
    await stage.lab.cutLink("db1", "silent");
    // A client on the host itself, whom no network cuts off: its commit waits for the standby, which is gone.
    const local = await SqlConnection.open({ socketPath: one.socketPath, ...APPLICATION });
    const alone = local
      .query("INSERT INTO shop.orders (id, server) VALUES (900001, 1)")
      .then(() => "acknowledged")
      .catch(() => "broken");
    await pair.writesReach(two, 20_000);
    expect(await two.value("SELECT @@read_only")).toBe("0");
    const letGo = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT", 20_000);
    expect(letGo.reason).toContain("this host is the one cut off");
    await stage.lab.restoreLink("db1");
    const rejoined = await instanceWhen(first, "VI_1", (it) => !it.faults.some(isolated), 15_000);
    expect(rejoined.state).not.toBe("MASTER");
    expect(await alone).toBe("broken");
    await until(
      async () => (await one.value("SELECT @@read_only")) === "1" || undefined,
      "the old writer is closed",
      10_000,
    );
    const told = async () => (await steps(second)).some((step) => step.includes("stays quarantined")) || undefined;
    await until(told, "what only the old writer has is told", 15_000);
    expect((await two.replica()).Slave_IO_Running).toBe("No");
    expect(await pair.lost(two)).toEqual([]);
    expect((await pair.ids(two)).has(900_001)).toBe(false);
    // The writer loses the address for a moment: what was left out does not stand against it, and stays out.
    process.kill(await second.keeperPid(), "SIGKILL");
    const lost = async () => (await eventsOf(second)).some(({ body }) => body.kind === "keeper-lost") || undefined;
    await until(lost, "the keeper is gone", 10_000);
    await serving(second);
    await pair.writesReach(two, 20_000);
    expect(await two.value("SELECT @@read_only")).toBe("0");
    expect((await pair.ids(two)).has(900_001)).toBe(false);
    expect((await instanceWhen(first, "VI_1", (it) => it.state !== "MASTER")).holding).toBe(false);
  });

  test("a server found open without its address is closed; who cannot know that its data is the newest refuses, until told", async () => {
    pair = new ManagedPair(stage);
    await pair.startServers();
    const [one, two] = pair.servers;
    await two.query("STOP SLAVE");
    await one.kill();
    await two.query("SET GLOBAL read_only = 0");
    const second = pair.start(1);
    const refused = await instanceWhen(second, "VI_1", (it) => it.state === "FAULT");
    expect(refused.reason).toContain("may hold older data");
    expect(await two.value("SELECT @@read_only")).toBe("1");
    const told = await holdfast(second, "takeover", "orders", "--accept-loss");
    expect(told.code).toBe(0);
    await serving(second);
    expect(await two.value("SELECT @@read_only")).toBe("0");
  });
});
