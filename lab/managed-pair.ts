/** Two managed MariaDB servers behind one address, and a client that writes through it all the time. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { APPLICATION, MariadbServer, replicateFrom } from "../src/lab/mariadb.ts";
import { PROJECT_ROOT } from "../src/lab/paths.ts";
import { type RunningProgram, until } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import type { WriteRecord } from "../src/lab/writer.ts";
import { eventsOf, instanceWhen } from "./holdfast-client.ts";
import type { Stage } from "./stage.ts";

export interface StartOptions {
  readonly advertSeconds?: number;
  readonly instance?: readonly string[];
  /** Further blocks of the file. */
  readonly blocks?: string;
  /** Further arguments of the command line. */
  readonly words?: readonly string[];
}

export class ManagedPair {
  readonly stage: Stage;
  readonly servers: readonly [MariadbServer, MariadbServer];
  readonly writes: WriteRecord[] = [];
  #writer: RunningProgram | null = null;
  #replica: MariadbServer | null = null;

  constructor(stage: Stage) {
    this.stage = stage;
    this.servers = [new MariadbServer(stage.host("db1"), 1), new MariadbServer(stage.host("db2"), 2)];
  }

  get positions(): string {
    return join(this.servers[1].directory, "positions");
  }

  /** `settings`: further lines of my.cnf. */
  async startServers(mode: "gtid" | "position" = "gtid", settings = ""): Promise<void> {
    const [a, b] = this.servers;
    for (const server of this.servers) rmSync(server.directory, { recursive: true, force: true });
    await Promise.all(this.servers.map((server) => server.prepare()));
    // A pair in classic mode needs names of its own, so that nobody reads the wrong file.
    for (const server of this.servers) {
      const own = `log_bin = ${server.directory}/data/m${server.serverId}-bin\n`;
      writeFileSync(server.configFile, `\n[mysqld]\n${own}${settings}`, {
        flag: "a",
      });
    }
    await Promise.all(this.servers.map((server) => server.start()));
    await Promise.all([replicateFrom(a, b), replicateFrom(b, a)]);
    if (mode === "position") {
      for (const server of this.servers) await server.query("STOP SLAVE");
      for (const server of this.servers) await server.query("CHANGE MASTER TO MASTER_USE_GTID=no");
      for (const server of this.servers) await server.query("START SLAVE");
    }
  }

  /** On the client's host, of the first server; it acknowledges nothing. */
  async startReplica(mode: "gtid" | "position"): Promise<MariadbServer> {
    const replica = new MariadbServer(this.stage.host("client"), 3);
    this.#replica = replica;
    rmSync(replica.directory, { recursive: true, force: true });
    await replica.prepare();
    writeFileSync(replica.configFile, "\n[mysqld]\nrpl_semi_sync_slave_enabled = 0\n", { flag: "a" });
    await replica.start();
    await replicateFrom(replica, this.servers[0]);
    if (mode === "position") {
      for (const order of ["STOP SLAVE", "CHANGE MASTER TO MASTER_USE_GTID=no", "START SLAVE"])
        await replica.query(order);
    }
    return replica;
  }

  /** `lines` of the mysql block, `instance` of the vrrp_instance. */
  start(
    index: 0 | 1,
    lines: readonly string[] = [],
    { advertSeconds = 0.5, instance = [], blocks = "", words = [] }: StartOptions = {},
  ): Daemon {
    const [own, peer] = index === 0 ? this.servers : [this.servers[1], this.servers[0]];
    const block = [
      "mysql orders {",
      "    server 127.0.0.1 3306",
      `    peer ${peer.host.address} 3306`,
      `    credentials ${own.directory}/manager.cnf`,
      `    record_position ${own.directory}/positions`,
      "    timeout 0.8",
      ...lines,
      "}",
      "",
    ].join("\n");
    const vrrp = instanceBlock({
      priority: 100 - 10 * index,
      advertSeconds,
      nopreempt: true,
      lines: ["manage_mysql orders", ...instance],
    });
    return this.stage.start(index === 0 ? "db1" : "db2", blocks + block + vrrp, ...words);
  }

  write(): void {
    const program = join(PROJECT_ROOT, "dist/lab/writer.js");
    const { user, password } = APPLICATION;
    this.#writer = this.stage.host("client").spawn([process.execPath, program, VIP, user, password]);
    this.#writer.onLine((line) => {
      if (line.text.startsWith("{")) this.writes.push(JSON.parse(line.text) as WriteRecord);
    });
  }

  get acknowledged(): readonly number[] {
    return this.writes.filter(({ ok }) => ok).map(({ id }) => id);
  }

  /** Writes go through again, to that server. */
  async writesReach(server: MariadbServer, timeoutMs = 15_000): Promise<void> {
    const before = this.writes.length;
    const reached = () =>
      this.writes.slice(before).filter(({ ok, server: id }) => ok && id === server.serverId).length > 5 || undefined;
    await until(async () => reached(), `writes reach ${server.host.name}`, timeoutMs).catch((error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.writes.slice(-3))}`);
    });
  }

  /** The client's last statement may still be at work when the client is gone: it ends with its session. */
  async stopWriting(): Promise<void> {
    if (this.#writer === null) return;
    await this.#writer.signal("SIGKILL");
    await this.#writer.exited;
    this.#writer = null;
    for (const server of this.servers) {
      await until(() => withoutClients(server), "the client's statements end", 15_000).catch(async (error) => {
        const sessions = await server.query("SELECT * FROM information_schema.PROCESSLIST");
        throw new Error(`${server.host.name}: ${error}\n${JSON.stringify(sessions)}\n${this.stage.said()}`);
      });
    }
  }

  async ids(server: MariadbServer): Promise<ReadonlySet<number>> {
    const rows = await server.query("SELECT id FROM shop.orders");
    return new Set(rows.map((row) => Number(row.id)));
  }

  async lost(server: MariadbServer): Promise<readonly number[]> {
    const held = await this.ids(server);
    return this.acknowledged.filter((id) => !held.has(id));
  }

  async end(): Promise<void> {
    await this.stopWriting();
    const started = this.#replica === null ? this.servers : [...this.servers, this.#replica];
    for (const server of started) if (server.program?.running === true) await server.kill();
  }
}

/** None that is at work: one that came through the address in the moment of a move may sleep on. A server that does not answer has none. */
async function withoutClients(server: MariadbServer): Promise<true | undefined> {
  if (server.program?.running !== true) return true;
  const sql = `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${APPLICATION.user}' AND COMMAND NOT IN ('Sleep', 'Connect')`;
  const sessions = await server.query(sql).catch(() => []);
  return sessions.length === 0 || undefined;
}

/** What the daemon has done to its servers, in order. */
export const steps = async (daemon: Daemon): Promise<readonly string[]> =>
  (await eventsOf(daemon)).flatMap(({ body }) =>
    body.kind === "mysql-step" && body.outcome !== "begun" ? [`${body.what}: ${body.step}`] : [],
  );

export const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding, 20_000);
