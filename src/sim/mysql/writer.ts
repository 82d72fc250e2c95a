/**
 * An application that writes through the virtual address and keeps its connection: every packet goes to the host that the client's ARP cache
 * names at that moment. It remembers what was acknowledged; what was not answered may or may not be there.
 */
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import type { ModelServer, ServerSession } from "./server.ts";
import type { Wire } from "./wire.ts";

export interface Acknowledged {
  readonly key: string;
  readonly server: ModelServer;
  /** Of the server when it committed, see ModelServer.epoch. */
  readonly epoch: number;
  /** True time at which the server said so, microseconds. */
  readonly committedAt: number;
  /** Nobody else had it then, as far as the server knows. */
  readonly alone: boolean;
}

export interface WriterParts {
  readonly name: string;
  readonly world: World;
  readonly wire: Wire;
  readonly servers: readonly ModelServer[];
  readonly address: IpAddress;
  readonly prng: Prng;
  readonly acknowledged: (one: Acknowledged) => void;
}

/** Between two writes of one application, and how long it waits for an answer; microseconds. */
const PAUSE_MIN = 20_000;
const PAUSE_MAX = 400_000;
const TIMEOUT = 2_000_000;
const RETRY = 100_000;

interface Connection {
  readonly server: ModelServer;
  readonly session: ServerSession;
}

export class Writer {
  readonly #parts: WriterParts;
  #connection: Connection | null = null;
  #number = 0;
  /** Answers to an earlier attempt are late. */
  #attempt = 0;

  constructor(parts: WriterParts) {
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

  #packet(attempt: number, arrived: (server: ModelServer) => void): void {
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

  #answer(server: ModelServer, attempt: number, action: () => void): void {
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

  #write(attempt: number, { server, session }: Connection): void {
    const { world, name, acknowledged } = this.#parts;
    const key = `${name}-${++this.#number}`;
    this.#packet(attempt, (reached) => {
      // Another host, or a server that has forgotten this connection, answers with a reset.
      if (reached !== server || !server.knows(session)) return this.#answer(reached, attempt, () => this.#failed());
      server.commit(session, key, (answer) => {
        const one = { key, server, epoch: server.epoch, committedAt: world.now, alone: !server.semiSync };
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
