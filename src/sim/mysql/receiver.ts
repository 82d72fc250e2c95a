/**
 * Replication of one model server from another: the I/O thread with its connection, the relay log, and the SQL thread. As MariaDB with
 * MASTER_USE_GTID = slave_pos: when both threads were stopped, what was received and not executed is thrown away (MDEV-4698); a receiver
 * whose position the source does not know stops with error 1236; events of the own server_id are passed over.
 */

import type { Wire } from "../pair/wire.ts";
import type { BinaryLog, Transaction } from "./transactions.ts";

/** MASTER_CONNECT_RETRY = 2, slave_net_timeout = 4. */
const RETRY = 2_000_000;
const NET_TIMEOUT = 4_000_000;
/** A process that is stopped is looked at again so often. */
const HUNG_PAUSE = 10_000;
/** The only one that may log in. */
const ACCOUNT = "repl";

/** What a receiver needs of a server, its own or the one it follows. */
export interface ReplicationServer {
  readonly node: number;
  readonly id: number;
  readonly wire: Wire;
  readonly log: BinaryLog;
  readonly receiver: Receiver;
  readonly up: boolean;
  readonly hung: boolean;
  /** New connections get somewhere. */
  readonly serves: boolean;
  /** Changes with every start. */
  readonly incarnation: number;
  /** One transaction of the applier takes so long. */
  readonly applyMicros: number;
  now(): number;
  after(micros: number, action: () => void): void;
  apply(entry: Transaction): void;
  joins(follower: ReplicationServer): void;
  leaves(follower: ReplicationServer): void;
  acknowledged(follower: ReplicationServer, upTo: number): void;
}

export interface ReplicationError {
  readonly number: number;
  readonly text: string;
}

interface Stream {
  readonly source: ReplicationServer;
  readonly incarnation: number;
  /** Index of the next entry of the source's log. */
  next: number;
  /** Something is on its way. */
  busy: boolean;
  alive: boolean;
  heardAt: number;
}

interface Received {
  readonly index: number;
  readonly entry: Transaction;
}

export class Receiver {
  readonly #server: ReplicationServer;
  source: ReplicationServer | null = null;
  /** Master_User; kept over a start, as master.info is. */
  user = ACCOUNT;
  io = false;
  sql = false;
  ioError: ReplicationError | null = null;
  sqlError: ReplicationError | null = null;
  #stream: Stream | null = null;
  #relay: Received[] = [];
  /** gtid_slave_pos: the last transaction that came by replication. */
  #slavePosition: Transaction | null = null;
  /** Coordinates in the source's log. */
  #received = 0;
  #executed = 0;
  #working = false;
  /** Ends timers of an earlier life. */
  #life = 0;

  constructor(server: ReplicationServer) {
    this.#server = server;
  }

  get running(): boolean {
    return this.#stream?.alive === true;
  }

  get slavePosition(): Transaction | null {
    return this.#slavePosition;
  }

  get received(): number {
    return this.#received;
  }

  get executed(): number {
    return this.#executed;
  }

  get drained(): boolean {
    return this.#relay.length === 0;
  }

  /** The server starts: threads start by themselves, from gtid_slave_pos. */
  begin(): void {
    this.end();
    this.#relay = [];
    this.start("both");
  }

  /** The server is gone. */
  end(): void {
    this.#life++;
    this.#drop();
    this.io = false;
    this.sql = false;
    this.#working = false;
    this.ioError = null;
    this.sqlError = null;
  }

  start(what: "io" | "sql" | "both"): void {
    if (!this.io && !this.sql) this.#forgetReceived();
    if (what !== "sql" && !this.io) {
      this.io = true;
      this.ioError = null;
      this.#connect();
    }
    if (what !== "io") {
      this.sql = true;
      this.sqlError = null;
      this.#work();
    }
  }

  stop(what: "io" | "sql" | "both"): void {
    if (what !== "sql") {
      this.io = false;
      this.#drop();
    }
    if (what !== "io") this.sql = false;
  }

  /** False while a thread runs. What was received and not executed goes. */
  changeUser(user: string): boolean {
    if (this.io || this.sql) return false;
    this.user = user;
    this.#forgetReceived();
    return true;
  }

  /** A copy of the source's data directory: everything that it has counts as received from it. */
  restored(last: Transaction | null): void {
    this.#slavePosition = last;
  }

  /** The source has something new. */
  pump(): void {
    const stream = this.#stream;
    if (stream === null || stream.busy || !stream.alive) return;
    const { source } = stream;
    if (stream.next >= source.log.length || !this.#server.wire.reaches(source.node, this.#server.node)) return;
    stream.busy = true;
    const last = source.log.length;
    this.#server.wire.send(
      source.node,
      this.#server.node,
      () => this.#arrived(stream, last),
      () => this.#isOver(stream),
    );
  }

  /** Anew: the end of a stream that the other side has not noticed counts as this side's, too. */
  #isOver(stream: Stream): boolean {
    return !stream.alive || !stream.source.up || stream.source.incarnation !== stream.incarnation;
  }

  #forgetReceived(): void {
    this.#relay = [];
    const from = this.source?.log.after(this.#slavePosition) ?? 0;
    this.#received = from;
    this.#executed = from;
  }

  #drop(): void {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    stream.alive = false;
    const { source } = stream;
    const { wire, node } = this.#server;
    wire.send(
      node,
      source.node,
      () => source.leaves(this.#server),
      () => this.running,
    );
  }

  #after(micros: number, action: () => void): void {
    const life = this.#life;
    this.#server.after(micros, () => {
      if (life === this.#life) action();
    });
  }

  #connect(): void {
    const { source } = this;
    if (source === null || !this.io || this.#stream !== null) return;
    const { wire, node } = this.#server;
    const answers = wire.connected(node, source.node) && source.serves;
    if (!answers) {
      this.#after(RETRY, () => this.#connect());
      return;
    }
    this.#after(3 * wire.latency(node, source.node), () => this.#connected(source));
  }

  #connected(source: ReplicationServer): void {
    if (!this.io || this.#stream !== null) return;
    if (!this.#server.wire.connected(this.#server.node, source.node) || !source.serves) {
      this.#after(RETRY, () => this.#connect());
      return;
    }
    if (this.user !== ACCOUNT) {
      this.ioError = { number: 1045, text: `Access denied for user '${this.user}'` };
      this.#after(RETRY, () => this.#connect());
      return;
    }
    this.ioError = null;
    const from = source.log.after(this.#lastReceived());
    if (from === null) {
      this.io = false;
      this.ioError = { number: 1236, text: "Got fatal error 1236 from master: the requested GTID is not in its log" };
      return;
    }
    this.#received = from;
    this.#stream = {
      source,
      incarnation: source.incarnation,
      next: from,
      busy: false,
      alive: true,
      heardAt: this.#server.now(),
    };
    source.joins(this.#server);
    this.#watch(this.#stream);
    this.pump();
  }

  #lastReceived(): Transaction | null {
    const last = this.#relay.findLast(({ entry }) => entry.server !== this.#server.id);
    return last?.entry ?? this.#slavePosition;
  }

  #arrived(stream: Stream, last: number): void {
    stream.busy = false;
    if (stream !== this.#stream) return;
    if (this.#server.hung) {
      this.#after(HUNG_PAUSE, () => this.#arrived(stream, last));
      stream.busy = true;
      return;
    }
    stream.heardAt = this.#server.now();
    for (let index = stream.next; index < last; index++) {
      const entry = stream.source.log.at(index);
      if (entry !== undefined) this.#relay.push({ index, entry });
    }
    stream.next = last;
    this.#received = last;
    const { wire, node } = this.#server;
    wire.send(
      node,
      stream.source.node,
      () => stream.source.acknowledged(this.#server, last),
      () => this.#isOver(stream),
    );
    this.#work();
    this.pump();
  }

  /** Notices the death of the source at once where its kernel tells, else after slave_net_timeout. */
  #watch(stream: Stream): void {
    const { wire, node } = this.#server;
    const look = (): void => {
      if (stream !== this.#stream) return;
      const reached = wire.reaches(stream.source.node, node);
      const dead = this.#isOver(stream);
      if (reached && !dead && !stream.source.hung) {
        stream.heardAt = this.#server.now();
        this.pump();
      }
      if ((dead && reached) || this.#server.now() - stream.heardAt > NET_TIMEOUT) {
        stream.alive = false;
        this.#stream = null;
        this.#after(RETRY, () => this.#connect());
        return;
      }
      this.#after(100_000, look);
    };
    this.#after(100_000, look);
  }

  #work(): void {
    if (this.#working || !this.sql) return;
    const first = this.#relay[0];
    if (first === undefined) return;
    this.#working = true;
    this.#after(this.#server.hung ? HUNG_PAUSE : this.#server.applyMicros, () => {
      this.#working = false;
      if (this.sql && this.#relay[0] === first && !this.#server.hung) this.#execute(first);
      this.#work();
    });
  }

  #execute({ index, entry }: Received): void {
    if (entry.server !== this.#server.id) {
      if (this.#server.log.has(entry.key)) {
        this.sql = false;
        this.sqlError = { number: 1062, text: `Duplicate entry '${entry.key}' for key 'PRIMARY'` };
        return;
      }
      this.#server.apply(entry);
      this.#slavePosition = entry;
    }
    this.#relay.shift();
    this.#executed = index + 1;
  }
}
