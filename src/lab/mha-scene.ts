/**
 * One master, some replicas and a manager's host, as MHA's users have them: MariaDB servers in namespaces of their own, MHA's
 * configuration, its scripts as small recorders of their arguments, and a client that keeps account of what was committed.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab, LabHost, Topology } from "./lab.ts";
import { ADMIN, APPLICATION, MariadbServer, REPLICATION, replicating } from "./mariadb.ts";
import { peerProgram, preparedMha } from "./mha-peer.ts";
import { HOLDFAST_LAUNCHER } from "./paths.ts";
import { type ExecResult, type RunningProgram, until } from "./processes.ts";
import { SqlConnection, SqlError } from "./sql-client.ts";
import { sshClientOptions, sshKey, startSshd } from "./sshd.ts";

/** Without a gateway: nothing here leaves the switch. */
export const MHA_TOPOLOGY: Topology = {
  hosts: [
    ...[1, 2, 3, 4].map((number) => ({ name: `db${number}`, address: `192.168.11.8${number}` })),
    { name: "manager", address: "192.168.11.90" },
  ],
  prefixLength: 24,
  gateway: null,
};

export interface SceneOptions {
  /** By GTID, or by file and position. */
  readonly mode: "gtid" | "position";
  /** Servers, the first of which is master. */
  readonly count: number;
  /** Further lines of my.cnf, for all of them. */
  readonly settings?: readonly string[];
}

/** Parameters of [server default] and of the servers by name, over what every test needs. */
export interface ConfLines {
  readonly defaults?: readonly string[];
  readonly servers?: Readonly<Record<string, readonly string[]>>;
}

export class MhaScene {
  readonly manager: LabHost;
  readonly servers: readonly MariadbServer[];
  readonly directory: string;
  readonly acknowledged = new Set<number>();
  readonly #options: SceneOptions;
  readonly #sshds: RunningProgram[] = [];
  #sshKey: string | null = null;
  #perl: string | null = null;
  #next = 1;

  constructor(lab: Lab, options: SceneOptions) {
    this.#options = options;
    this.manager = lab.host("manager");
    this.directory = join(this.manager.directory, "mha");
    this.servers = Array.from({ length: options.count }, (_, at) => new MariadbServer(lab.host(`db${at + 1}`), at + 1));
  }

  get conf(): string {
    return join(this.directory, "app1.cnf");
  }

  /** Of a scene with four servers. */
  get four(): readonly [MariadbServer, MariadbServer, MariadbServer, MariadbServer] {
    return [this.server("db1"), this.server("db2"), this.server("db3"), this.server("db4")];
  }

  server(name: string): MariadbServer {
    const found = this.servers.find(({ host }) => host.name === name);
    if (found === undefined) throw new Error(`the scene has no ${name}`);
    return found;
  }

  /** Servers run, replicate and have one row; the first is open for writes. */
  async start(): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    await Promise.all(this.servers.map((server) => this.#startOne(server)));
    const [master, ...replicas] = this.servers;
    if (master === undefined) throw new Error("no server");
    await master.query("SET GLOBAL read_only = 0");
    const at = await master.query("SHOW MASTER STATUS");
    await Promise.all(replicas.map((replica) => this.follow(replica, master, at[0])));
    await this.write(master, 3);
    await this.caughtUp();
  }

  /** Statements that are awkward to replay: other formats, characters, variables, chance, a large row, tables made and changed. */
  async variety(server: MariadbServer, round: number): Promise<void> {
    const connection = await SqlConnection.open({ host: server.host.address, socketPath: server.socketPath, ...ADMIN });
    const statements = [
      "USE shop",
      "CREATE TABLE IF NOT EXISTS extra (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT CHARACTER SET utf8mb4, body LONGBLOB, r DOUBLE, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
      `SET @note = CONCAT('round ${round}: it''s \\\\ a ', CHAR(0xF09F9299 USING utf8mb4))`,
      "INSERT INTO extra (note, r) VALUES (@note, RAND())",
      "INSERT INTO extra (note, body) VALUES ('large', REPEAT(CHAR(0, 39, 92, 10, 255), 200000))",
      "BEGIN",
      "INSERT INTO extra (note) SELECT CONCAT('copy of ', id) FROM extra",
      "UPDATE extra SET r = id * 2 WHERE id % 2 = 0",
      "COMMIT",
      `ALTER TABLE extra ADD COLUMN c${round} INT DEFAULT ${round}`,
      "DELETE FROM extra WHERE note = 'large' AND id % 2 = 1",
    ];
    try {
      for (const statement of statements) await connection.query(statement, 10_000);
    } finally {
      connection.close();
    }
  }

  async #startOne(server: MariadbServer): Promise<void> {
    rmSync(server.directory, { recursive: true, force: true });
    await server.prepare();
    // A master that is started again after its death keeps what it had committed.
    const own = ["init_rpl_role = MASTER", "rpl_semi_sync_slave_enabled = 0"];
    const lines = ["[mysqld]", "slave_net_timeout = 4", ...own, ...(this.#options.settings ?? []), ""];
    writeFileSync(server.configFile, `${readFileSync(server.configFile, "utf8")}\n${lines.join("\n")}`);
    await server.start();
  }

  async follow(
    replica: MariadbServer,
    master: MariadbServer,
    at?: Readonly<Record<string, string | null>>,
  ): Promise<void> {
    const place =
      this.#options.mode === "gtid"
        ? "MASTER_USE_GTID=slave_pos"
        : `MASTER_LOG_FILE='${at?.File}', MASTER_LOG_POS=${at?.Position}`;
    await replica.query(
      `CHANGE MASTER TO MASTER_HOST='${master.host.address}', MASTER_PORT=3306, MASTER_USER='${REPLICATION.user}', ` +
        `MASTER_PASSWORD='${REPLICATION.password}', MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=0.5, ${place}`,
    );
    await replica.query("START SLAVE");
    await replicating(replica);
  }

  /** MHA's own form; paths of this scene are filled in. */
  writeConf({ defaults = [], servers = {} }: ConfLines = {}): void {
    const blocks = this.servers.map(({ host }, at) =>
      [`[server${at + 1}]`, `hostname=${host.address}`, ...(servers[host.name] ?? []), ""].join("\n"),
    );
    const lines = [
      "[server default]",
      `user=${ADMIN.user}`,
      `password=${ADMIN.password}`,
      `repl_user=${REPLICATION.user}`,
      `repl_password=${REPLICATION.password}`,
      `manager_workdir=${this.directory}/work`,
      `manager_log=${this.logFile}`,
      `master_binlog_dir=${this.servers.map((server) => join(server.directory, "data")).join(",")}`,
      ...(this.#sshKey === null ? [] : [`ssh_options=${sshClientOptions(this.#sshKey)}`]),
      ...defaults,
      "",
      ...blocks,
    ];
    writeFileSync(this.conf, lines.join("\n"), { mode: 0o600 });
  }

  /** MHA 0.58 itself can be started; before ssh is. */
  withPeer(): void {
    this.#perl = preparedMha(this.directory);
  }

  /** A program of MHA 0.58. */
  peer(name: string, ...args: readonly string[]): RunningProgram {
    const words = [peerProgram(name), `--conf=${this.conf}`, `--global_conf=${this.directory}/global.cnf`, ...args];
    return this.manager.spawn(words, { PERL5LIB: this.#perl ?? "" });
  }

  /** Every database host answers by ssh; the configuration that is written from now on says how. */
  async startSsh(hosts: readonly LabHost[] = this.servers.map(({ host }) => host)): Promise<void> {
    const key = await sshKey(join(this.manager.directory, "key"));
    this.#sshKey = key;
    this.#sshds.push(...(await Promise.all(hosts.map((host) => startSshd(host, key, this.#perl)))));
  }

  get logFile(): string {
    return join(this.directory, "manager.log");
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, "utf8") : "";
  }

  /** A script that writes its arguments into a file, one call a line, and ends with the code. */
  script(name: string, code = 0, lines: readonly string[] = []): string {
    const path = join(this.directory, name);
    const noted = `{ printf '%s' "$1"; shift; for word; do printf '\\t%s' "$word"; done; echo; } >>"${path}.calls"`;
    const body = ["#!/bin/sh", "command=$1", noted, ...lines, `exit ${code}`, ""].join("\n");
    writeFileSync(path, body);
    chmodSync(path, 0o755);
    return path;
  }

  calls(name: string): readonly (readonly string[])[] {
    const path = join(this.directory, `${name}.calls`);
    if (!existsSync(path)) return [];
    return readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
  }

  /** Runs a command of MHA's on the manager's host to its end. */
  run(name: string, ...args: readonly string[]): Promise<ExecResult> {
    return this.manager.exec(this.#words(name, args), { timeoutMs: 60_000 });
  }

  /** Starts a command that stays. */
  spawn(name: string, ...args: readonly string[]): RunningProgram {
    return this.manager.spawn(this.#words(name, args));
  }

  #words(name: string, args: readonly string[]): readonly string[] {
    // It knows one file only.
    const global = name === "masterha_conf_host" ? [] : [`--global_conf=${this.directory}/global.cnf`];
    return [HOLDFAST_LAUNCHER, "mha", name, `--conf=${this.conf}`, ...global, ...args];
  }

  /** Started, and watching the master. */
  async watching(...args: readonly string[]): Promise<RunningProgram> {
    return this.watches(this.spawn("masterha_manager", ...args));
  }

  async watches(program: RunningProgram): Promise<RunningProgram> {
    const seen = () => {
      if (!program.running) throw new Error(`the manager has ended:\n${program.text}\n${this.log}`);
      return /Ping\(\w+\) succeeded/.test(this.log) || undefined;
    };
    await until(seen, "the manager watches", 40_000);
    return program;
  }

  /** Rows one after the other; each that was committed is in the account. */
  async write(server: MariadbServer, rows: number): Promise<void> {
    const connection = await this.#connect(server);
    try {
      for (let written = 0; written < rows; written++) await this.#insert(connection);
    } finally {
      connection.close();
    }
  }

  #connect(server: MariadbServer): Promise<SqlConnection> {
    return SqlConnection.open({ host: server.host.address, socketPath: server.socketPath, ...APPLICATION });
  }

  async #insert(connection: SqlConnection): Promise<void> {
    const id = this.#next++;
    await connection.query(`INSERT INTO shop.orders (id, server) VALUES (${id}, @@server_id)`);
    this.acknowledged.add(id);
  }

  /** Writes until the server fails; the rows that it has committed are in the account. */
  async writeUntilItFails(server: MariadbServer): Promise<void> {
    const connection = await this.#connect(server);
    try {
      for (;;) await this.#insert(connection);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
    } finally {
      connection.close();
    }
  }

  /** Stops receiving: what the master does from now on reaches it only in other ways. */
  async stopReceiving(...replicas: readonly MariadbServer[]): Promise<void> {
    for (const replica of replicas) await replica.query("STOP SLAVE IO_THREAD");
  }

  /** The same, with the first half of a transaction in the replica's relay log, which its SQL thread has executed as far as it goes. */
  async stopHalfWay(replica: MariadbServer, master: MariadbServer): Promise<void> {
    await master.query("CREATE TABLE shop.wide (id INT PRIMARY KEY, filler LONGTEXT) ENGINE=InnoDB");
    const end = async () => Number((await master.query("SHOW MASTER STATUS"))[0]?.Position);
    for (let round = 0; round < 10; round++) {
      const before = await end();
      const rows = `SELECT ${round * 3_000} + seq, REPEAT('x', 10000) FROM shop.seq_1_to_3000`;
      const written = master.query(`INSERT INTO shop.wide ${rows}`);
      const begun = async () => Number((await replica.replica()).Read_Master_Log_Pos) > before + 100_000 || undefined;
      await until(begun, "the transaction arrives", 15_000);
      await this.stopReceiving(replica);
      await written;
      const { Read_Master_Log_Pos: received } = await replica.replica();
      if (Number(received) < (await end())) return;
      await replica.query("START SLAVE IO_THREAD");
    }
    throw new Error("the replica has always received whole transactions");
  }

  /** Every replica has executed what the first server has. */
  async caughtUp(): Promise<void> {
    const [master, ...replicas] = this.servers;
    const wanted = await master?.value("SELECT COUNT(*) FROM shop.orders");
    for (const replica of replicas) {
      const same = async () => (await replica.value("SELECT COUNT(*) FROM shop.orders")) === wanted || undefined;
      await until(same, `${replica.host.name} has all rows`, 15_000);
    }
  }

  /** Rows that were committed and are missing there. */
  async missing(server: MariadbServer): Promise<readonly number[]> {
    const rows = await server.query("SELECT id FROM shop.orders");
    const there = new Set(rows.map(({ id }) => Number(id)));
    return [...this.acknowledged].filter((id) => !there.has(id));
  }

  /** Waits until all of these servers hold exactly the same rows; the content of the tables, not only their number. */
  async sameData(servers: readonly MariadbServer[], tables: readonly string[] = ["shop.orders"]): Promise<void> {
    let seen: readonly string[] = [];
    const same = async () => {
      seen = await Promise.all(servers.map((server) => this.#sums(server, tables)));
      return new Set(seen).size === 1 || undefined;
    };
    await until(same, "all survivors hold the same data", 15_000).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${servers.map(({ host }, at) => `${host.name} ${seen[at]}`).join("; ")}`);
    });
  }

  async #sums(server: MariadbServer, tables: readonly string[]): Promise<string> {
    const rows = await server.query(`CHECKSUM TABLE ${tables.join(", ")}`);
    return rows.map(({ Table, Checksum }) => `${Table}=${Checksum}`).join(" ");
  }

  /** Whom it follows, when both threads run. */
  async follows(replica: MariadbServer): Promise<string | null> {
    const { Master_Host, Slave_IO_Running, Slave_SQL_Running } = await replica.replica();
    return Slave_IO_Running === "Yes" && Slave_SQL_Running === "Yes" ? (Master_Host ?? null) : null;
  }

  async end(): Promise<void> {
    for (const sshd of this.#sshds.splice(0)) await sshd.signal("SIGKILL");
    await Promise.all(
      this.servers.map(async (server) => {
        if (server.program?.running !== true) return;
        // A test may have left it stopped, and what started it stops with it.
        await server.program.signal("SIGCONT").catch(() => undefined);
        await server.kill().catch(() => undefined);
      }),
    );
  }
}
