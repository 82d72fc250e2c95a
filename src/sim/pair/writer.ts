/**
 * An application that writes through the virtual address and keeps its connection: every packet goes to the host that the client's ARP cache
 * names at that moment. It remembers what was acknowledged; what was not answered may or may not be there.
 */
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import type { Wire } from "./wire.ts";

/** What an application needs of a server; C is a connection as the server sees it. */
export interface WritableServer<C> {
  readonly node: number;
  readonly up: boolean;
  readonly hung: boolean;
  /** Counts the openings of all servers: which of them this one's last is. */
  readonly epoch: number;
  /** What it acknowledges now nobody else need have. */
  readonly alone: boolean;
  login(user: "app", from: number, lost: () => void): C;
  knows(connection: C): boolean;
  /** `reply` is called when the write is done, or refused, or never. */
  commit(connection: C, key: string, reply: (answer: { readonly ok: boolean }) => void): void;
}

export interface Acknowledged<S> {
  readonly key: string;
  readonly server: S;
  /** Of the server when it committed. */
  readonly epoch: number;
  /** True time at which the server said so, microseconds. */
  readonly committedAt: number;
  /** Nobody else had it then, as far as the server knows. */
  readonly alone: boolean;
}

export interface WriterParts<C, S extends WritableServer<C>> {
  readonly name: string;
  readonly world: World;
  readonly wire: Wire;
  readonly servers: readonly S[];
  readonly address: IpAddress;
  readonly prng: Prng;
  readonly acknowledged: (one: Acknowledged<S>) => void;
}

/** Between two writes of one application, and how long it waits for an answer; microseconds. */
const PAUSE_MIN = 20_000;
const PAUSE_MAX = 400_000;
const TIMEOUT = 2_000_000;
const RETRY = 100_000;

interface Connection<C, S> {
  readonly server: S;
  readonly session: C;
}

export class Writer<C, S extends WritableServer<C>> {
  readonly #parts: WriterParts<C, S>;
  #connection: Connection<C, S> | null = null;
  #number = 0;
  /** Answers to an earlier attempt are late. */
  #attempt = 0;

  constructor(parts: WriterParts<C, S>) {
    this.#parts = parts;
    this.#pause();
  }

  #pause(): void {
    const { world, prng } = this.#parts;
    world.after(prng.logBetween(PAUSE_MIN, PAUSE_MAX), () => this.#begin());
  }

  #begin(): void {
    const attempt = ++this.#attempt;
    this.#parts.world.after(TIMEOUT, () => {
      if (attempt === this.#attempt) this.#failed();
    });
    if (this.#connection === null) this.#connect(attempt);
    else this.#write(attempt, this.#connection);
  }

  /** The connection is worthless; another attempt with another key. */
  #failed(): void {
    this.#connection = null;
    this.#attempt++;
    this.#parts.world.after(RETRY, () => this.#begin());
  }

  #packet(attempt: number, arrived: (server: S) => void): void {
    const { world, wire, servers, address } = this.#parts;
    const owner = world.client.owner(address);
    const server = servers.find(({ node }) => node === owner);
    if (server === undefined) return;
    wire.send(
      world.clientEndpoint,
      server.node,
      () => {
        if (world.host(server.node).answers(address)) arrived(server);
      },
      () => attempt !== this.#attempt,
    );
  }

  #answer(server: S, attempt: number, action: () => void): void {
    const { world, wire } = this.#parts;
    wire.send(server.node, world.clientEndpoint, () => {
      if (attempt === this.#attempt) action();
    });
  }

  #connect(attempt: number): void {
    this.#packet(attempt, (server) => {
      if (!server.up) return this.#answer(server, attempt, () => this.#failed());
      if (server.hung) return;
      const session = server.login("app", this.#parts.world.clientEndpoint, () => undefined);
      this.#answer(server, attempt, () => {
        this.#connection = { server, session };
        this.#write(attempt, this.#connection);
      });
    });
  }

  #write(attempt: number, { server, session }: Connection<C, S>): void {
    const { world, name, acknowledged } = this.#parts;
    const key = `${name}-${++this.#number}`;
    this.#packet(attempt, (reached) => {
      // Another host, or a server that has forgotten this connection, answers with a reset.
      if (reached !== server || !server.knows(session)) return this.#answer(reached, attempt, () => this.#failed());
      server.commit(session, key, (answer) => {
        const one = { key, server, epoch: server.epoch, committedAt: world.now, alone: server.alone };
        this.#answer(server, attempt, () => {
          if (!answer.ok) return this.#failed();
          acknowledged(one);
          this.#attempt++;
          this.#pause();
        });
      });
    });
  }
}
