/**
 * MariaDB servers for the lab: one prepared data directory is copied per server, memory is small, durability is on.
 * A pair of them replicates both ways with GTID and semi-synchronous acknowledgement that never falls back by
 * itself. Every server boots read-only: only the claim hook opens it.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { cacheDirectory, LAB_DATA } from "./paths.ts";
import { executeOrThrow, type RunningProgram, sleep, until } from "./processes.ts";
import { type SqlAddress, SqlConnection, type SqlRow, withSql } from "./sql-client.ts";

/** Accounts of the throw-away servers; they exist in the lab only. */
export const ADMIN = { user: "admin", password: "lab-admin" } as const;
export const APPLICATION = { user: "app", password: "lab-app" } as const;
export const REPLICATION = { user: "repl", password: "lab-repl" } as const;

/** What the native check logs in as: it may look at replication and at nothing else. */
export const CHECK = { user: "check", password: "lab-check" } as const;

/** What manages a pair: what docs/mysql.md says that the account needs, and nothing more. */
export const MANAGER = { user: "manager", password: "lab-manager" } as const;
const MANAGER_GRANTS =
  "READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, REPLICATION SLAVE, SLAVE MONITOR, BINLOG MONITOR, CONNECTION ADMIN, PROCESS";

const PORT = 3306;

/**
 * Unix socket paths end at 107 bytes, so data lies under the host's folder with short names.
 */
export class MariadbServer {
  readonly host: LabHost;
  readonly serverId: number;
  readonly directory: string;
  readonly socketPath: string;
  program: RunningProgram | null = null;

  readonly port: number;

  /** Another port is another server on that host, with a folder of its own. */
  constructor(host: LabHost, serverId: number, port = PORT) {
    this.host = host;
    this.serverId = serverId;
    this.port = port;
    this.directory = join(host.directory, port === PORT ? "db" : `db${port}`);
    this.socketPath = join(this.directory, "s.sock");
  }

  get address(): SqlAddress {
    return { socketPath: this.socketPath, ...ADMIN };
  }

  get configFile(): string {
    return join(this.directory, "my.cnf");
  }

  get pidFile(): string {
    return join(this.directory, "mysqld.pid");
  }

  /** Copies the template and writes the configuration. */
  async prepare(): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    await cp(await preparedTemplate(), join(this.directory, "data"), { recursive: true });
    const values: Readonly<Record<string, string>> = {
      DIRECTORY: this.directory,
      SERVER_ID: String(this.serverId),
      ADDRESS: this.host.address,
      PORT: String(this.port),
    };
    const template = readFileSync(join(LAB_DATA, "mariadb/my.cnf"), "utf8");
    writeFileSync(this.configFile, fill(template, values));
    // What the hooks need, in the form every MySQL tool reads; mode 0600 because it holds a password.
    const client = `[client]\nuser=${ADMIN.user}\npassword=${ADMIN.password}\nprotocol=tcp\nconnect-timeout=1\n`;
    writeFileSync(join(this.directory, "client.cnf"), client, { mode: 0o600 });
    const manager = `[client]\nuser = ${MANAGER.user}\npassword = "${MANAGER.password}"\n`;
    writeFileSync(join(this.directory, "manager.cnf"), manager, { mode: 0o600 });
  }

  /**
   * A line of its own for the next start, after what was there. `init_rpl_role = SLAVE`, for a writer that gets kill -9 under writes and never without an acker: what
   * nobody acknowledged is rolled back, and it comes back clean. One that was alone would lose what was acknowledged.
   */
  configure(line: string): void {
    writeFileSync(this.configFile, `\n[mysqld]\n${line}\n`, { flag: "a" });
  }

  command(): readonly string[] {
    return ["mariadbd", `--defaults-file=${this.configFile}`, "--user=root"];
  }

  async start(): Promise<void> {
    this.program = this.host.spawn(this.command());
    await this.answering();
  }

  /** Starts a server that outlives this process. */
  async startDetached(): Promise<void> {
    await this.host.spawnDetached(this.command(), join(this.directory, "error.log"));
    await this.answering();
  }

  async answering(): Promise<void> {
    const ask = async () => {
      if (this.program?.running === false)
        throw new Error(`mariadbd on ${this.host.name} ended:\n${this.program.text}`);
      return await this.query("SELECT 1").catch(() => undefined);
    };
    await until(ask, `mariadbd on ${this.host.name} answers`, 20_000);
  }

  query(sql: string): Promise<readonly SqlRow[]> {
    return withSql(this.address, (connection) => connection.query(sql));
  }

  /** The single value of the first row. */
  async value(sql: string): Promise<string> {
    const row = (await this.query(sql))[0] ?? {};
    return Object.values(row)[0] ?? "";
  }

  async replica(): Promise<SqlRow> {
    return (await this.query("SHOW SLAVE STATUS"))[0] ?? {};
  }

  /** As this process sees it. */
  outsidePid(): number {
    const pid = this.host.outsidePid(Number(readFileSync(this.pidFile, "utf8")));
    if (pid === null) throw new Error(`no mariadbd runs on ${this.host.name}`);
    return pid;
  }

  /** kill -9, as the demo's fault and as the quick end of a throw-away server. */
  async kill(): Promise<void> {
    process.kill(this.outsidePid(), "SIGKILL");
    await this.program?.exited;
    rmSync(this.pidFile, { force: true });
  }
}

const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);

/** Makes the data directory that all servers are copied from, once per server version. */
export async function preparedTemplate(): Promise<string> {
  const version = /\d+\.\d+\.\d+/.exec(await executeOrThrow(["mariadbd", "--version"]))?.[0] ?? "unknown";
  const finished = join(cacheDirectory(), `mariadb-${version}-4`);
  if (existsSync(finished)) return finished;
  mkdirSync(cacheDirectory(), { recursive: true });
  const scratch = mkdtempSync(join(cacheDirectory(), "making-"));
  try {
    const data = join(scratch, "data");
    // Two may be made at once, and a name in /tmp holds a process number, which each host counts from 1.
    const quiet = [
      "--no-defaults",
      `--datadir=${data}`,
      `--tmpdir=${scratch}`,
      "--skip-test-db",
      "--auth-root-authentication-method=normal",
    ];
    const small = [
      "--innodb-log-file-size=8M",
      "--innodb-buffer-pool-size=16M",
      "--innodb-data-file-path=ibdata1:8M:autoextend",
    ];
    await executeOrThrow(["mariadb-install-db", ...quiet, ...small, ...asCurrentUser()], { timeoutMs: 120_000 });
    await executeOrThrow(
      [
        "mariadbd",
        "--no-defaults",
        `--datadir=${data}`,
        `--tmpdir=${scratch}`,
        "--bootstrap",
        ...small,
        ...asCurrentUser(),
      ],
      {
        input: accounts(),
        timeoutMs: 60_000,
      },
    );
    if (!existsSync(finished)) renameSync(data, finished);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return finished;
}

const asCurrentUser = (): readonly string[] => (process.getuid?.() === 0 ? ["--user=root"] : []);

function accounts(): string {
  const user = (account: { readonly user: string; readonly password: string }, grants: string) =>
    `CREATE USER '${account.user}'@'%' IDENTIFIED BY '${account.password}';\nGRANT ${grants} ON *.* TO '${account.user}'@'%';`;
  return [
    "USE mysql;",
    "FLUSH PRIVILEGES;",
    "DELETE FROM mysql.global_priv WHERE User='';",
    "FLUSH PRIVILEGES;",
    user(ADMIN, "ALL PRIVILEGES"),
    user(APPLICATION, "SELECT, INSERT, UPDATE, DELETE"),
    user(REPLICATION, "REPLICATION SLAVE"),
    user(CHECK, "SLAVE MONITOR"),
    user(MANAGER, MANAGER_GRANTS),
    "CREATE DATABASE shop;",
    "CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, server INT NOT NULL, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB;",
    "FLUSH PRIVILEGES;\n",
  ].join("\n");
}

/** Points one server at the other and waits until both threads run. */
export async function replicateFrom(replica: MariadbServer, source: MariadbServer): Promise<void> {
  await replica.query(
    `CHANGE MASTER TO MASTER_HOST='${source.host.address}', MASTER_PORT=${source.port}, MASTER_USER='${REPLICATION.user}', ` +
      `MASTER_PASSWORD='${REPLICATION.password}', MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=0.5, MASTER_USE_GTID=slave_pos`,
  );
  await replica.query("START SLAVE");
  await replicating(replica);
}

export async function replicating(replica: MariadbServer, timeoutMs = 15_000): Promise<void> {
  const running = async () => {
    const status = await replica.replica();
    const problem = status.Last_SQL_Error || (status.Last_IO_Errno === "1236" ? status.Last_IO_Error : "");
    if (problem) throw new Error(`replication on ${replica.host.name} stopped: ${problem}`);
    return status.Slave_IO_Running === "Yes" && status.Slave_SQL_Running === "Yes" ? true : undefined;
  };
  await until(running, `${replica.host.name} replicates`, timeoutMs);
}

/** Waits until both servers have the same rows and both directions run. */
export async function converged(pair: readonly [MariadbServer, MariadbServer], timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (const server of pair) await replicating(server, timeoutMs);
  for (;;) {
    const [a, b] = await Promise.all(pair.map((server) => server.value("SELECT @@gtid_binlog_pos")));
    if (sameGtids(a ?? "", b ?? "")) return;
    if (performance.now() > end) throw new Error(`the servers did not converge: "${a}" and "${b}"`);
    await sleep(20);
  }
}

function sameGtids(a: string, b: string): boolean {
  const domains = (text: string) => text.split(",").filter(Boolean).sort().join(",");
  return domains(a) === domains(b);
}

export { SqlConnection };
