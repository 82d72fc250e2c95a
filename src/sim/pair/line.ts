/**
 * From one simulated daemon to database servers: connections over the wire, with the failures that the real clients report. Q is what is
 * asked, A the answer, C a connection as the server sees it.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";
import { nodeAddress } from "../configs.ts";
import type { Wire } from "./wire.ts";

export interface ServedServer<Q, A, C> {
  readonly node: number;
  readonly up: boolean;
  readonly hung: boolean;
  /** Another one after every start. */
  readonly incarnation: number;
  after(micros: number, action: () => void): void;
  login(user: "holdfast", from: number, lost: () => void): C;
  knows(connection: C): boolean;
  logout(connection: C): void;
  /** `reply` is called when it is done, or never. */
  execute(connection: C, question: Q, reply: (answer: A) => void): void;
}

export interface DaemonLine<S> {
  readonly node: number;
  readonly wire: Wire;
  readonly servers: readonly S[];
  /** By the host's clock and only while the daemon can act. */
  readonly later: (micros: number, action: () => void) => void;
  /** Does it now, or when the daemon is thawed; never when it is dead. */
  readonly act: (action: () => void) => void;
  readonly dead: () => boolean;
}

/** What both clients know. */
export type LineFailure =
  | { readonly kind: "network"; readonly code: string; readonly detail: string }
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "timeout"; readonly phase: "connect" | "query"; readonly afterMillis: number };

const REFUSED: LineFailure = { kind: "network", code: "ECONNREFUSED", detail: "connect ECONNREFUSED" };
const LOST: LineFailure = { kind: "lost", detail: "the connection was closed" };

export interface LineTarget {
  readonly address: { readonly host: string | null };
  readonly connectTimeoutMillis: number;
  readonly reachTimeoutMillis?: number;
}

type FailedAnswer = Result<never, LineFailure>;
type Opened<Q, A, C> = Result<LineSession<Q, A, C>, LineFailure>;

export class DaemonLines<Q, A, C, S extends ServedServer<Q, A, C>> {
  readonly #line: DaemonLine<S>;
  readonly #open = new Set<LineSession<Q, A, C>>();

  constructor(line: DaemonLine<S>) {
    this.#line = line;
  }

  open(target: LineTarget, onLost: (detail: string) => void): Promise<Opened<Q, A, C>> {
    const server = this.#serverAt(target.address.host);
    if (server === undefined) return Promise.resolve(err(REFUSED));
    return new Promise((resolve) => {
      new Opening<Q, A, C>(this.#line, server, target, onLost).begin((opened) => {
        if (opened.ok) this.#open.add(opened.value);
        resolve(opened);
      });
    });
  }

  #serverAt(host: string | null): S | undefined {
    const { servers, node: own } = this.#line;
    return servers.find(({ node }) => (host === "127.0.0.1" ? node === own : nodeAddress(node) === host));
  }

  /** The daemon is dead: its kernel ends what it had open. */
  closeAll(): void {
    for (const session of this.#open) session.close();
    this.#open.clear();
  }
}

type AnyLine<Q, A, C> = DaemonLine<ServedServer<Q, A, C>>;

/** SYN, greeting, login: three ways there and back. */
class Opening<Q, A, C> {
  readonly #line: AnyLine<Q, A, C>;
  readonly #server: ServedServer<Q, A, C>;
  readonly #target: LineTarget;
  readonly #onLost: (detail: string) => void;
  #resolve: ((opened: Opened<Q, A, C>) => void) | null = null;

  constructor(
    line: AnyLine<Q, A, C>,
    server: ServedServer<Q, A, C>,
    target: LineTarget,
    onLost: (detail: string) => void,
  ) {
    this.#line = line;
    this.#server = server;
    this.#target = target;
    this.#onLost = onLost;
  }

  begin(resolve: (opened: Opened<Q, A, C>) => void): void {
    this.#resolve = resolve;
    const { connectTimeoutMillis, reachTimeoutMillis } = this.#target;
    const limit = Math.min(connectTimeoutMillis, reachTimeoutMillis ?? connectTimeoutMillis);
    this.#line.later(limit * 1_000, () => {
      if (!this.#line.wire.connected(this.#line.node, this.#server.node)) this.#timeOut(limit);
    });
    this.#line.later(connectTimeoutMillis * 1_000, () => this.#timeOut(connectTimeoutMillis));
    this.#there(() => {
      if (!this.#server.up) this.#back(() => this.#end(err(REFUSED)));
      else this.#greeted();
    });
  }

  #greeted(): void {
    const { incarnation } = this.#server;
    const wait = (): void => {
      if (this.#resolve === null) return;
      if (!this.#server.up || this.#server.incarnation !== incarnation) {
        this.#back(() => this.#end(err(LOST)));
      } else if (this.#server.hung) this.#server.after(10_000, wait);
      else this.#back(() => this.#there(() => this.#loggedIn()));
    };
    wait();
  }

  #loggedIn(): void {
    if (!this.#server.up || this.#server.hung) {
      this.#back(() => this.#end(err(LOST)));
      return;
    }
    const session = new LineSession(this.#line, this.#server, this.#onLost);
    this.#back(() => {
      if (this.#resolve === null) session.close();
      this.#end(ok(session));
    });
  }

  #timeOut(afterMillis: number): void {
    this.#end(err({ kind: "timeout", phase: "connect", afterMillis }));
  }

  #end(opened: Opened<Q, A, C>): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.(opened);
  }

  #there(action: () => void): void {
    const { wire, node, dead } = this.#line;
    wire.send(node, this.#server.node, action, () => this.#resolve === null || dead());
  }

  #back(action: () => void): void {
    const { wire, node, act, dead } = this.#line;
    wire.send(this.#server.node, node, () => act(action), dead);
  }
}

export class LineSession<Q, A, C> {
  readonly localAddress: string;
  readonly #line: AnyLine<Q, A, C>;
  readonly #server: ServedServer<Q, A, C>;
  readonly #session: C;
  readonly #onLost: (detail: string) => void;
  #open = true;
  #pending: ((answer: A | FailedAnswer) => void) | null = null;

  constructor(line: AnyLine<Q, A, C>, server: ServedServer<Q, A, C>, onLost: (detail: string) => void) {
    this.#line = line;
    this.#server = server;
    this.#onLost = onLost;
    this.localAddress = nodeAddress(line.node);
    this.#session = server.login("holdfast", line.node, () => this.#back(() => this.#ended()));
  }

  ask(question: Q, timeoutMillis: number): Promise<A | FailedAnswer> {
    if (!this.#open) return Promise.resolve(err(LOST));
    return new Promise((resolve) => {
      const settle = (answer: A | FailedAnswer): void => {
        if (this.#pending !== settle) return;
        this.#pending = null;
        resolve(answer);
      };
      this.#pending = settle;
      this.#line.later(timeoutMillis * 1_000, () => {
        if (this.#pending !== settle) return;
        this.close();
        settle(err({ kind: "timeout", phase: "query", afterMillis: timeoutMillis }));
      });
      this.#there(() => {
        // Whoever has forgotten this connection answers with a reset.
        if (this.#server.knows(this.#session)) {
          this.#server.execute(this.#session, question, (answer) => this.#back(() => settle(answer)));
        } else this.#back(() => this.#ended());
      });
    });
  }

  /** What was sent is under way all the same. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#there(() => this.#server.logout(this.#session));
  }

  #ended(): void {
    if (!this.#open) return;
    this.#open = false;
    const pending = this.#pending;
    pending?.(err(LOST));
    this.#onLost("the connection was closed");
  }

  #there(action: () => void): void {
    this.#line.wire.send(this.#line.node, this.#server.node, action);
  }

  #back(action: () => void): void {
    this.#line.wire.send(this.#server.node, this.#line.node, () => this.#line.act(action), this.#line.dead);
  }
}
