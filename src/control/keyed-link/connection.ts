/**
 * The end of a link that asks: connects again and again, and gives up a connection that has not answered in time, because a frozen host closes
 * nothing. Told is what changes: connected, or not and why.
 */
import { connect, type TLSSocket } from "node:tls";
import type { z } from "zod";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { type Instant, type Micros, toMillis } from "../../core/lib/units.ts";
import type { LinkKeys, PeerPlace } from "../../core/peer-link/config.ts";
import { ANSWER_BYTES_MAX, type PeerFailure, type PeerFailureCode } from "../../core/peer-link/questions.ts";
import type { Clock } from "../../ports/clock.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { Hello, helloOf, type Myself, type Protocol, Reply, whyForeign } from "./protocol.ts";
import { clientSecurity } from "./security.ts";

const RETRY_FIRST_MILLIS = 250;
const OPEN_MAX = 256;
const FAILURE_CODES: ReadonlySet<string> = new Set<PeerFailureCode>(["unknown-question", "busy", "failed"]);

export interface ConnectionOptions {
  readonly protocol: Protocol;
  readonly myself: Myself;
  readonly keys: LinkKeys;
  readonly place: PeerPlace;
  /** Where its questions come from; null: the kernel chooses. */
  readonly from: string | null;
  /** How long connecting, or one answer, may take. */
  readonly timeout: Micros;
  /** The longest pause between two attempts, milliseconds. */
  readonly retryMillis: number;
  readonly clock: Clock;
  /** The connection is there, or is not any more; not told again while nothing changes. */
  readonly onChange: () => void;
}

export interface Condition {
  readonly connected: boolean;
  readonly since: Instant | null;
  /** Why it is not. */
  readonly detail: string | null;
}

interface Open {
  readonly kind: string;
  readonly answer: z.ZodType;
  readonly settle: (result: Result<unknown, PeerFailure>) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #open = new Map<number, Open>();
  #socket: TLSSocket | null = null;
  #condition: Condition = { connected: false, since: null, detail: null };
  #node: Myself | null = null;
  #nextId = 0;
  #retryMillis = RETRY_FIRST_MILLIS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#connect();
  }

  get condition(): Condition {
    return this.#condition;
  }

  /** What it has said of itself when it was last connected. */
  get node(): Myself | null {
    return this.#node;
  }

  /** `answer`: the form that the answer must have. */
  ask(
    kind: string,
    question: unknown,
    { answer, millis = toMillis(this.#options.timeout) }: { readonly answer: z.ZodType; readonly millis?: number },
  ): Promise<Result<unknown, PeerFailure>> {
    const socket = this.#socket;
    if (socket === null || !this.#condition.connected) {
      return Promise.resolve(err({ code: "not-connected", detail: this.#condition.detail ?? "not connected yet" }));
    }
    if (this.#open.size >= OPEN_MAX) {
      return Promise.resolve(err({ code: "busy", detail: `${OPEN_MAX} questions wait for their answers` }));
    }
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(id, err({ code: "timeout", detail: `no answer for ${Number((millis / 1_000).toFixed(2))} s` }));
      }, millis);
      this.#open.set(id, {
        kind,
        answer,
        settle: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
      });
      socket.write(encodeFrame({ id, ask: kind, question }));
    });
  }

  /** What it is connected to does not answer any more. */
  giveUp(detail: string): void {
    if (this.#socket !== null) this.#lose(this.#socket, detail);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#settleAll("the link was closed");
  }

  #connect(): void {
    const { protocol, myself, keys, place, from, timeout } = this.#options;
    const way = { host: place.address, port: place.port, ...(from === null ? {} : { localAddress: from }) };
    const socket = connect({ ...clientSecurity(protocol.purpose, keys), ...way });
    this.#socket = socket;
    const frames = new FrameReader(ANSWER_BYTES_MAX);
    socket.setNoDelay(true);
    const late = setTimeout(() => this.#lose(socket, "no answer while connecting"), toMillis(timeout));
    socket.on("secureConnect", () => socket.write(encodeFrame(helloOf(protocol, myself))));
    socket.on("data", (chunk: Buffer) => {
      const values = frames.push(chunk);
      if (!values.ok) this.#lose(socket, `it sent ${values.error}`);
      else for (const value of values.value) this.#hear(socket, value, late);
    });
    socket.on("error", (error) => this.#lose(socket, whyNot(error)));
    socket.on("close", () => {
      clearTimeout(late);
      this.#lose(socket, "the other side closed the connection; its log says why, if it had a reason");
    });
  }

  #hear(socket: TLSSocket, value: unknown, late: NodeJS.Timeout): void {
    if (socket !== this.#socket) return;
    if (this.#condition.connected) {
      this.#takeReply(socket, value);
      return;
    }
    const hello = Hello.safeParse(value);
    if (!hello.success) {
      this.#lose(socket, "it did not begin with hello");
      return;
    }
    const foreign = whyForeign(this.#options.protocol, hello.data);
    if (foreign !== null) {
      this.#lose(socket, foreign);
      return;
    }
    clearTimeout(late);
    const { host, version, boot } = hello.data.hello;
    this.#node = { host, version, boot };
    this.#retryMillis = RETRY_FIRST_MILLIS;
    this.#change({ connected: true, since: this.#options.clock.now(), detail: null });
  }

  #takeReply(socket: TLSSocket, value: unknown): void {
    const reply = Reply.safeParse(value);
    if (!reply.success) {
      this.#lose(socket, "it sent something that is no answer");
      return;
    }
    const open = this.#open.get(reply.data.id);
    // An answer that nobody waits for any more.
    if (open === undefined) return;
    if ("error" in reply.data) {
      const { code, detail } = reply.data.error;
      const known = FAILURE_CODES.has(code) ? (code as PeerFailureCode) : "failed";
      this.#settle(reply.data.id, err({ code: known, detail }));
      return;
    }
    const answer = open.answer.safeParse(reply.data.answer);
    const detail = `its answer to ${open.kind} is not as this daemon knows it`;
    this.#settle(reply.data.id, answer.success ? ok(answer.data) : err({ code: "failed", detail }));
  }

  #settle(id: number, result: Result<unknown, PeerFailure>): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.settle(result);
  }

  #settleAll(detail: string): void {
    for (const id of [...this.#open.keys()]) this.#settle(id, err({ code: "not-connected", detail }));
  }

  #lose(socket: TLSSocket, detail: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.destroy();
    clearTimeout(this.#timer);
    const { connected, since } = this.#condition;
    if (connected || since === null) this.#change({ connected: false, since: this.#options.clock.now(), detail });
    else this.#condition = { ...this.#condition, detail };
    this.#settleAll(detail);
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMillis);
    this.#retryMillis = Math.min(this.#retryMillis * 2, this.#options.retryMillis);
  }

  #change(condition: Condition): void {
    this.#condition = condition;
    if (!this.#closed) this.#options.onChange();
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there (ECONNREFUSED)",
  EHOSTUNREACH: "the host does not answer (EHOSTUNREACH)",
  ENETUNREACH: "there is no way there (ENETUNREACH)",
  EADDRNOTAVAIL: "the `listen` address is not on this host (EADDRNOTAVAIL)",
  ECONNRESET:
    "the other side closed the connection: it may not let this host in, or the key is another one (ECONNRESET)",
};

function whyNot(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "";
  if (code.startsWith("ERR_SSL")) return `TLS failed: its keys may not have this host's active key (${code})`;
  return WORDS[code] ?? (code === "" ? error.message : code);
}
