/** Two managed Redis servers behind one address, and a client that writes through it all the time. */
import { join } from "node:path";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { PROJECT_ROOT } from "../src/lab/paths.ts";
import { type RunningProgram, until } from "../src/lab/processes.ts";
import { type RedisOptions, RedisServer } from "../src/lab/redis.ts";
import type { RedisWriteRecord } from "../src/lab/redis-writer.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { eventsOf } from "./holdfast-client.ts";
import type { Stage } from "./stage.ts";

export class RedisPair {
  readonly stage: Stage;
  readonly servers: readonly [RedisServer, RedisServer];
  readonly writes: RedisWriteRecord[] = [];
  #writer: RunningProgram | null = null;
  #replica: RedisServer | null = null;

  constructor(stage: Stage, options: RedisOptions = {}) {
    this.stage = stage;
    this.servers = [new RedisServer(stage.host("db1"), options), new RedisServer(stage.host("db2"), options)];
  }

  async startServers(): Promise<void> {
    for (const server of this.servers) server.prepare();
    await Promise.all(this.servers.map((server) => server.start()));
  }

  /** On the client's host; it follows, and takes no writes. */
  async startReplica(): Promise<RedisServer> {
    this.#replica = new RedisServer(this.stage.host("client"));
    this.#replica.prepare();
    await this.#replica.start();
    return this.#replica;
  }

  /** Further lines of each instance. */
  instanceLines: readonly string[] = [];

  config(index: 0 | 1, lines: readonly string[] = []): string {
    const server = this.servers[index];
    const peer = this.servers[index === 0 ? 1 : 0];
    const block = [
      "redis cache {",
      "    server 127.0.0.1 6379",
      `    peer ${peer.host.address} 6379`,
      `    credentials ${server.managerFile}`,
      "    interval 0.5",
      ...lines.map((line) => `    ${line}`),
      "}",
      "",
    ].join("\n");
    return (
      block +
      instanceBlock({
        priority: 100 - 10 * index,
        advertSeconds: 0.2,
        nopreempt: true,
        lines: ["manage_redis cache", ...this.instanceLines],
      })
    );
  }

  start(index: 0 | 1, lines: readonly string[] = [], ...words: readonly string[]): Daemon {
    return this.stage.start(index === 0 ? "db1" : "db2", this.config(index, lines), ...words);
  }

  write(): void {
    const program = join(PROJECT_ROOT, "dist/lab/redis-writer.js");
    this.#writer = this.stage.host("client").spawn([process.execPath, program, VIP]);
    this.#writer.onLine((line) => {
      if (line.text.startsWith("{")) this.writes.push(JSON.parse(line.text) as RedisWriteRecord);
    });
  }

  /** `run`: by that run of a server only. */
  acknowledged(run: string | null = null): readonly number[] {
    return this.writes.filter(({ ok, server }) => ok && (run === null || server === run)).map(({ id }) => id);
  }

  /** Writes go through again, to that server. */
  async writesReach(server: RedisServer, timeoutMs = 20_000): Promise<void> {
    const before = this.writes.length;
    const reached = async () => {
      const runId = await server.info("run_id");
      return this.writes.slice(before).filter(({ ok, server: id }) => ok && id === runId).length > 5 || undefined;
    };
    await until(reached, `writes reach ${server.host.name}`, timeoutMs).catch((error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.writes.slice(-3))}\n${this.stage.said()}`);
    });
  }

  /** The other has every byte, and its daemon has written down that it is in step. */
  async inStep(): Promise<void> {
    const same = async () => {
      const asked = this.servers.map((server) => server.ask("--raw", "PUBSUB", "CHANNELS", "holdfast:cache:*"));
      const marks = (await Promise.all(asked)).sort();
      const [, epoch] = /:(\d+):insync$/.exec(marks[0] ?? "") ?? [];
      if (epoch === undefined || marks[1] !== `holdfast:cache:${epoch}:paired`) return undefined;
      const ids = await Promise.all(this.servers.map((server) => server.info("master_replid")));
      const offsets = await Promise.all(this.servers.map((server) => server.info("master_repl_offset")));
      const links = await Promise.all(this.servers.map((server) => server.info("master_link_status")));
      return (ids[0] === ids[1] && offsets[0] === offsets[1] && links.includes("up")) || undefined;
    };
    await until(same, "both servers are in step", 20_000);
  }

  async stopWriting(): Promise<void> {
    await this.#writer?.signal("SIGKILL");
    await this.#writer?.exited;
    this.#writer = null;
  }

  /** Acknowledged writes that this server does not have. */
  async lost(server: RedisServer, run: string | null = null): Promise<readonly number[]> {
    const keys = new Set((await server.ask("--raw", "KEYS", "w:*")).split("\n"));
    return this.acknowledged(run).filter((id) => !keys.has(`w:${id}`));
  }

  async end(): Promise<void> {
    await this.stopWriting();
    for (const server of [...this.servers, ...(this.#replica === null ? [] : [this.#replica])]) {
      if (server.program !== null) await server.kill();
    }
  }
}

/** What the daemon has done to its servers, in order. */
export const redisSteps = async (daemon: Daemon): Promise<readonly string[]> =>
  (await eventsOf(daemon)).flatMap(({ body }) =>
    body.kind === "redis-step" && body.outcome !== "begun" ? [`${body.what}: ${body.step}`] : [],
  );
