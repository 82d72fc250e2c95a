/**
 * A MariaDB server in memory: commits, semi-synchronous replication with the wait after the binary log is written (AFTER_SYNC), sessions,
 * and what happens to them when the process dies, hangs or starts again. What it answers to a statement is in statements.ts.
 */

import { err, ok, type Result } from "../../core/lib/result.ts";
import type { SqlRow } from "../../core/mysql/facts.ts";
import type { SqlFailure } from "../../core/mysql/failure.ts";
import type { Wire } from "../pair/wire.ts";
import { Receiver, type ReplicationServer } from "./receiver.ts";
import { BinaryLog, type Transaction } from "./transactions.ts";

export type Answer = Result<readonly SqlRow[], SqlFailure>;

/** A connection as the server sees it. */
export interface ServerSession {
  readonly id: number;
  readonly user: "app" | "holdfast" | "repl";
  /** Endpoint it came from. */
  readonly from: number;
  /** The server has ended it. */
  readonly lost: () => void;
}

interface Waiting {
  readonly entry: Transaction;
  /** Index behind its entry: acknowledged when a replica has received so much. */
  readonly behind: number;
  readonly session: ServerSession;
  readonly reply: (answer: Answer) => void;
}

interface Blocked {
  readonly session: ServerSession | null;
  readonly run: () => void;
}

export interface ServerParts {
  /** statements.ts. */
  readonly answer: (server: ModelServer, session: ServerSession, sql: string, reply: (answer: Answer) => void) => void;
  readonly node: number;
  readonly wire: Wire;
  readonly now: () => number;
  readonly after: (micros: number, action: () => void) => void;
}

const READ_ONLY: SqlFailure = {
  kind: "server",
  number: 1290,
  detail: "The MariaDB server is running with the --read-only option so it cannot execute this statement",
};

/** From the exec of mysqld to its first connection, after a crash. */
const START_MICROS = 1_500_000;

export class ModelServer implements ReplicationServer {
  readonly node: number;
  readonly id: number;
  readonly wire: Wire;
  readonly log = new BinaryLog();
  readonly receiver: Receiver;
  readonly #parts: ServerParts;
  readonly #sessions = new Map<number, ServerSession>();
  readonly #ackers = new Map<ReplicationServer, number>();
  #waiting: Waiting[] = [];
  /** Statements that wait until no commit does. */
  #blocked: Blocked[] = [];
  #held: (() => void)[] = [];
  #nextSession = 1;
  up = false;
  starting = false;
  hung = false;
  incarnation = 0;
  readOnly = true;
  /** SET GLOBAL read_only = 1 waits for commits, and new ones for it. */
  closing = false;
  /** rpl_semi_sync_master_enabled. */
  semiSync = true;
  acknowledgedCommits = 0;
  /** One transaction of the applier takes so long. */
  applyMicros = 300;
  /** Counts the openings of all servers: which of them this one's last is. */
  epoch = 0;
  /** It takes writes from now on. */
  onOpened: () => void = () => undefined;
  /** What an earlier writer had committed alone has reached an open one. */
  onStale: (entry: Transaction) => void = () => undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.node = parts.node;
    this.id = parts.node + 1;
    this.wire = parts.wire;
    this.receiver = new Receiver(this);
  }

  /** New connections get somewhere. */
  get serves(): boolean {
    return this.up && !this.hung;
  }

  get alone(): boolean {
    return !this.semiSync;
  }

  get clients(): number {
    return this.#ackers.size;
  }

  get waitingCommits(): number {
    return this.#waiting.length;
  }

  get sessions(): readonly ServerSession[] {
    return [...this.#sessions.values()];
  }

  now(): number {
    return this.#parts.now();
  }

  after(micros: number, action: () => void): void {
    this.#parts.after(micros, action);
  }

  /** mysqld is started; it recovers, and then listens, closed for writes as its my.cnf says. */
  start(): void {
    if (this.up || this.starting) return;
    this.starting = true;
    const incarnation = ++this.incarnation;
    this.after(START_MICROS, () => {
      if (!this.starting || incarnation !== this.incarnation) return;
      this.starting = false;
      this.up = true;
      this.readOnly = true;
      this.closing = false;
      this.semiSync = true;
      this.receiver.begin();
    });
  }

  /** kill -9: what is in the binary log stays, also what nobody was told of. */
  crash(): void {
    if (!this.up && !this.starting) return;
    this.up = false;
    this.starting = false;
    this.hung = false;
    this.incarnation++;
    this.receiver.end();
    this.#waiting = [];
    this.#blocked = [];
    this.#held = [];
    this.#ackers.clear();
    for (const session of this.#sessions.values()) session.lost();
    this.#sessions.clear();
  }

  hang(): void {
    if (this.up) this.hung = true;
  }

  resume(): void {
    if (!this.hung) return;
    this.hung = false;
    for (const action of this.#held.splice(0)) action();
  }

  login(user: ServerSession["user"], from: number, lost: () => void): ServerSession {
    const session = { id: this.#nextSession++, user, from, lost };
    this.#sessions.set(session.id, session);
    return session;
  }

  knows(session: ServerSession): boolean {
    return this.#sessions.get(session.id) === session;
  }

  logout(session: ServerSession): void {
    if (this.knows(session)) this.#sessions.delete(session.id);
  }

  kill(id: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    this.#sessions.delete(id);
    session.lost();
    return true;
  }

  /** A statement has arrived; `reply` is called when it is done, or never. */
  execute(session: ServerSession, sql: string, reply: (answer: Answer) => void): void {
    this.#whenAwake(() => {
      if (this.knows(session)) this.#parts.answer(this, session, sql, reply);
    });
  }

  /** A client's commit. */
  commit(session: ServerSession, key: string, reply: (answer: Answer) => void): void {
    this.#whenAwake(() => {
      if (!this.knows(session)) return;
      if (this.closing) this.#blocked.push({ session, run: () => this.commit(session, key, reply) });
      else if (this.readOnly) reply(err(READ_ONLY));
      else this.#write(session, key, reply);
    });
  }

  #write(session: ServerSession, key: string, reply: (answer: Answer) => void): void {
    const entry = { server: this.id, sequence: this.log.nextSequence, key, epoch: this.epoch };
    this.apply(entry);
    if (!this.semiSync) {
      reply(ok([]));
      return;
    }
    this.#waiting.push({ entry, behind: this.log.length, session, reply });
    this.#release();
  }

  /** It is in the binary log, and whoever follows gets it. */
  apply(entry: Transaction): void {
    // A writer had executed everything older before it was opened.
    if (!this.readOnly && entry.epoch < this.epoch) this.onStale(entry);
    this.log.add(entry);
    for (const follower of this.#ackers.keys()) follower.receiver.pump();
  }

  joins(follower: ReplicationServer): void {
    this.#ackers.set(follower, 0);
  }

  leaves(follower: ReplicationServer): void {
    this.#ackers.delete(follower);
  }

  acknowledged(follower: ReplicationServer, upTo: number): void {
    if (!this.up || !this.#ackers.has(follower)) return;
    this.#ackers.set(follower, upTo);
    this.#whenAwake(() => this.#release());
  }

  setSemiSync(on: boolean): void {
    this.semiSync = on;
    this.#release();
  }

  /** Runs at once, or when no commit waits for an acknowledgement any more. */
  whenNobodyWaits(run: () => void): void {
    if (this.#waiting.length === 0) run();
    else this.#blocked.push({ session: null, run });
  }

  /** As CLONE or mariadb-backup leaves it: the other's data, following it. */
  restoreFrom(other: ModelServer): void {
    this.log.copy(other.log);
    const last = other.log.at(other.log.length - 1);
    this.receiver.restored(last ?? null);
  }

  #release(): void {
    const reached = Math.max(0, ...this.#ackers.values());
    const done = this.#waiting.filter(({ behind }) => !this.semiSync || behind <= reached);
    if (done.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => !done.includes(one));
    this.acknowledgedCommits += done.length;
    for (const { session, reply } of done) if (this.knows(session)) reply(ok([]));
    if (this.#waiting.length === 0) for (const { run } of this.#blocked.splice(0)) run();
  }

  #whenAwake(action: () => void): void {
    if (this.hung) this.#held.push(action);
    else if (this.up) action();
  }
}
