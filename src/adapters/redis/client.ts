/**
 * Sessions with Redis and Valkey servers: plain RESP2 over a socket of our own. A library would queue commands, reconnect and ask INFO
 * before it lets anybody speak (docs/decisions/0070): here the end of the socket is heard at once, a server that loads its data may say so,
 * nothing is sent that an ACL would have to allow besides, and a session that missed a deadline is destroyed.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { tlsProblem } from "../../core/database/config.ts";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { type Command, failureOf, type RedisFailure, type Reply } from "../../core/redis/reply.ts";
import type { RedisPort, RedisSession, RedisTarget } from "../../ports/redis.ts";
import { readLogin, readTls, type TlsMaterial } from "../credentials.ts";
import { encodeCommand, ReplyReader } from "./resp.ts";

export function createRedisPort(): RedisPort {
  return {
    open,
    async login(path) {
      const login = await readLogin(path);
      if (!login.ok) return login;
      const { user, password } = login.value.options;
      return ok({ user: user ?? null, password: password ?? "" });
    },
  };
}

/** Between two probes of an idle connection to a host that may vanish without a word. */
const KEEP_ALIVE_MILLIS = 1_000;

interface Login {
  readonly auth: Command | null;
  readonly material: TlsMaterial;
}

async function open(
  target: RedisTarget,
  onLost: (detail: string) => void,
): Promise<Result<RedisSession, RedisFailure>> {
  const start = performance.now();
  const login = await readFiles(target);
  if (!login.ok) return err({ kind: "setup", detail: login.error });
  const left = Math.max(1, target.connectTimeoutMillis - (performance.now() - start));
  const session = new Session(connectSocket(target, login.value.material), onLost);
  const connected = await session.connected(left, target);
  if (!connected.ok) return connected;
  if (login.value.auth !== null) {
    const again = Math.max(1, target.connectTimeoutMillis - (performance.now() - start));
    const answer = await session.call([login.value.auth], again);
    const failure = answer.ok ? refusal(answer.value[0]) : asConnecting(answer.error, target);
    if (failure !== null) {
      session.close();
      return err(failure);
    }
  }
  session.use();
  return ok(session);
}

const refusal = (reply: Reply | undefined): RedisFailure | null =>
  reply?.kind === "error" ? failureOf(reply.error) : null;

/** AUTH is part of connecting. */
const asConnecting = (failure: RedisFailure, { connectTimeoutMillis }: RedisTarget): RedisFailure =>
  failure.kind === "timeout" ? { kind: "timeout", phase: "connect", afterMillis: connectTimeoutMillis } : failure;

async function readFiles(target: RedisTarget): Promise<Result<Login, string>> {
  const { address, credentials, tls } = target;
  const problem = tlsProblem(address, tls.mode);
  if (problem !== null) return err(problem);
  const login = credentials === null ? null : await readLogin(credentials);
  if (login?.ok === false) return login;
  const options = login?.value.options ?? {};
  const material = tls.mode === "off" ? ok({}) : await readTls(tls, options);
  if (!material.ok) return material;
  const password = options.password ?? "";
  const user = target.user ?? options.user ?? null;
  const words = user === null ? ["AUTH", password] : ["AUTH", user, password];
  return ok({ auth: password === "" && user === null ? null : words, material: material.value });
}

function connectSocket({ address, tls }: RedisTarget, material: TlsMaterial): Socket {
  const place = address.socket === null ? { host: address.host, port: address.port } : { path: address.socket };
  if (tls.mode === "off") return connect(place);
  return connectTls({
    ...place,
    ...material,
    rejectUnauthorized: tls.mode !== "required",
    ...(tls.mode === "verify-identity"
      ? { servername: address.host }
      : { checkServerIdentity: () => undefined, servername: "" }),
  });
}

class Session implements RedisSession {
  readonly #socket: Socket;
  readonly #onLost: (detail: string) => void;
  readonly #reader = new ReplyReader();
  #settle: ((result: Result<readonly Reply[], RedisFailure>) => void) | null = null;
  #wanted = 0;
  #replies: Reply[] = [];
  #inUse = false;
  #closed = false;

  constructor(socket: Socket, onLost: (detail: string) => void) {
    this.#socket = socket;
    this.#onLost = onLost;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    socket.on("data", (bytes: Buffer) => this.#heard(bytes));
    socket.once("error", (error) => this.#gone(failureOfSocket(error)));
    socket.once("end", () => this.#gone(CLOSED));
    socket.once("close", () => this.#gone(CLOSED));
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress?.replace(/^::ffff:/, "");
  }

  use(): void {
    this.#inUse = true;
  }

  /** Waits for the connection, with TLS where there is any. */
  connected(timeoutMillis: number, target: RedisTarget): Promise<Result<void, RedisFailure>> {
    const { reachTimeoutMillis, connectTimeoutMillis, tls } = target;
    return new Promise((resolve) => {
      const giveUp = (afterMillis: number): void => {
        this.close();
        finish(err({ kind: "timeout", phase: "connect", afterMillis }));
      };
      const timers = [setTimeout(() => giveUp(connectTimeoutMillis), timeoutMillis)];
      if (reachTimeoutMillis !== undefined) {
        const reach = (): void => {
          // A whole turn of the loop later than due: after a stall of ours the answer may lie there unread.
          setTimeout(() => this.#socket.connecting && giveUp(reachTimeoutMillis), 1);
        };
        timers.push(setTimeout(reach, reachTimeoutMillis));
      }
      const finish = (result: Result<void, RedisFailure>): void => {
        for (const timer of timers) clearTimeout(timer);
        this.#settle = null;
        resolve(result);
      };
      this.#settle = (result) => finish(result.ok ? ok(undefined) : result);
      this.#socket.once(tls.mode === "off" ? "connect" : "secureConnect", () => finish(ok(undefined)));
    });
  }

  call(commands: readonly Command[], timeoutMillis: number): Promise<Result<readonly Reply[], RedisFailure>> {
    if (this.#closed) return Promise.resolve(err({ kind: "lost", detail: "closed" }));
    // What was said unasked, before a server without a free connection hangs up.
    const unasked = refusal(this.#replies[0]);
    if (unasked !== null) {
      this.close();
      return Promise.resolve(err(unasked));
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.close();
        settle(err({ kind: "timeout", phase: "query", afterMillis: timeoutMillis }));
      }, timeoutMillis);
      const settle = (result: Result<readonly Reply[], RedisFailure>): void => {
        clearTimeout(timer);
        this.#settle = null;
        resolve(result);
      };
      this.#settle = settle;
      this.#wanted = commands.length;
      this.#socket.write(commands.map(encodeCommand).join(""));
    });
  }

  #heard(bytes: Buffer): void {
    const read = this.#reader.push(bytes);
    if (!read.ok) {
      this.#gone({ kind: "setup", detail: read.error });
      return;
    }
    this.#replies.push(...read.value);
    // A server that has no connection left says so before anything is asked, and hangs up.
    const [first] = this.#replies;
    if (this.#settle !== null && this.#wanted === 0 && first?.kind === "error") this.#gone(failureOf(first.error));
    else if (this.#settle !== null && this.#wanted > 0 && this.#replies.length >= this.#wanted) {
      const replies = this.#replies;
      this.#wanted = 0;
      this.#replies = [];
      this.#settle(ok(replies));
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** The first word counts: after an error the socket reports its end as well. */
  #gone(failure: RedisFailure): void {
    if (this.#closed) return;
    const settle = this.#settle;
    const [first] = this.#replies;
    const said = this.#wanted > 0 && first?.kind === "error" ? failureOf(first.error) : failure;
    this.close();
    settle?.(err(this.#inUse && said.kind === "network" ? { kind: "lost", detail: said.detail } : said));
    if (this.#inUse) this.#onLost("detail" in said ? said.detail : said.kind);
  }
}

const CLOSED: RedisFailure = { kind: "lost", detail: "closed by the server" };
const LOST: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_DESTROYED"]);
/** Certificates that OpenSSL does not accept, and whatever it says of the handshake. */
const TLS_CODE = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/;

function failureOfSocket(error: Error): RedisFailure {
  // `localhost` is two addresses, and each has failed.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  if (first instanceof Error) return failureOfSocket(first);
  const { code = "", syscall } = error as { code?: string; syscall?: string };
  if (LOST.has(code)) return { kind: "lost", detail: error.message };
  if (TLS_CODE.test(code)) return { kind: "setup", detail: `TLS: ${error.message}` };
  if (syscall !== undefined && code !== "") return { kind: "network", code, detail: error.message };
  return { kind: "lost", detail: error.message };
}
