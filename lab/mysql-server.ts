/**
 * Oracle's MySQL for the lab, unpacked by lab/mysql/unpack.sh: one prepared data directory is copied per server, memory is small. Where
 * it is not unpacked, tests say so and do not count as passed.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../src/lab/lab.ts";
import { APPLICATION, CHECK, MANAGER, REPLICATION } from "../src/lab/mariadb.ts";
import { cacheDirectory } from "../src/lab/paths.ts";
import { executeOrThrow, type RunningProgram, until } from "../src/lab/processes.ts";

const PREFIX = join(cacheDirectory(), "mysql");

/** Its own tool for binary logs: the one in PATH is MariaDB's. */
export const MYSQLBINLOG = join(PREFIX, "run-mysqlbinlog");

export const mysqlUnavailable = (): string | null =>
  existsSync(join(PREFIX, "run-mysqld")) ? null : "MySQL is not unpacked: run lab/mysql/unpack.sh as root";

/** What every start needs, also the one that makes the data directory. */
const PLACES = [
  "--no-defaults",
  `--basedir=${PREFIX}/usr`,
  `--lc-messages-dir=${PREFIX}/usr/share/mysql`,
  `--character-sets-dir=${PREFIX}/usr/share/mysql/charsets`,
  `--plugin-dir=${PREFIX}/usr/lib/mysql/plugin`,
  "--secure-file-priv=NULL",
  "--mysqlx=OFF",
  "--user=root",
];
const SMALL = ["--performance-schema=OFF", "--innodb-buffer-pool-size=8M", "--innodb-redo-log-capacity=8M"];

export class MysqlServer {
  readonly host: LabHost;
  readonly directory: string;
  readonly socketPath: string;
  program: RunningProgram | null = null;

  readonly serverId: number;
  readonly #options: readonly string[];

  /** `options` are further arguments of mysqld. */
  constructor(host: LabHost, serverId = 1, options: readonly string[] = []) {
    this.host = host;
    this.serverId = serverId;
    this.#options = options;
    this.directory = join(host.directory, "my");
    this.socketPath = join(this.directory, "s.sock");
  }

  get dataDirectory(): string {
    return join(this.directory, "data");
  }

  async prepare(): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    await cp(await preparedTemplate(), this.dataDirectory, { recursive: true });
    // The server's UUID: two servers must not share it.
    rmSync(join(this.dataDirectory, "auto.cnf"), { force: true });
  }

  get command(): readonly string[] {
    const own = [`--datadir=${this.dataDirectory}`, `--socket=${this.socketPath}`, "--port=3306"];
    const pid = `--pid-file=${join(this.directory, "mysqld.pid")}`;
    const how = [...PLACES, ...SMALL, ...own, `--server-id=${this.serverId}`, pid, ...this.#options];
    return [join(PREFIX, "run-mysqld"), ...how];
  }

  async start(): Promise<void> {
    this.program = this.host.spawn(this.command);
    const program = this.program;
    const answers = async () => {
      if (!program.running) throw new Error(`mysqld on ${this.host.name} ended:\n${program.text}`);
      return await this.query("SELECT 1").catch(() => undefined);
    };
    await until(answers, `mysqld on ${this.host.name} answers`, 30_000);
  }

  /** As root over the socket. */
  query(sql: string): Promise<string> {
    return this.host.execOrThrow([
      join(PREFIX, "run-mysql"),
      "--no-defaults",
      `--socket=${this.socketPath}`,
      "--user=root",
      "--skip-column-names",
      `--execute=${sql}`,
    ]);
  }

  /** A file of SQL, as root. */
  async enter(sql: string): Promise<void> {
    const options = ["--no-defaults", `--socket=${this.socketPath}`, "--user=root"];
    await this.host.execOrThrow([join(PREFIX, "run-mysql"), ...options], { input: sql });
  }

  /** `Name: value` lines. */
  replica(): Promise<string> {
    const options = ["--no-defaults", `--socket=${this.socketPath}`, "--user=root", "--vertical"];
    return this.host.execOrThrow([join(PREFIX, "run-mysql"), ...options, "--execute=SHOW REPLICA STATUS"]);
  }

  /** As somebody else over TCP; from `host`, which may be the client's. */
  queryFrom(
    host: LabHost,
    target: { readonly address: string; readonly user: string; readonly password: string },
    sql: string,
  ): Promise<string> {
    return host.execOrThrow([
      // A client whose answer went with the address waits for ever.
      "timeout",
      "5",
      join(PREFIX, "run-mysql"),
      "--no-defaults",
      `--host=${target.address}`,
      `--user=${target.user}`,
      `--password=${target.password}`,
      "--connect-timeout=1",
      "--get-server-public-key",
      "--skip-column-names",
      `--execute=${sql}`,
    ]);
  }

  async replicateFrom(source: MysqlServer, gtid: boolean): Promise<void> {
    const where = gtid ? "SOURCE_AUTO_POSITION=1" : await this.#endOf(source);
    await this.query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${source.host.address}', SOURCE_PORT=3306, SOURCE_USER='${REPLICATION.user}', ` +
        `SOURCE_PASSWORD='${REPLICATION.password}', SOURCE_CONNECT_RETRY=1, SOURCE_HEARTBEAT_PERIOD=0.5, GET_SOURCE_PUBLIC_KEY=1, ${where}; START REPLICA`,
    );
  }

  async #endOf(source: MysqlServer): Promise<string> {
    const [file, position] = (await source.query("SHOW BINARY LOG STATUS")).split("\t");
    return `SOURCE_LOG_FILE='${file}', SOURCE_LOG_POS=${position}`;
  }

  async kill(): Promise<void> {
    const pid = this.host.outsidePid(Number(readFileSync(join(this.directory, "mysqld.pid"), "utf8")));
    if (pid === null) throw new Error(`no mysqld runs on ${this.host.name}`);
    process.kill(pid, "SIGKILL");
    await this.program?.exited;
  }
}

/** What docs/mysql.md says that the account needs on MySQL 8 and later. */
const MANAGER_GRANTS =
  "SYSTEM_VARIABLES_ADMIN, REPLICATION_SLAVE_ADMIN, REPLICATION CLIENT, REPLICATION SLAVE, CONNECTION_ADMIN, PROCESS";

function accountStatements(): string {
  const user = (account: { readonly user: string; readonly password: string }, grants: string): string =>
    `CREATE USER '${account.user}'@'%' IDENTIFIED BY '${account.password}';\nGRANT ${grants} ON *.* TO '${account.user}'@'%';`;
  return [
    user(CHECK, "REPLICATION CLIENT"),
    user(MANAGER, MANAGER_GRANTS),
    user(APPLICATION, "SELECT, INSERT, UPDATE, DELETE"),
    user(REPLICATION, "REPLICATION SLAVE"),
    "CREATE DATABASE shop;",
    "CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, server INT NOT NULL) ENGINE=InnoDB;",
    "",
  ].join("\n");
}

/** Once per version; it takes some ten seconds. */
async function preparedTemplate(): Promise<string> {
  const said = await executeOrThrow([join(PREFIX, "run-mysqld"), "--no-defaults", "--version"]);
  const finished = join(cacheDirectory(), `mysql-${/\d+\.\d+\.\d+/.exec(said)?.[0] ?? "unknown"}-3`);
  if (existsSync(finished)) return finished;
  const scratch = mkdtempSync(join(cacheDirectory(), "making-"));
  try {
    const data = join(scratch, "data");
    const accounts = join(scratch, "accounts.sql");
    writeFileSync(accounts, accountStatements());
    const how = [...PLACES, ...SMALL, `--datadir=${data}`, "--initialize-insecure", `--init-file=${accounts}`];
    await executeOrThrow([join(PREFIX, "run-mysqld"), ...how], { timeoutMs: 120_000 });
    if (!existsSync(finished)) renameSync(data, finished);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return finished;
}
