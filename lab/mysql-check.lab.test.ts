/**
 * The native check against real MariaDB servers: every way in which a server can fail has its own cause, in status, in explain, and in
 * `holdfast probe`. The interval is long where an event must be noticed without one.
 */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MysqlView } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { APPLICATION, CHECK, MariadbServer, replicateFrom, replicating } from "../src/lab/mariadb.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { until } from "../src/lab/processes.ts";
import { SqlConnection } from "../src/lab/sql-client.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { eventsOf, holdfast, instanceOf, instanceWhen, reload, statusOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const TRACKED = ["track_mysql {", "    orders", "}"];
/** Longer than anything here is waited for. */
const NEVER = "interval 60";
const OFTEN = "interval 0.3\n    timeout 0.5\n    connect_timeout 0.5";

const credentials = (server: MariadbServer): string => join(server.directory, "check.cnf");

function writeCredentials(server: MariadbServer, password: string): void {
  writeFileSync(credentials(server), `[client]\nuser = ${CHECK.user}\npassword = "${password}"\n`, { mode: 0o600 });
}

const block = (server: MariadbServer, lines: string): string =>
  `mysql orders {\n    server 127.0.0.1 3306\n    credentials ${credentials(server)}\n    ${lines}\n}\n`;

const config = (server: MariadbServer, lines: string, tracked = TRACKED): string =>
  block(server, lines) + instanceBlock({ lines: tracked });

const serverOf = async (daemon: Daemon): Promise<MysqlView | undefined> => (await statusOf(daemon))?.mysql[0];

const explained = async (daemon: Daemon): Promise<string> =>
  (await holdfast(daemon, "explain", "VI_1")).stdout.replaceAll(/\s+/g, " ");

const faulty = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT" && !it.holding);
const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding);

/** The look that is meant, whatever was seen before. */
const serverWhen = (daemon: Daemon, wanted: (view: MysqlView) => boolean): Promise<MysqlView> =>
  until(
    async () => {
      const view = await serverOf(daemon);
      return view !== undefined && wanted(view) ? view : undefined;
    },
    "the server is seen as wanted",
    10_000,
  );

const probe = (server: MariadbServer, ...words: readonly string[]) =>
  server.host.exec([
    process.execPath,
    HOLDFAST_PROGRAM,
    ...["probe", "mysql", "-h", "127.0.0.1", "-P", "3306", "--defaults-file", credentials(server), ...words],
  ]);

/** Ends the daemon's connection, as an administrator would. */
const setCheckPassword = (server: MariadbServer, password: string) =>
  server.query(`SET PASSWORD FOR '${CHECK.user}'@'%' = PASSWORD('${password}')`);

async function endCheckConnection(server: MariadbServer): Promise<void> {
  await server.query(`KILL USER '${CHECK.user}'`);
}

describeStage("the check of a database server", (stage: Stage) => {
  let source: MariadbServer;
  let standby: MariadbServer;

  beforeAll(async () => {
    source = new MariadbServer(stage.host("db1"), 1);
    standby = new MariadbServer(stage.host("db2"), 2);
    await Promise.all([source.prepare(), standby.prepare()]);
    for (const server of [source, standby]) {
      writeFileSync(server.configFile, "\n[mysqld]\nextra_port = 3307\n", { flag: "a" });
      writeCredentials(server, CHECK.password);
    }
    await Promise.all([source.start(), standby.start()]);
    await Promise.all([replicateFrom(source, standby), replicateFrom(standby, source)]);
    await source.query("SET GLOBAL read_only = 0");
  });

  afterAll(async () => {
    for (const server of [source, standby]) if (server.program?.running === true) await server.kill();
  });

  test("kill -9 of the server is FAULT without waiting for the next look; its process, while it recovers, has a cause of its own", async () => {
    const daemon = stage.start("db1", config(source, NEVER));
    await serving(daemon);
    await source.kill();
    const fault = await faulty(daemon);
    expect(fault.faults).toMatchObject([{ kind: "mysql", key: "orders", trouble: { kind: "dead" } }]);
    expect(fault.reason).toContain("the server is gone");
    expect((await probe(source)).code).toBe(1);

    // What a recovering server looks like from outside: it works in its data directory and listens nowhere.
    const program = join(source.host.directory, "mariadbd");
    symlinkSync("/bin/sleep", program);
    const recovering = source.host.spawn([
      "sh",
      "-c",
      'cd "$1" && exec "$2" 600',
      "sh",
      join(source.directory, "data"),
      program,
    ]);
    await serverWhen(daemon, (view) => view.cause?.kind === "starting");
    expect(await explained(daemon)).toContain("recovers from a crash");
    await recovering.signal("SIGKILL");
    await recovering.exited;
    await serverWhen(daemon, (view) => view.cause?.kind === "refused");

    await source.start();
    await source.query("SET GLOBAL read_only = 0");
    await serving(daemon);
    expect(await serverOf(daemon)).toMatchObject({ standing: "ok", version: expect.stringMatching(/^MariaDB 10\./) });
  });

  test("a connection that somebody ends is no dead server", async () => {
    const daemon = stage.start("db1", config(source, NEVER));
    await serving(daemon);
    const before = await serverOf(daemon);
    await endCheckConnection(source);
    await serverWhen(daemon, (view) => view.lookedAt !== null && view.lookedAt > (before?.lookedAt ?? 0));
    expect(await instanceOf(daemon, "VI_1")).toMatchObject({ state: "MASTER", counters: { becameMaster: 1 } });
    expect((await eventsOf(daemon)).filter(({ body }) => body.kind === "mysql")).toHaveLength(1);
  });

  test("a server that hangs (SIGSTOP) is noticed by a bounded statement", async () => {
    const daemon = stage.start("db1", config(source, OFTEN));
    await serving(daemon);
    await source.program?.signal("SIGSTOP");
    try {
      const fault = await faulty(daemon);
      expect(fault.faults).toMatchObject([{ trouble: { kind: "timeout", afterMillis: 500 } }]);
      const probed = await probe(source, "--timeout", "0.3");
      expect(probed).toMatchObject({ code: 1, stdout: "" });
      expect(probed.stderr).toBe("mysql 127.0.0.1:3306 is bad: no connection within 300 ms\n");
    } finally {
      await source.program?.signal("SIGCONT");
    }
    await serving(daemon);
  });

  test("a wrong password is told as what it is, appears nowhere, and a corrected file needs no restart", async () => {
    const daemon = stage.start("db1", config(source, OFTEN));
    await serving(daemon);
    writeCredentials(source, "lab-Wrong-7");
    await endCheckConnection(source);
    // The login that it held before still gets in: somebody may be changing the password just now.
    await serverWhen(daemon, (view) => view.remarks.some((remark) => remark.includes("is refused; one that it held")));
    expect((await instanceOf(daemon, "VI_1"))?.state).toBe("MASTER");
    await setCheckPassword(source, "lab-Other-8");
    await endCheckConnection(source);
    const fault = await faulty(daemon);
    expect(fault.faults).toMatchObject([{ trouble: { kind: "denied" } }]);
    expect(await explained(daemon)).toContain("user and password of the credentials file");
    expect((await probe(source)).stderr).toContain("error 1045");
    const shown = daemon.program.text + JSON.stringify([await statusOf(daemon), await eventsOf(daemon)]);
    expect(shown).not.toMatch(/lab-Wrong-7|lab-Other-8|lab-check/);
    writeCredentials(source, "lab-Other-8");
    await serving(daemon);
    await setCheckPassword(source, CHECK.password);
    writeCredentials(source, CHECK.password);
  });

  test("a credentials file that others may read is refused, by the daemon, by check and by probe", async () => {
    await source.host.execOrThrow(["chmod", "0640", credentials(source)]);
    try {
      const daemon = stage.start("db1", config(source, OFTEN));
      const fault = await faulty(daemon);
      expect(fault.reason).toContain("chmod 0600");
      const checked = await holdfastCheck(daemon);
      expect(checked.code).toBe(1);
      expect(checked.stdout).toContain("[credentials-unusable]");
      expect((await probe(source)).code).toBe(4);
      await source.host.execOrThrow(["chmod", "0600", credentials(source)]);
      await serving(daemon);
    } finally {
      await source.host.execOrThrow(["chmod", "0600", credentials(source)]);
    }
  });

  const holdfastCheck = (daemon: Daemon) =>
    daemon.host.exec([process.execPath, HOLDFAST_PROGRAM, "check", stage.configFile(daemon)]);

  test("the login methods of MariaDB: ed25519 and unix_socket", async () => {
    for (const server of [standby, source]) await server.query("INSTALL SONAME 'auth_ed25519'");
    await source.query(`CREATE USER 'edwards'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('${CHECK.password}')`);
    await source.query("ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket");
    expect((await probe(source, "-u", "edwards")).code).toBe(0);
    expect((await probe(source, "-u", "root", "-S", source.socketPath)).code).toBe(0);
    expect((await probe(source, "-u", "root")).stderr).toContain("the server refuses the login");
  });

  test("read-only and a full disk count as the file says, from one reload to the next", async () => {
    const daemon = stage.start("db1", config(source, OFTEN));
    await serving(daemon);
    await source.query("SET GLOBAL read_only = 1");
    await serverWhen(daemon, (view) => view.remarks.includes("it takes no writes (read_only)"));
    expect((await instanceOf(daemon, "VI_1"))?.state).toBe("MASTER");
    expect((await probe(source)).code).toBe(0);
    expect((await probe(source, "--writable")).code).toBe(1);
    writeFileSync(stage.configFile(daemon), config(source, `${OFTEN}\n    on_read_only fail`));
    await reload(daemon);
    expect((await faulty(daemon)).faults).toMatchObject([{ trouble: { kind: "read-only", variable: "read_only" } }]);
    await source.query("SET GLOBAL read_only = 0");
    await serving(daemon);
    // No disk here has an exbibyte free.
    writeFileSync(stage.configFile(daemon), config(source, `${OFTEN}\n    min_disk_free 1073741823`));
    await reload(daemon);
    expect((await faulty(daemon)).faults).toMatchObject([
      { trouble: { kind: "disk-full", path: expect.stringContaining(source.directory) } },
    ]);
  });

  test("taken connections are seen on the kept one, and by the reserved port when it is gone", async () => {
    const lines = `${OFTEN}\n    on_max_connections fail\n    reserved_port 3307`;
    const daemon = stage.start("db1", config(source, lines));
    await serving(daemon);
    await source.query("SET GLOBAL max_connections = 10");
    const clients: SqlConnection[] = [];
    const crowd = async (): Promise<void> => {
      for (;;) {
        const next = await SqlConnection.open({ socketPath: source.socketPath, ...APPLICATION }).catch(() => null);
        if (next === null) return;
        clients.push(next);
      }
    };
    try {
      await crowd();
      expect((await faulty(daemon)).faults).toMatchObject([{ trouble: { kind: "connections", limit: 10 } }]);
      expect((await probe(source)).stderr).toContain("too many connections (error 1040");
      await endCheckConnection(source);
      await crowd();
      await serverWhen(daemon, (view) => view.cause?.kind === "connections" && view.version !== null);
      expect((await instanceOf(daemon, "VI_1"))?.state).toBe("FAULT");
    } finally {
      for (const client of clients) client.close();
      await source.query("SET GLOBAL max_connections = 100");
    }
    await serving(daemon);
  });

  test("stopped and broken replication fail a standby and leave a MASTER alone", async () => {
    const master = stage.start("db1", config(source, OFTEN));
    await serving(master);
    const backup = stage.start("db2", block(standby, OFTEN) + instanceBlock({ priority: 90, lines: TRACKED }));
    await instanceWhen(backup, "VI_1", (it) => it.state === "BACKUP");
    await Promise.all([source.query("STOP SLAVE IO_THREAD"), standby.query("STOP SLAVE SQL_THREAD")]);
    expect((await faulty(backup)).reason).toContain("replication is broken: the SQL thread is stopped");
    await serverWhen(master, (view) => view.standing === "unfit");
    expect(await instanceOf(master, "VI_1")).toMatchObject({ state: "MASTER", holding: true });
    expect((await probe(standby, "--replication")).stderr).toContain("the SQL thread is stopped");

    await Promise.all([source.query("START SLAVE"), standby.query("START SLAVE")]);
    await instanceWhen(backup, "VI_1", (it) => it.state === "BACKUP");
    const insert = "INSERT INTO shop.orders (id, server) VALUES (1, @@server_id)";
    await standby.query(`SET STATEMENT sql_log_bin = 0 FOR ${insert}`);
    await source.query(insert);
    await faulty(backup);
    expect(await explained(backup)).toMatch(/SQL thread: error 1062: .*Duplicate entry/);
    await standby.query("SET STATEMENT sql_log_bin = 0 FOR DELETE FROM shop.orders");
    await standby.query("START SLAVE");
    await instanceWhen(backup, "VI_1", (it) => it.state === "BACKUP");
    // The source is gone: that is when a standby is needed.
    await source.kill();
    await serving(backup);
    await source.start();
    await replicating(standby);
  });

  test("a standby that lagged when its source died takes over when it has executed what it received, not before", async () => {
    await Promise.all([source.query("SET GLOBAL read_only = 0"), replicating(standby)]);
    const backup = stage.start("db2", config(standby, `${OFTEN}\n    max_lag 1`));
    await serving(backup);
    // A MASTER of higher priority, so that the lagging one has somebody to take over from.
    const master = stage.start("db1", block(source, OFTEN) + instanceBlock({ priority: 200, lines: TRACKED }));
    await serving(master);
    const blocker = await SqlConnection.open(standby.address);
    await blocker.query("LOCK TABLES shop.orders READ");
    await source.query("INSERT INTO shop.orders (id, server) VALUES (7, @@server_id)");
    expect((await faulty(backup)).faults).toMatchObject([{ trouble: { kind: "lagging", limit: 1 } }]);
    await source.kill();
    await faulty(master);
    await until(
      async () => ((await standby.replica()).Seconds_Behind_Master === null ? true : undefined),
      "the standby has lost its source",
      10_000,
    );
    const looked = (await serverOf(backup))?.lookedAt ?? 0;
    await serverWhen(backup, (view) => (view.lookedAt ?? 0) > looked && view.cause?.kind === "lagging");
    expect(await instanceOf(backup, "VI_1")).toMatchObject({ state: "FAULT", holding: false });
    await blocker.query("UNLOCK TABLES");
    blocker.close();
    await serving(backup);
    expect(await standby.value("SELECT COUNT(*) FROM shop.orders WHERE id = 7")).toBe("1");
    await source.start();
    await replicating(standby);
  });

  test("with a weight the server moves the priority instead, and explain says by how much", async () => {
    const daemon = stage.start("db1", config(source, OFTEN, ["track_mysql {", "    orders weight -30", "}"]));
    await serving(daemon);
    await source.kill();
    await instanceWhen(daemon, "VI_1", (it) => it.priority === 70 && it.state === "MASTER");
    expect(await explained(daemon)).toMatch(/mysql orders \(weight -30\) fails: (the server is gone|nobody listens)/);
    expect((await holdfast(daemon, "status")).stdout).toMatch(/mysql orders \(127.0.0.1:3306\): FAILED/);
    await source.start();
    await instanceWhen(daemon, "VI_1", (it) => it.priority === 100);
  });
});
