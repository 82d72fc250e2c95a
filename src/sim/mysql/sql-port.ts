/** The SqlPort of one simulated daemon: sessions to the model servers over the wire, with the failures that the real client reports. */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { SqlFailure } from "../../core/mysql/failure.ts";
import type { SqlPort, SqlSession, SqlTarget } from "../../ports/sql.ts";
import { nodeAddress } from "../configs.ts";
import type { Answer, ModelServer, ServerSession } from "./server.ts";
import type { Wire } from "./wire.ts";

export interface DaemonLine {
  readonly node: number;
  readonly wire: Wire;
  readonly servers: readonly ModelServer[];
  /** By the host's clock and only while the daemon can act. */
  readonly later: (micros: number, action: () => void) => void;
  /** Does it now, or when the daemon is thawed; never when it is dead. */
  readonly act: (action: () => void) => void;
  readonly dead: () => boolean;
}

const REFUSED: SqlFailure = { kind: "network", code: "ECONNREFUSED", detail: "connect ECONNREFUSED" };
const LOST: SqlFailure = { kind: "lost", detail: "the connection was closed" };

export interface ModelSqlPort extends SqlPort {
  /** The daemon is dead: its kernel ends what it had open. */
  closeAll(): void;
}

export function createModelSqlPort(line: DaemonLine): ModelSqlPort {
  const open = new Set<ModelSession>();
  const serverAt = ({ host }: SqlTarget["address"]): ModelServer | undefined =>
    line.servers.find(({ node }) => (host === "127.0.0.1" ? node === line.node : nodeAddress(node) === host));
  return {
    open(target, onLost) {
      const server = serverAt(target.address);
      if (server === undefined) return Promise.resolve(err(REFUSED));
      return new Promise((resolve) => {
        new Opening(line, server, target, onLost).begin((opened) => {
          if (opened.ok) open.add(opened.value);
          resolve(opened);
        });
      });
    },
    closeAll() {
      for (const session of open) session.close();
      open.clear();
    },
  };
}

type Opened = Result<ModelSession, SqlFailure>;

/** SYN, greeting, login: three ways there and back. */
class Opening {
  readonly #line: DaemonLine;
  readonly #server: ModelServer;
  readonly #target: SqlTarget;
  readonly #onLost: (detail: string) => void;
  #resolve: ((opened: Opened) => void) | null = null;

  constructor(line: DaemonLine, server: ModelServer, target: SqlTarget, onLost: (detail: string) => void) {
    this.#line = line;
    this.#server = server;
    this.#target = target;
    this.#onLost = onLost;
  }

  begin(resolve: (opened: Opened) => void): void {
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
    if (!this.#server.serves) {
      this.#back(() => this.#end(err(LOST)));
      return;
    }
    const session = new ModelSession(this.#line, this.#server, this.#onLost);
    this.#back(() => {
      if (this.#resolve === null) session.close();
      this.#end(ok(session));
    });
  }

  #timeOut(afterMillis: number): void {
    this.#end(err({ kind: "timeout", phase: "connect", afterMillis }));
  }

  #end(opened: Opened): void {
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

class ModelSession implements SqlSession {
  readonly localAddress: string;
  readonly #line: DaemonLine;
  readonly #server: ModelServer;
  readonly #session: ServerSession;
  readonly #onLost: (detail: string) => void;
  #open = true;
  #pending: ((answer: Answer) => void) | null = null;

  constructor(line: DaemonLine, server: ModelServer, onLost: (detail: string) => void) {
    this.#line = line;
    this.#server = server;
    this.#onLost = onLost;
    this.localAddress = nodeAddress(line.node);
    this.#session = server.login("holdfast", line.node, () => this.#back(() => this.#ended()));
  }

  query(sql: string, timeoutMillis: number): Promise<Answer> {
    if (!this.#open) return Promise.resolve(err(LOST));
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
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
          this.#server.execute(this.#session, sql, (answer) => this.#back(() => settle(answer)));
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
