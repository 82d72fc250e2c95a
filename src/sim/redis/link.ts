/**
 * A replica's side of replication: connecting once a second, PSYNC, the full resync that throws away what was here, and a link that a cut
 * leaves standing until repl-timeout.
 */
import type { Wire } from "../pair/wire.ts";
import type { DataSet, Snapshot } from "./data.ts";

/** What a link needs of a server, its own or the one it follows. */
export interface ReplicationServer {
  readonly node: number;
  readonly wire: Wire;
  readonly up: boolean;
  readonly incarnation: number;
  readonly data: DataSet;
  /** False: a replica without a link itself. */
  readonly canServeReplicas: boolean;
  now(): number;
  after(micros: number, action: () => void): void;
  draw(low: number, high: number): number;
  newId(): string;
  /** Now, or when the process goes on. */
  whenAwake(action: () => void): void;
  attach(link: Link, connection: number, position: number | null): void;
  detach(link: Link): void;
  serves(link: Link): boolean;
  heardFrom(link: Link): void;
  pump(link: Link): void;
  replaceWith(snapshot: Snapshot, master: ReplicationServer): void;
  executed(keys: readonly string[]): void;
  /** Its link is up. */
  joined(): void;
}

/** repl-timeout. */
export const REPL_TIMEOUT = 60_000_000;
/** fork, repl-diskless-sync-delay and the transfer. */
const FORK_MIN = 100_000;
const FORK_MAX = 6_000_000;
const TRANSFER_MIN = 20_000;
const TRANSFER_MAX = 800_000;

export type LinkState = "connect" | "asking" | "syncing" | "up";

/** Of a server that follows somebody; another REPLICAOF makes a new one. */
export class Link {
  readonly #own: ReplicationServer;
  /** Null: nobody listens there. */
  readonly master: ReplicationServer | null;
  readonly address: string;
  state: LinkState = "connect";
  /** When it went down; null while it is up, or was never up. */
  downSince: number | null = null;
  lastHeard = 0;
  #ended = false;
  /** Of the connection that is open now. */
  #connection = 0;
  #inFlight = false;

  constructor(own: ReplicationServer, master: ReplicationServer | null, address: string) {
    this.#own = own;
    this.master = master;
    this.address = address;
  }

  /** The connection is given up by this side: another REPLICAOF, or the end of the process. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { master } = this;
    if (master !== null && this.state !== "connect") {
      this.#own.wire.send(this.#own.node, master.node, () => master.detach(this));
    }
  }

  /** The master's side has ended it. */
  lost(connection: number): void {
    if (this.#ended || connection !== this.#connection || this.state === "connect") return;
    this.#drop();
    // At once, then once a second.
    this.connect();
  }

  #drop(): void {
    if (this.state === "up") this.downSince = this.#own.now();
    this.state = "connect";
    this.#connection++;
    this.#inFlight = false;
  }

  /** Once a second. */
  cron(): void {
    if (this.#ended) return;
    if (this.state === "connect") this.connect();
    else if (this.#own.now() - this.lastHeard > REPL_TIMEOUT) {
      const { master } = this;
      if (master !== null) this.#own.wire.send(this.#own.node, master.node, () => master.detach(this));
      this.#drop();
    } else if (this.state === "up") this.#acknowledge();
  }

  #acknowledge(): void {
    const { master } = this;
    const connection = this.#connection;
    if (master === null) return;
    this.#own.wire.send(
      this.#own.node,
      master.node,
      () => master.heardFrom(this),
      () => this.#gone(connection),
    );
  }

  #gone(connection: number): boolean {
    return this.#ended || connection !== this.#connection;
  }

  connect(): void {
    const { master } = this;
    const { wire, node } = this.#own;
    // A connection that gets no answer is tried again: the kernel's pauses are no longer than that of the cron here.
    if (master === null || !master.up || !wire.connected(node, master.node)) return;
    this.state = "asking";
    this.lastHeard = this.#own.now();
    const connection = ++this.#connection;
    wire.send(
      node,
      master.node,
      () => master.whenAwake(() => this.#asked(connection)),
      () => this.#gone(connection),
    );
  }

  #hear(connection: number, action: () => void): void {
    const { master } = this;
    if (master === null) return;
    const incarnation = master.incarnation;
    this.#own.wire.send(
      master.node,
      this.#own.node,
      () => {
        this.#own.whenAwake(() => {
          if (this.#gone(connection)) return;
          this.lastHeard = this.#own.now();
          action();
        });
      },
      () => this.#gone(connection) || incarnation !== master.incarnation,
    );
  }

  /** PSYNC at the master. */
  #asked(connection: number): void {
    const { master } = this;
    if (master === null || this.#gone(connection)) return;
    if (!master.up) {
      this.#hear(connection, () => this.lost(connection));
      return;
    }
    if (!master.canServeReplicas) {
      // -NOMASTERLINK: it is a replica without a link itself.
      this.#hear(connection, () => this.#drop());
      return;
    }
    const { data } = this.#own;
    if (data.counted && master.data.canContinue(data.id, data.offset)) {
      const { id } = master.data;
      master.attach(this, connection, data.offset);
      this.#hear(connection, () => {
        data.continueAs(id);
        this.#isUp();
        master.pump(this);
      });
      return;
    }
    master.data.beginStream(master.newId());
    master.attach(this, connection, null);
    this.#hear(connection, () => {
      this.state = "syncing";
    });
    master.after(master.draw(FORK_MIN, FORK_MAX), () => this.#forked(connection));
  }

  #forked(connection: number): void {
    const { master } = this;
    if (master === null || this.#gone(connection) || !master.up || !master.serves(this)) return;
    const snapshot = master.data.snapshot();
    master.after(master.draw(TRANSFER_MIN, TRANSFER_MAX), () =>
      this.#hear(connection, () => this.#received(connection, snapshot)),
    );
  }

  #received(connection: number, snapshot: Snapshot): void {
    const { master } = this;
    if (master === null) return;
    this.#own.replaceWith(snapshot, master);
    this.#isUp();
    this.#own.wire.send(
      this.#own.node,
      master.node,
      () => master.attach(this, connection, snapshot.stream?.offset ?? 0),
      () => this.#gone(connection),
    );
  }

  #isUp(): void {
    this.state = "up";
    this.downSince = null;
    this.#own.joined();
  }

  /** The master sends what there is, one batch after the other as TCP does. */
  deliver(connection: number, position: number, moved: (position: number) => void): void {
    const { master } = this;
    if (master === null || this.#inFlight || this.state !== "up" || this.#gone(connection)) return;
    const changes = master.data.after(position);
    const end = changes.at(-1)?.end;
    if (end === undefined) return;
    this.#inFlight = true;
    this.#hear(connection, () => {
      this.#inFlight = false;
      for (const change of changes) this.#own.data.follow(change);
      this.#own.executed(changes.flatMap(({ key }) => (key === null ? [] : [key])));
      moved(end);
      this.deliver(connection, end, moved);
    });
  }

  get ownNode(): number {
    return this.#own.node;
  }
}
