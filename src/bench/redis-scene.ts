/** A pair of Redis servers with one contestant around it, and a client that tries to write every 5 ms: Holdfast, keepalived, Sentinel. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Daemon, startDaemon } from "../lab/daemon.ts";
import { type Lab, VIP } from "../lab/lab.ts";
import { HOLDFAST_PROGRAM, LAB_DATA, PROJECT_ROOT } from "../lab/paths.ts";
import { type RunningProgram, until } from "../lab/processes.ts";
import { RedisServer } from "../lab/redis.ts";
import type { RedisWriteRecord } from "../lab/redis-writer.ts";
import { GLOBALS, instanceBlock } from "../lab/vrrp-cluster.ts";

export type RedisContestant = "holdfast" | "keepalived" | "sentinel";

const WRITE_EVERY_MILLIS = 5;
const SENTINEL_PORT = "26379";

export class RedisScene {
  readonly lab: Lab;
  readonly kind: RedisContestant;
  readonly servers: readonly [RedisServer, RedisServer];
  readonly writes: RedisWriteRecord[] = [];
  readonly #daemons = new Map<RedisServer, Daemon>();
  readonly #sentinels: RunningProgram[] = [];
  readonly #key = randomBytes(32).toString("hex");
  #writer: RunningProgram | null = null;

  private constructor(lab: Lab, kind: RedisContestant) {
    this.lab = lab;
    this.kind = kind;
    const server = (host: string) => new RedisServer(lab.host(host), { startsOpen: kind !== "holdfast" });
    this.servers = [server("db1"), server("db2")];
  }

  static async start(lab: Lab, kind: RedisContestant): Promise<RedisScene> {
    const scene = new RedisScene(lab, kind);
    const [one, two] = scene.servers;
    for (const server of scene.servers) server.prepare();
    await Promise.all(scene.servers.map((server) => server.start()));
    if (kind === "sentinel") await scene.#startSentinels();
    else {
      scene.startDaemon(one);
      await until(async () => (await lab.host("db1").holds(VIP)) || undefined, `${kind} holds the address`, 20_000);
      scene.startDaemon(two);
    }
    await scene.inStep();
    return scene;
  }

  other(server: RedisServer): RedisServer {
    return server === this.servers[0] ? this.servers[1] : this.servers[0];
  }

  startDaemon(server: RedisServer): void {
    if (this.kind === "sentinel") return;
    const config = GLOBALS + (this.kind === "holdfast" ? this.#managed(server) : this.#scripted(server));
    this.#daemons.set(server, startDaemon(server.host, { kind: this.kind, config }));
  }

  async stopDaemon(server: RedisServer): Promise<void> {
    await this.#daemons.get(server)?.stop();
  }

  #instance(server: RedisServer, lines: readonly string[]): string {
    const priority = server === this.servers[0] ? 100 : 90;
    // With an HMAC, or version 2 with a password: an instance has one of them.
    const version = this.kind === "holdfast" ? 3 : 2;
    return instanceBlock({ priority, advertSeconds: 1, version, nopreempt: true, lines });
  }

  /** Proves who resigns, so the successor does not wait. */
  get #proof(): readonly string[] {
    return ["auth_hmac {", `    key 1 hex:${this.#key}`, "    active_key 1", "}"];
  }

  #managed(server: RedisServer): string {
    const lines = [
      "server 127.0.0.1 6379",
      `peer ${this.other(server).host.address} 6379`,
      `credentials ${server.managerFile}`,
    ];
    return `redis cache {\n${lines.join("\n")}\n}\n${this.#instance(server, ["manage_redis cache", ...this.#proof])}`;
  }

  #scripted(server: RedisServer): string {
    const script = (name: string): string => join(LAB_DATA, "redis", name);
    const check = `vrrp_script chk {\n    script "${script("check.sh")}"\n    interval 1\n    fall 1\n    rise 1\n}\n`;
    const peer = this.other(server).host.address;
    return (
      check +
      this.#instance(server, [
        "track_script {",
        "    chk",
        "}",
        `notify_master "${script("master.sh")}"`,
        `notify_backup "${script("backup.sh")} ${peer}"`,
      ])
    );
  }

  async #startSentinels(): Promise<void> {
    const [one, two] = this.servers;
    await two.ask("REPLICAOF", one.host.address, "6379");
    for (const name of ["db1", "db2", "client"]) {
      const host = this.lab.host(name);
      const file = join(host.directory, "sentinel.conf");
      const lines = [
        `port ${SENTINEL_PORT}`,
        `dir ${host.directory}`,
        `sentinel monitor cache ${one.host.address} 6379 2`,
        "sentinel down-after-milliseconds cache 1000",
        "sentinel failover-timeout cache 5000",
      ];
      writeFileSync(file, `${lines.join("\n")}\n`);
      this.#sentinels.push(host.spawn(["redis-sentinel", file]));
    }
    const known = async () =>
      (await this.#askSentinel("SENTINEL", "CKQUORUM", "cache")).startsWith("OK 3") || undefined;
    await until(known, "three sentinels know each other", 30_000);
  }

  async #askSentinel(...words: readonly string[]): Promise<string> {
    const { stdout } = await this.lab.host("client").exec(["redis-cli", "-p", SENTINEL_PORT, ...words]);
    return stdout.trim();
  }

  /** The one that takes writes, where clients look for it. */
  async holder(): Promise<RedisServer> {
    const found = async () => {
      for (const server of this.servers) if (await this.#isHolder(server)) return server;
      return undefined;
    };
    return await until(found, `${this.kind} has a writer`, 30_000);
  }

  #said(): string {
    return [...this.#daemons.values()]
      .map(
        ({ host, program }) =>
          `-- ${host.name}:\n${program.lines
            .slice(-12)
            .map(({ text }) => text)
            .join("\n")}`,
      )
      .join("\n");
  }

  async #isHolder(server: RedisServer): Promise<boolean> {
    if (server.program === null || (await server.info("role")) !== "master") return false;
    if (this.kind !== "sentinel") return await server.host.holds(VIP);
    return (await this.#askSentinel("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "cache")).startsWith(server.host.address);
  }

  async inStep(): Promise<void> {
    const same = async () => {
      const [a, b] = await Promise.all(
        this.servers.map(
          async (server) => `${await server.info("master_replid")} ${await server.info("master_repl_offset")}`,
        ),
      );
      const roles = await Promise.all(this.servers.map((server) => server.info("role")));
      const links = await Promise.all(this.servers.map((server) => server.info("master_link_status")));
      return (a === b && roles.includes("master") && links.includes("up")) || undefined;
    };
    await until(same, `${this.kind}: both servers are in step`, 60_000).catch((error) => {
      throw new Error(`${String(error)}\n${this.#said()}`);
    });
    if (this.kind !== "holdfast") return;
    const marked = async () => {
      const asked = this.servers.map((server) => server.ask("--raw", "PUBSUB", "CHANNELS", "holdfast:cache:*"));
      const epochs = (await Promise.all(asked)).map((text) => text.split(":")[2]);
      return epochs[0] === epochs[1] || undefined;
    };
    await until(marked, "both daemons know the epoch", 20_000);
  }

  write(): void {
    const program = join(PROJECT_ROOT, "dist/lab/redis-writer.js");
    const hosts = ["db1", "db2", "client"].map((name) => this.lab.host(name).address);
    const target = this.kind === "sentinel" ? `sentinel:${hosts.join(",")}` : VIP;
    this.#writer = this.lab.host("client").spawn([process.execPath, program, target, String(WRITE_EVERY_MILLIS)]);
    this.#writer.onLine((line) => {
      if (line.text.startsWith("{")) this.writes.push(JSON.parse(line.text) as RedisWriteRecord);
    });
  }

  /** When the first write ended that this server has acknowledged since then. */
  async firstWriteBy(server: RedisServer, since: number): Promise<number> {
    const runId = await server.info("run_id");
    const done = () => this.writes.find(({ ok, server: id, end }) => ok && id === runId && end > since)?.end;
    return await until(async () => done(), `${server.host.name} takes writes`, 60_000);
  }

  async stopWriting(): Promise<void> {
    this.#writer?.endInput();
    await this.#writer?.exited;
    this.#writer = null;
  }

  /** The order for a planned move, as an operator gives it. */
  async move(from: RedisServer): Promise<void> {
    if (this.kind === "sentinel") await this.#askSentinel("SENTINEL", "FAILOVER", "cache");
    else if (this.kind === "keepalived") await this.stopDaemon(from);
    else {
      const pidFile = this.#daemons.get(from)?.pidFile ?? "";
      await from.host.execOrThrow([process.execPath, HOLDFAST_PROGRAM, "switchover", "cache", "-p", pidFile]);
    }
  }

  /** Acknowledged writes until then that this server lacks; one other key is left afterwards. */
  async missingOn(server: RedisServer, last: number): Promise<number> {
    const acknowledged = this.writes.filter(({ ok, end }) => ok && end <= last).map(({ id }) => id);
    const keys = new Set((await server.ask("--raw", "KEYS", "w:*")).split("\n"));
    await server.ask("FLUSHALL");
    // Nobody with keys is let follow an empty writer.
    await server.ask("SET", "kept", "1");
    this.writes.length = 0;
    return acknowledged.filter((id) => !keys.has(`w:${id}`)).length;
  }

  async end(): Promise<void> {
    await this.stopWriting();
    for (const daemon of this.#daemons.values()) await daemon.stop();
    for (const sentinel of this.#sentinels) await sentinel.signal("SIGKILL");
    for (const server of this.servers) if (server.program !== null) await server.kill();
  }
}
