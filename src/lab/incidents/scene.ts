/**
 * A Redis pair with a daemon on each host, applications that write through the address, and two views from outside: who answers for the
 * address (ARP) and who carries it (the kernels' events). What the daemons say of themselves is never asked.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { wallClock } from "../clock.ts";
import { type Daemon, type DaemonKind, startDaemon } from "../daemon.ts";
import { type Lab, VIP } from "../lab.ts";
import { AddressObserver } from "../observer.ts";
import { HOLDFAST_PROGRAM, PROJECT_ROOT } from "../paths.ts";
import { type RunningProgram, until } from "../processes.ts";
import { RedisServer } from "../redis.ts";
import type { RedisWriteRecord } from "../redis-writer.ts";
import { NotifyRecorder } from "../vrrp-cluster.ts";
import { configOf } from "./config.ts";

export interface ClientWrite extends RedisWriteRecord {
  /** The host that the application runs on. */
  readonly client: string;
  readonly key: string;
}

export interface Member {
  readonly name: string;
  readonly server: RedisServer;
  readonly hooks: NotifyRecorder;
  daemon: Daemon | null;
}

const PRIORITIES = [100, 90] as const;
const COPY_PORT = "6400";
let scenes = 0;

export class IncidentScene {
  readonly lab: Lab;
  readonly kind: DaemonKind;
  readonly members: readonly [Member, Member];
  readonly writes: ClientWrite[] = [];
  readonly #writers: RunningProgram[] = [];
  /** Whose run_id it is: a server has a new one after each start. */
  readonly #runs = new Map<string, Member>();
  readonly #name: string;
  /** What stands before the instance in both files. */
  readonly #store: string;
  #observer: AddressObserver | null = null;

  private constructor(lab: Lab, kind: DaemonKind, store: string) {
    this.lab = lab;
    this.kind = kind;
    this.#store = store;
    // A folder, and so a journal, of its own for each scene of a lab.
    this.#name = `incident${++scenes}`;
    const member = (name: string): Member => {
      const host = lab.host(name);
      const server = new RedisServer(host, { startsOpen: kind === "keepalived" });
      return { name, server, hooks: new NotifyRecorder(host, `${this.#name}-notify`), daemon: null };
    };
    this.members = [member("db1"), member("db2")];
  }

  /** Both in step, db1 writes, an application on the client's host writes through the address. `store`: a `quorum_store` block for both. */
  static async start(lab: Lab, kind: DaemonKind, store = ""): Promise<IncidentScene> {
    const scene = new IncidentScene(lab, kind, store);
    try {
      await scene.#setUp();
      return scene;
    } catch (error) {
      const said = scene.said();
      await scene.end();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`);
    }
  }

  async #setUp(): Promise<void> {
    const [one, two] = this.members;
    for (const { server } of this.members) server.prepare();
    await Promise.all(this.members.map((member) => this.startServer(member)));
    this.startDaemon(one);
    await until(async () => (await one.server.host.holds(VIP)) || undefined, `db1 holds ${VIP}`, 20_000);
    this.startDaemon(two);
    await this.inStep();
    this.#observer = await AddressObserver.start(
      this.lab,
      this.members.map(({ server }) => server.host),
    );
    this.writeFrom("client");
    await this.writesReach(one);
  }

  get observer(): AddressObserver {
    if (this.#observer === null) throw new Error("nobody observes yet");
    return this.#observer;
  }

  other(member: Member): Member {
    return member === this.members[0] ? this.members[1] : this.members[0];
  }

  async startServer(member: Member): Promise<void> {
    await member.server.start();
    this.#runs.set(await member.server.info("run_id"), member);
  }

  startDaemon(member: Member): void {
    const peer = this.other(member).server;
    const priority = PRIORITIES[this.members.indexOf(member)] ?? PRIORITIES[0];
    const config =
      this.#store + configOf(this.kind, { server: member.server, peer, priority, notify: member.hooks.script });
    member.daemon = startDaemon(member.server.host, { kind: this.kind, config, name: this.#name });
  }

  /** Everything on the host ends at once, and its kernel forgets its addresses. */
  async powerOff(member: Member): Promise<void> {
    await member.daemon?.killBoth();
    if (member.server.program !== null) await member.server.kill();
    await member.server.host.exec(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
  }

  async powerOn(member: Member): Promise<void> {
    await this.startServer(member);
    this.startDaemon(member);
  }

  /** The two hosts lose each other alone: client and gateway reach both. */
  async cutBetween(): Promise<void> {
    for (const member of this.members) {
      const rule = `ip saddr ${this.other(member).server.host.address} drop`;
      const table = `table inet cut { chain input { type filter hook input priority 0; ${rule}; }; }`;
      await member.server.host.execOrThrow(["nft", table]);
    }
  }

  async mendBetween(): Promise<void> {
    for (const { server } of this.members) await server.host.execOrThrow(["nft", "delete", "table", "inet", "cut"]);
  }

  /** An application on that host: a key every so often over a new connection each. */
  writeFrom(client: string, intervalMs = 20): void {
    const program = join(PROJECT_ROOT, "dist/lab/redis-writer.js");
    const prefix = `w${this.#writers.length}`;
    const writer = this.lab.host(client).spawn([process.execPath, program, VIP, String(intervalMs), prefix]);
    writer.onLine((line) => {
      if (!line.text.startsWith("{")) return;
      const record = JSON.parse(line.text) as RedisWriteRecord;
      this.writes.push({ ...record, client, key: `${prefix}:${record.id}` });
    });
    this.#writers.push(writer);
  }

  async stopWriting(): Promise<void> {
    for (const writer of this.#writers) writer.endInput();
    await Promise.all(this.#writers.map((writer) => writer.exited));
  }

  /** Whose server answered; null when none did. */
  answeredBy({ server }: ClientWrite): Member | null {
    return server === null ? null : (this.#runs.get(server) ?? null);
  }

  /** Acknowledged writes of that server that began at or after that moment. */
  takenBy(member: Member, since: number): readonly ClientWrite[] {
    return this.writes.filter((write) => write.ok && write.start >= since && this.answeredBy(write) === member);
  }

  /** When it acknowledged the first write of the application on that host; null: within that time it did not. */
  async firstWrite(member: Member, since: number, timeoutMs = 30_000): Promise<number | null> {
    const first = () => this.takenBy(member, since).find(({ client }) => client === "client")?.end;
    return await until(first, `a write on ${member.name}`, timeoutMs).catch(() => null);
  }

  async writesReach(member: Member, since = wallClock()): Promise<void> {
    const enough = () => this.takenBy(member, since).length > 20 || undefined;
    await until(enough, `writes reach ${member.name}`, 30_000).catch((error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.writes.slice(-2))}\n${this.said()}`);
    });
  }

  /** One writer, the other follows it and has every byte; where a daemon writes down epochs, both have the same. */
  async inStep(timeoutMs = 45_000): Promise<void> {
    const same = async () => {
      const told = await Promise.all(this.members.map(({ server }) => server.ask("INFO", "replication")));
      const field = (name: string) => told.map((text) => new RegExp(`^${name}:(.*)$`, "m").exec(text)?.[1]?.trim());
      const [id, otherId] = field("master_replid");
      const [offset, otherOffset] = field("master_repl_offset");
      if (id !== otherId || offset !== otherOffset) return undefined;
      return field("role").includes("master") && field("master_link_status").includes("up") ? true : undefined;
    };
    await until(same, "both servers are in step", timeoutMs).catch((error) => {
      throw new Error(`${String(error)}\n${this.said()}`);
    });
    if (this.kind === "holdfast") await until(() => this.#sameEpoch(), "both daemons know the epoch", 20_000);
  }

  async #sameEpoch(): Promise<true | undefined> {
    const asked = this.members.map(({ server }) => server.ask("--raw", "PUBSUB", "CHANNELS", "holdfast:cache:*"));
    const epochs = (await Promise.all(asked)).map((text) => /^holdfast:cache:(\d+):/.exec(text)?.[1]);
    return epochs[0] !== undefined && epochs[0] === epochs[1] ? true : undefined;
  }

  /** Each follows the other: both refuse writes, and neither will ever be filled. */
  async circle(): Promise<boolean> {
    const [one, two] = this.members;
    const sources = await Promise.all(
      this.members.map(async ({ server }) =>
        (await server.info("role")) === "slave" ? server.info("master_host") : "",
      ),
    );
    return sources[0] === two.server.host.address && sources[1] === one.server.host.address;
  }

  /** The one that takes writes and carries the address, when there is exactly one of each. */
  async writer(): Promise<Member | null> {
    const roles = await Promise.all(this.members.map(({ server }) => server.info("role")));
    const held = await Promise.all(this.members.map(({ server }) => server.host.holds(VIP)));
    const masters = this.members.filter((_, index) => roles[index] === "master");
    const holders = this.members.filter((_, index) => held[index]);
    return masters.length === 1 && holders.length === 1 && masters[0] === holders[0] ? (masters[0] ?? null) : null;
  }

  async keysOn({ server }: Member): Promise<ReadonlySet<string>> {
    return new Set((await server.ask("--raw", "KEYS", "w*")).split("\n").filter(Boolean));
  }

  async missingOn(member: Member): Promise<readonly string[]> {
    const keys = await this.keysOn(member);
    return this.writes.filter(({ ok, key }) => ok && !keys.has(key)).map(({ key }) => key);
  }

  /** What stands in the copies that were kept before a server was filled anew. */
  async copied(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const { server } of this.members) {
      for (const file of readdirSync(server.directory).filter((name) => name.includes(".holdfast-"))) {
        for (const key of await keysOf(server, file)) keys.add(key);
      }
    }
    return keys;
  }

  /** The operator's order for a planned move: keepalived has none, so it is stopped where the writer is. */
  async move(from: Member): Promise<void> {
    if (this.kind === "keepalived") {
      await from.daemon?.stop();
      return;
    }
    const words = ["switchover", "cache", "-p", from.daemon?.pidFile ?? ""];
    await from.server.host.execOrThrow([process.execPath, HOLDFAST_PROGRAM, ...words]);
  }

  /** The last lines of both daemons. */
  said(): string {
    const lines = ({ name, daemon }: Member) =>
      [`-- ${name}:`, ...(daemon?.program.lines.slice(-15).map(({ text }) => text) ?? [])].join("\n");
    return this.members.map(lines).join("\n");
  }

  async end(): Promise<void> {
    for (const writer of this.#writers) await writer.signal("SIGKILL");
    await this.#observer?.stop();
    for (const { name } of this.members) await this.lab.restoreLink(name);
    for (const { daemon, server } of this.members) {
      await daemon?.stop();
      if (server.program?.running === true) await server.kill();
    }
  }
}

/** A server of its own on the copy, as docs/redis.md tells an operator to do it. */
async function keysOf(server: RedisServer, file: string): Promise<readonly string[]> {
  const reader = server.host.spawn([
    ...["redis-server", "--port", COPY_PORT, "--dir", server.directory, "--dbfilename", file, "--appendonly", "no"],
    ...["--save", ""],
  ]);
  const ask = async (...words: readonly string[]) =>
    (await server.host.exec(["redis-cli", "-p", COPY_PORT, "--raw", ...words])).stdout.trim();
  try {
    const answers = async (): Promise<true | undefined> => {
      if (!reader.running)
        throw new Error(
          `${file} cannot be read: ${reader.lines
            .slice(-3)
            .map(({ text }) => text)
            .join(" | ")}`,
        );
      return (await ask("PING")) === "PONG" || undefined;
    };
    await until(answers, `a server reads ${file}`, 30_000);
    return (await ask("KEYS", "w*")).split("\n").filter(Boolean);
  } finally {
    await reader.signal("SIGKILL");
    // Its port is the next one's.
    await reader.exited;
  }
}
