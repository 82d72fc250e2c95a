/**
 * Redis servers for the lab, on their hosts' own addresses and on a Unix socket. Each starts closed (`replicaof 127.0.0.1 1`) unless a test
 * wants to see what happens to one that does not. Foreground servers die with this process.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { execute, type RunningProgram, until } from "./processes.ts";

const PORT = 6379;

/** What the managing account may do: docs/redis.md names the same commands. */
const MANAGER_RULES =
  "&holdfast:* +info +subscribe +pubsub|channels +pubsub|numsub +replicaof +client|pause +client|unpause +client|kill +config|get +config|set +bgsave";

/** Accounts of the throw-away servers; they exist in the lab only. */
export const REDIS_MANAGER = { user: "manager", password: "lab-manager" } as const;

export interface RedisOptions {
  /** Lines of redis.conf that come last and so count. */
  readonly lines?: readonly string[];
  /** Without the line that makes it start closed. */
  readonly startsOpen?: boolean;
}

export class RedisServer {
  readonly host: LabHost;
  readonly directory: string;
  readonly socketPath: string;
  readonly options: RedisOptions;
  program: RunningProgram | null = null;

  constructor(host: LabHost, options: RedisOptions = {}) {
    this.host = host;
    this.options = options;
    this.directory = join(host.directory, "redis");
    this.socketPath = join(this.directory, "s.sock");
  }

  get configFile(): string {
    return join(this.directory, "redis.conf");
  }

  get managerFile(): string {
    return join(this.directory, "manager.cnf");
  }

  /** An empty data directory. */
  prepare(): void {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(this.configFile, `${this.#lines().join("\n")}\n`);
    const { user, password } = REDIS_MANAGER;
    writeFileSync(this.managerFile, `[client]\nuser = ${user}\npassword = "${password}"\n`, { mode: 0o600 });
  }

  #lines(): readonly string[] {
    const { user, password } = REDIS_MANAGER;
    return [
      `port ${PORT}`,
      "bind 0.0.0.0",
      "protected-mode no",
      `unixsocket ${this.socketPath}`,
      `dir ${this.directory}`,
      `pidfile ${this.pidFile}`,
      "appendonly yes",
      'save ""',
      "repl-ping-replica-period 1",
      "repl-timeout 10",
      "repl-diskless-sync-delay 0",
      "repl-backlog-size 16mb",
      `user ${user} on >${password} ${MANAGER_RULES}`,
      ...(this.options.startsOpen === true ? [] : ["replicaof 127.0.0.1 1"]),
      ...(this.options.lines ?? []),
    ];
  }

  get pidFile(): string {
    return join(this.directory, "redis.pid");
  }

  command(): readonly string[] {
    return ["redis-server", this.configFile];
  }

  async start(): Promise<void> {
    this.program = this.host.spawn(this.command());
    await this.answering();
  }

  /** Starts a server that outlives this process. */
  async startDetached(): Promise<void> {
    await this.host.spawnDetached(this.command(), join(this.directory, "redis.log"));
    await this.answering();
  }

  async answering(): Promise<void> {
    const ask = async () => {
      if (this.program?.running === false) throw new Error(`redis-server on ${this.host.name}: ${this.program.text}`);
      return (await this.ask("PING")) === "PONG" ? true : undefined;
    };
    await until(ask, `redis-server on ${this.host.name} answers`, 10_000);
  }

  /** One command by redis-cli, through the file system and so past the host's network. */
  async ask(...words: readonly string[]): Promise<string> {
    if (!existsSync(this.socketPath)) return "";
    return (await execute(["redis-cli", "-s", this.socketPath, ...words])).stdout.trim();
  }

  /** A field of INFO. */
  async info(name: string): Promise<string> {
    const text = await this.ask("INFO");
    return new RegExp(`^${name}:(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  }

  async waitFor(name: string, value: string, timeoutMs = 10_000): Promise<void> {
    let last = "";
    const asked = async () => {
      last = await this.info(name);
      return last === value ? true : undefined;
    };
    await until(asked, `${name} of ${this.host.name} is ${value}`, timeoutMs).catch((error) => {
      throw new Error(`${String(error)}; it is ${last}`);
    });
  }

  /** As this process sees it. */
  outsidePid(): number {
    const pid = this.host.outsidePid(Number(readFileSync(this.pidFile, "utf8")));
    if (pid === null) throw new Error(`no redis-server runs on ${this.host.name}`);
    return pid;
  }

  freeze(): void {
    process.kill(this.outsidePid(), "SIGSTOP");
  }

  /** The nsenter above it has stopped with it. */
  async thaw(): Promise<void> {
    process.kill(this.outsidePid(), "SIGCONT");
    await this.program?.signal("SIGCONT");
  }

  /** kill -9, as a fault and as the quick end of a throw-away server. A child that saves may hold its output open a little longer. */
  async kill(): Promise<void> {
    const pid = this.outsidePid();
    process.kill(pid, "SIGKILL");
    await until(() => !existsSync(`/proc/${pid}`) || undefined, `redis-server on ${this.host.name} is gone`, 5_000);
    this.program = null;
    rmSync(this.pidFile, { force: true });
  }
}
