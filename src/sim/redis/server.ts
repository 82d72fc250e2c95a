/**
 * A Redis server in memory: clients that write, replicas that it feeds, min-replicas-to-write, what is on its disk, and what happens to all
 * of it when the process dies, hangs or starts again. What it answers to a command is in commands.ts.
 */

import type { Result } from "../../core/lib/result.ts";
import type { Command, RedisFailure, Reply } from "../../core/redis/reply.ts";
import type { Wire } from "../pair/wire.ts";
import { DataSet, type Snapshot } from "./data.ts";
import { Link, REPL_TIMEOUT, type ReplicationServer } from "./link.ts";

export type Answer = Result<readonly Reply[], RedisFailure>;

/** A connection as the server sees it. */
export interface RedisConnection {
  readonly id: number;
  readonly user: "app" | "holdfast";
  readonly lost: () => void;
  channel: string | null;
}

/** What survives the process: an append-only file, a dump now and then, or nothing but the dumps of resyncs and BGSAVE. */
export type Persistence = "aof" | "rdb" | "none";

export interface RedisParts {
  readonly answer: (server: RedisModel, connection: RedisConnection, command: Command) => Reply;
  readonly node: number;
  readonly wire: Wire;
  readonly now: () => number;
  readonly after: (micros: number, action: () => void) => void;
  readonly draw: (low: number, high: number) => number;
  readonly persistence: Persistence;
  /** `replicaof 127.0.0.1 1` in redis.conf. */
  readonly bootGuard: boolean;
  /** The server at that address; null: nobody listens. */
  readonly find: (address: string) => RedisModel | null;
}

export interface Attached {
  readonly connection: number;
  /** What was sent to it; null while its full resync is prepared. */
  position: number | null;
  heardAt: number;
}

const CRON = 1_000_000;
const PING_EVERY = 10;
const SAVE_EVERY = 60;
const SAVE_MICROS = 200_000;
const START_MIN = 30_000;
const START_MAX = 400_000;
const NOBODY = "127.0.0.1:1";

export class RedisModel implements ReplicationServer {
  readonly node: number;
  readonly wire: Wire;
  readonly persistence: Persistence;
  readonly #parts: RedisParts;
  readonly #connections = new Map<number, RedisConnection>();
  readonly #replicas = new Map<Link, Attached>();
  #held: (() => void)[] = [];
  #paused: (() => void)[] = [];
  #next = 1;
  #ticks = 0;
  #disk: Snapshot = { keys: [], stream: null };
  /** Keys of the append-only file that are on the disk for certain. */
  #synced: readonly string[] = [];
  data: DataSet;
  link: Link | null = null;
  up = false;
  loading = false;
  starting = false;
  hung = false;
  incarnation = 0;
  epoch = 0;
  minReplicas = 0;
  minMaxLag = 10;
  good = 0;
  saving = false;
  pausedUntil = 0;
  onOpened: () => void = () => undefined;
  onExecuted: (keys: readonly string[]) => void = () => undefined;
  /** Its data set is about to be replaced by another's. */
  onReplaced: (incoming: readonly string[], from: { readonly node: number }) => void = () => undefined;
  onJoined: () => void = () => undefined;
  onLowered: () => void = () => undefined;
  onEnded: () => void = () => undefined;
  /** It started with what its disk had. */
  onStarted: () => void = () => undefined;

  constructor(parts: RedisParts) {
    this.#parts = parts;
    this.node = parts.node;
    this.wire = parts.wire;
    this.persistence = parts.persistence;
    this.data = new DataSet(this.newId());
  }

  get alone(): boolean {
    return this.#replicas.size === 0;
  }

  get runId(): string {
    return `run-${this.node + 1}-${this.incarnation}`;
  }

  get isOpen(): boolean {
    return this.up && !this.loading && this.link === null;
  }

  /** A replica without a link itself serves no others. */
  get canServeReplicas(): boolean {
    return !this.loading && (this.link === null || this.link.state === "up");
  }

  get replicas(): ReadonlyMap<Link, Attached> {
    return this.#replicas;
  }

  get channels(): readonly string[] {
    return [...this.#connections.values()].flatMap(({ channel }) => (channel === null ? [] : [channel]));
  }

  newId(): string {
    return Array.from({ length: 4 }, () =>
      Math.floor(this.draw(0, 2 ** 32))
        .toString(16)
        .padStart(8, "0"),
    )
      .join("")
      .padEnd(40, "0");
  }

  draw(low: number, high: number): number {
    return this.#parts.draw(low, high);
  }

  now(): number {
    return this.#parts.now();
  }

  after(micros: number, action: () => void): void {
    this.#parts.after(micros, action);
  }

  start(): void {
    if (this.up || this.starting) return;
    this.starting = true;
    const incarnation = ++this.incarnation;
    this.after(this.draw(START_MIN, START_MAX), () => {
      if (!this.starting || incarnation !== this.incarnation) return;
      this.starting = false;
      this.up = true;
      this.loading = true;
      this.data = new DataSet(this.newId());
      this.link = this.#parts.bootGuard ? new Link(this, null, NOBODY) : null;
      this.minReplicas = 0;
      this.minMaxLag = 10;
      this.good = 0;
      this.after(this.draw(1_000, START_MAX), () => {
        if (incarnation === this.incarnation && this.up) this.#loaded(incarnation);
      });
    });
  }

  #loaded(incarnation: number): void {
    this.loading = false;
    const file = this.persistence === "aof" ? { ...this.#disk, stream: null } : this.#disk;
    this.data.load(file, this.link !== null);
    this.onStarted();
    if (this.isOpen) this.onOpened();
    this.#cron(incarnation);
  }

  /** kill -9, or the power: an append-only file has all that the kernel had, or what was synced. */
  crash(power = false): void {
    if (!this.up && !this.starting) return;
    if (this.persistence === "aof" && this.up && !this.loading) {
      this.#disk = { keys: power ? this.#synced : this.data.keys, stream: null };
    }
    this.onEnded();
    this.up = false;
    this.starting = false;
    this.loading = false;
    this.hung = false;
    this.saving = false;
    this.incarnation++;
    this.#held = [];
    this.#paused = [];
    this.pausedUntil = 0;
    this.link?.end();
    this.link = null;
    this.#endReplicas();
    for (const connection of this.#connections.values()) connection.lost();
    this.#connections.clear();
  }

  hang(): void {
    if (this.up) this.hung = true;
  }

  resume(): void {
    if (!this.hung) return;
    this.hung = false;
    for (const action of this.#held.splice(0)) action();
  }

  whenAwake(action: () => void): void {
    if (this.hung) this.#held.push(action);
    else if (this.up) action();
  }

  login(user: RedisConnection["user"], _from: number, lost: () => void): RedisConnection {
    const connection = { id: this.#next++, user, lost, channel: null };
    this.#connections.set(connection.id, connection);
    return connection;
  }

  knows(connection: RedisConnection): boolean {
    return this.#connections.get(connection.id) === connection;
  }

  serves(link: Link): boolean {
    return this.#replicas.has(link);
  }

  logout(connection: RedisConnection): void {
    if (this.knows(connection)) this.#connections.delete(connection.id);
  }

  /** CLIENT KILL LADDR of the address that moves: how many there were. */
  killClients(): number {
    const clients = [...this.#connections.values()].filter(({ user }) => user === "app");
    for (const { id, lost } of clients) {
      this.#connections.delete(id);
      lost();
    }
    return clients.length;
  }

  execute(connection: RedisConnection, commands: readonly Command[], reply: (answer: Answer) => void): void {
    this.whenAwake(() => {
      if (!this.knows(connection)) return;
      reply({ ok: true, value: commands.map((command) => this.#parts.answer(this, connection, command)) });
    });
  }

  /** A client's SET. */
  commit(connection: RedisConnection, key: string, reply: (answer: { readonly ok: boolean }) => void): void {
    this.whenAwake(() => {
      if (!this.knows(connection)) return;
      if (this.now() < this.pausedUntil) {
        this.#paused.push(() => this.commit(connection, key, reply));
        return;
      }
      const refused = this.loading || this.link !== null || (this.minReplicas > 0 && this.good < this.minReplicas);
      if (refused) return reply({ ok: false });
      this.data.set(key);
      this.executed([key]);
      for (const link of this.#replicas.keys()) this.pump(link);
      reply({ ok: true });
    });
  }

  executed(keys: readonly string[]): void {
    this.onExecuted(keys);
    for (const link of this.#replicas.keys()) this.pump(link);
  }

  pause(micros: number): void {
    this.pausedUntil = this.now() + micros;
    this.after(micros, () => {
      if (this.now() >= this.pausedUntil) this.unpause();
    });
  }

  unpause(): void {
    this.pausedUntil = 0;
    for (const action of this.#paused.splice(0)) action();
  }

  replicaOf(address: string | null): void {
    if (address === null) {
      this.#promote();
      return;
    }
    if (this.link?.address === address) return;
    // A master keeps its own stream as that of a cached master.
    if (this.link === null) this.data.keepBacklog();
    this.link?.end();
    this.link = new Link(this, this.#parts.find(address), address);
    this.link.connect();
  }

  #promote(): void {
    if (this.link === null) return;
    this.link.end();
    this.link = null;
    this.data.shift(this.newId());
    this.#endReplicas();
    this.onOpened();
  }

  attach(link: Link, connection: number, position: number | null): void {
    if (!this.up) return;
    this.#replicas.set(link, { connection, position, heardAt: this.now() });
    this.#countGood();
    this.pump(link);
  }

  detach(link: Link): void {
    this.#replicas.delete(link);
    this.#countGood();
  }

  heardFrom(link: Link): void {
    const attached = this.#replicas.get(link);
    if (attached !== undefined && this.up && !this.hung) attached.heardAt = this.now();
  }

  pump(link: Link): void {
    const attached = this.#replicas.get(link);
    if (attached === undefined || attached.position === null || !this.up) return;
    link.deliver(attached.connection, attached.position, (position) => {
      attached.position = position;
    });
  }

  #endReplicas(): void {
    for (const [link, { connection }] of this.#replicas) {
      this.wire.send(this.node, link.ownNode, () => link.lost(connection));
    }
    this.#replicas.clear();
    this.good = 0;
  }

  #countGood(): void {
    const now = Math.floor(this.now() / 1_000_000);
    const isGood = ({ position, heardAt }: Attached): boolean =>
      position !== null && now - Math.floor(heardAt / 1_000_000) <= this.minMaxLag;
    this.good = [...this.#replicas.values()].filter(isGood).length;
  }

  joined(): void {
    this.onJoined();
  }

  replaceWith(snapshot: Snapshot, from: ReplicationServer): void {
    this.onReplaced(snapshot.keys, from);
    this.data.replace(snapshot);
    this.#disk = snapshot;
    this.#synced = snapshot.keys;
    this.#endReplicas();
    this.onExecuted(snapshot.keys);
  }

  /** BGSAVE. */
  save(): void {
    if (this.saving) return;
    this.saving = true;
    const snapshot = this.data.snapshot();
    const { incarnation } = this;
    this.after(SAVE_MICROS, () => {
      if (incarnation !== this.incarnation) return;
      this.saving = false;
      this.#disk = snapshot;
    });
  }

  get dump(): readonly string[] {
    return this.#disk.keys;
  }

  #cron(incarnation: number): void {
    this.after(CRON, () => {
      if (incarnation !== this.incarnation) return;
      this.whenAwake(() => {
        this.#tick();
        this.#cron(incarnation);
      });
    });
  }

  #tick(): void {
    this.#ticks++;
    this.link?.cron();
    for (const [link, { heardAt, connection }] of this.#replicas) {
      if (this.now() - heardAt <= REPL_TIMEOUT) continue;
      this.#replicas.delete(link);
      this.wire.send(this.node, link.ownNode, () => link.lost(connection));
    }
    if (this.link === null && this.#replicas.size > 0 && this.#ticks % PING_EVERY === 0) {
      this.data.ping();
      for (const link of this.#replicas.keys()) this.pump(link);
    }
    this.#countGood();
    if (this.persistence === "aof") this.#synced = this.data.keys;
    if (this.persistence === "rdb" && this.#ticks % SAVE_EVERY === 0) this.save();
  }
}
