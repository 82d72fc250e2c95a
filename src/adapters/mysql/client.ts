/**
 * Sessions with MySQL and MariaDB servers through mysql2, which is loaded with the first one. Ours are the socket, whose end is heard at
 * once, and the deadlines: mysql2's own leave a connection behind that may answer late. A session that missed a deadline is destroyed.
 */
import { connect, type Socket } from "node:net";
import type { Connection, ConnectionOptions, QueryError } from "mysql2";
import { tlsProblem } from "../../core/database/config.ts";
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { SqlRow } from "../../core/mysql/facts.ts";
import type { SqlFailure } from "../../core/mysql/failure.ts";
import type { SqlPort, SqlSession, SqlTarget } from "../../ports/sql.ts";
import { type Login, readLogin, readTls, type TlsMaterial } from "../credentials.ts";
import { type Candidate, LoginMemory, REFUSED } from "./logins.ts";

export function createSqlPort(): SqlPort {
  const memory = new LoginMemory();
  return { open: (target, onLost) => open(target, onLost, memory) };
}

/** Between two probes of an idle connection to a host that may vanish without a word. */
const KEEP_ALIVE_MILLIS = 1_000;

async function open(
  target: SqlTarget,
  onLost: (detail: string) => void,
  memory: LoginMemory,
): Promise<Result<SqlSession, SqlFailure>> {
  const opening = new Opening(target, onLost, memory);
  const timer = setTimeout(() => opening.giveUp(), target.connectTimeoutMillis);
  try {
    return await Promise.race([opening.run(), opening.givenUp]);
  } catch (error) {
    // The library, or loading it: whatever it is, this server cannot be asked.
    opening.giveUp();
    return err({ kind: "setup", detail: `the MySQL client failed: ${String(error)}` });
  } finally {
    clearTimeout(timer);
  }
}

/** Files, socket, TLS and login under one deadline. */
class Opening {
  readonly #target: SqlTarget;
  readonly #onLost: (detail: string) => void;
  readonly #memory: LoginMemory;
  #socket: Socket | null = null;
  #late = false;
  readonly givenUp: Promise<Result<never, SqlFailure>>;
  #resolve: (failure: Result<never, SqlFailure>) => void = () => undefined;

  constructor(target: SqlTarget, onLost: (detail: string) => void, memory: LoginMemory) {
    this.#target = target;
    this.#onLost = onLost;
    this.#memory = memory;
    this.givenUp = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  giveUp(afterMillis = this.#target.connectTimeoutMillis): void {
    this.#late = true;
    this.#socket?.destroy();
    this.#resolve(err({ kind: "timeout", phase: "connect", afterMillis }));
  }

  /** A whole turn of the loop later than due: after a stall of ours the answer may lie there unread. */
  #limitReach(socket: Socket): void {
    const { reachTimeoutMillis: limit } = this.#target;
    if (limit === undefined) return;
    const timer = setTimeout(() => {
      setTimeout(() => {
        if (socket.connecting) this.giveUp(limit);
      }, 1);
    }, limit);
    socket.once("connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
  }

  async run(): Promise<Result<SqlSession, SqlFailure>> {
    const { address, credentials, tls } = this.#target;
    const problem = tlsProblem(address, tls.mode);
    const login = problem === null ? await readLogin(credentials) : err(problem);
    if (!login.ok) return err({ kind: "setup", detail: login.error });
    const material = tls.mode === "off" ? ok({}) : await readTls(tls, login.value.options);
    if (!material.ok) return err({ kind: "setup", detail: material.error });
    const { default: mysql } = await import("mysql2");
    return await this.#tryAll(mysql, login.value, material.value);
  }

  /** Until one gets in; the answer to the first is what is wrong when none does. */
  async #tryAll(mysql: Mysql, login: Login, material: TlsMaterial): Promise<Result<SqlSession, SqlFailure>> {
    const { address, credentials, user, password } = this.#target;
    const place = `${credentials ?? ""} ${user ?? ""} ${address.socket ?? `${address.host} ${address.port}`}`;
    const given = { ...login, user: user ?? login.user, password: password ?? login.password };
    let first: Result<never, SqlFailure> | null = null;
    for (const candidate of this.#memory.candidates(place, given, credentials ?? "")) {
      if (this.#late) return this.givenUp;
      const opened = await this.#tryOne(mysql, candidate, material);
      if (opened.ok) {
        this.#memory.remember(place, candidate);
        return opened;
      }
      first ??= opened;
      if (opened.error.kind !== "server" || !REFUSED.has(opened.error.number)) return opened;
    }
    return first ?? this.givenUp;
  }

  #tryOne(mysql: Mysql, candidate: Candidate, material: TlsMaterial): Promise<Result<SqlSession, SqlFailure>> {
    const { address } = this.#target;
    const socket =
      address.socket === null ? connect({ host: address.host, port: address.port }) : connect({ path: address.socket });
    this.#socket = socket;
    this.#limitReach(socket);
    if (address.socket === null) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    }
    const connection = mysql.createConnection({ ...this.#options(candidate, material), stream: socket });
    return new Promise((resolve) => {
      const session = new Session(connection, socket, { onLost: this.#onLost, remark: candidate.remark });
      connection.once("connect", () => {
        if (this.#late) socket.destroy();
        else resolve(ok(session.use()));
      });
      session.onFailure((failure) => resolve(err(failure)));
    });
  }

  #options({ user, password }: Candidate, material: TlsMaterial): ConnectionOptions {
    const { address, tls } = this.#target;
    return {
      user,
      password,
      // For TLS and for the methods that send a password in clear over what is secure; the stream is ours.
      ...(address.socket === null ? { host: address.host, port: address.port } : { socketPath: address.socket }),
      ...(tls.mode === "off"
        ? {}
        : {
            ssl: {
              ...material,
              rejectUnauthorized: tls.mode !== "required",
              verifyIdentity: tls.mode === "verify-identity",
            },
          }),
      authPlugins: {
        client_ed25519: () => async (nonce) => {
          const { signWithPassword } = await import("./ed25519.ts");
          return signWithPassword(Buffer.from(password), nonce.subarray(0, 32));
        },
      },
      // Our own deadline ends a connection that takes too long.
      connectTimeout: 0,
      multipleStatements: false,
      typeCast: (field) => field.string("utf8"),
    };
  }
}

type Mysql = typeof import("mysql2");

interface SessionOptions {
  readonly onLost: (detail: string) => void;
  readonly remark: string | null;
}

class Session implements SqlSession {
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #onLost: (detail: string) => void;
  #fail: ((failure: SqlFailure) => void) | null = null;
  #inUse = false;
  #closed = false;

  readonly remark: string | null;

  constructor(connection: Connection, socket: Socket, { onLost, remark }: SessionOptions) {
    this.#connection = connection;
    this.#socket = socket;
    this.#onLost = onLost;
    this.remark = remark;
    connection.on("error", (error: QueryError) => this.#gone(failureOf(error)));
    socket.once("error", (error) => this.#gone(failureOf(error)));
    socket.once("end", () => this.#gone({ kind: "lost", detail: "closed by the server" }));
    socket.once("close", () => this.#gone({ kind: "lost", detail: "closed by the server" }));
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress?.replace(/^::ffff:/, "");
  }

  /** What ends it before it is in use, or during a statement. */
  onFailure(fail: ((failure: SqlFailure) => void) | null): void {
    this.#fail = fail;
  }

  use(): SqlSession {
    this.#inUse = true;
    this.#fail = null;
    return this;
  }

  query(sql: string, timeoutMillis: number): Promise<Result<readonly SqlRow[], SqlFailure>> {
    if (this.#closed) return Promise.resolve(err({ kind: "lost", detail: "closed" }));
    return new Promise((resolve) => {
      const settle = (result: Result<readonly SqlRow[], SqlFailure>): void => {
        clearTimeout(timer);
        this.#fail = null;
        resolve(result);
      };
      const timer = setTimeout(() => {
        this.close();
        settle(err({ kind: "timeout", phase: "query", afterMillis: timeoutMillis }));
      }, timeoutMillis);
      this.#fail = (failure) => settle(err(failure));
      this.#connection.query(sql, (error, rows) => {
        if (error !== null) settle(err(failureOf(error)));
        else settle(ok(Array.isArray(rows) ? (rows as unknown as readonly SqlRow[]) : []));
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#fail = null;
    this.#connection.destroy();
    this.#socket.destroy();
  }

  /** The first word counts: after an error packet mysql2 and the socket report the end as well. */
  #gone(failure: SqlFailure): void {
    if (this.#closed) return;
    const fail = this.#fail;
    this.close();
    fail?.(this.#inUse && failure.kind === "network" ? { kind: "lost", detail: failure.detail } : failure);
    if (this.#inUse) this.#onLost("detail" in failure ? failure.detail : failure.kind);
  }
}

/** Codes of mysql2 that mean the connection is gone without a word of the server. */
const LOST: ReadonlySet<string> = new Set(["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE", "ERR_STREAM_DESTROYED"]);
/** Certificates that OpenSSL does not accept, and what mysql2 says of TLS. */
const TLS_CODE = /^(HANDSHAKE_|ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

function failureOf(error: Error): SqlFailure {
  // `localhost` is two addresses, and each has failed.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  if (first instanceof Error) return failureOf(first);
  const { code, errno, syscall } = error as { code?: string; errno?: number; syscall?: string };
  const text = error.message;
  if (code !== undefined && LOST.has(code)) return { kind: "lost", detail: text };
  if (code !== undefined && TLS_CODE.test(code)) return { kind: "setup", detail: `TLS: ${text}` };
  if (code === "AUTH_SWITCH_PLUGIN_ERROR" || code === "MYSQL_CLEAR_PASSWORD_NOT_ENABLED") {
    const method = /unknown plugin (\S+?)\.?(?:\s|$)/.exec(text)?.[1] ?? "mysql_clear_password";
    return {
      kind: "setup",
      detail: `the account wants the login method ${method}, which is not supported; ${METHODS}`,
    };
  }
  if (syscall !== undefined && code !== undefined) return { kind: "network", code, detail: text };
  if (errno !== undefined && errno > 0) return { kind: "server", number: errno, detail: text };
  return { kind: "lost", detail: text };
}

const METHODS = "use caching_sha2_password, mysql_native_password, ed25519 or unix_socket";
