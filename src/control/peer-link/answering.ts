/**
 * The end of the peer link that answers. Lets in the configured addresses only, and of those who cannot prove the key nobody. What a peer may ask is
 * bounded in size, number, rate and time, because a peer that has gone mad must not take this daemon's time. It decides nothing: answers come from the
 * handlers.
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { PeerLinkConfig } from "../../core/peer-link/config.ts";
import {
  ANSWER_BYTES_MAX,
  type PeerAnswer,
  type PeerAsk,
  type PeerQuestionKind,
  QUESTION_BYTES_MAX,
} from "../../core/peer-link/questions.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { HANDSHAKE_MILLIS, helloOf, type Myself, whyForeign } from "./protocol.ts";
import { Hello, isQuestionKind, QUESTIONS, Question } from "./schemas.ts";
import { serverSecurity } from "./security.ts";

/** May take its time up to the limit, and may reject: the peer hears `failed` with the message. */
export type PeerHandlers = {
  readonly [K in PeerQuestionKind]: (question: PeerAsk<K>) => Promise<PeerAnswer<K>> | PeerAnswer<K>;
};

const CONNECTIONS_MAX = 4;
/** Of one address that have not proved the key yet: any program of the peer's host may connect from there. */
const HANDSHAKES_MAX = 16;
const AT_ONCE_MAX = 8;
/** A bucket of questions: so many at once, so many more a second. */
const BURST = 200;
const PER_SECOND = 100;
/** A peer asks at least every minute (interval is at most 60 s). */
const IDLE_MILLIS = 90_000;
const HANDLER_MILLIS = 5_000;

export interface AnsweringOptions {
  readonly myself: Myself;
  readonly handlers: PeerHandlers;
  /** The configuration in force: a reload of keys and peers counts for the next connection. */
  readonly config: () => PeerLinkConfig;
  /** Somebody was turned away or cut off; the address is a configured peer's or a stranger's. */
  readonly onRefused: (address: string, detail: string) => void;
  readonly onError: (error: NodeJS.ErrnoException) => void;
  readonly onListening: () => void;
}

export class Answering {
  readonly #options: AnsweringOptions;
  readonly #server: Server;
  readonly #connections = new Map<TLSSocket, string>();
  /** Sockets under all connections, those still in their handshake too. */
  readonly #sockets = new Map<Socket, string>();

  constructor(options: AnsweringOptions) {
    this.#options = options;
    this.#server = createServer(
      { ...serverSecurity(options.config), handshakeTimeout: HANDSHAKE_MILLIS, noDelay: true },
      (socket) => this.#serve(socket),
    );
    // Before TLS costs anything.
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("tlsClientError", (error, socket) => {
      const address = plain(socket.remoteAddress);
      // Turned away above, or gone by itself before it said anything.
      if (address === "" || /ECONNRESET|socket hang up/.test(String(error.message))) return;
      options.onRefused(address, `TLS failed, its key may be another one (${reasonOf(error)})`);
    });
    this.#server.on("error", options.onError);
    const { address: host, port } = options.config().listen;
    this.#server.listen({ host, port, exclusive: true }, options.onListening);
  }

  close(): void {
    this.#server.close();
    for (const socket of [...this.#connections.keys(), ...this.#sockets.keys()]) socket.destroy();
  }

  #admit(socket: Socket): void {
    const address = plain(socket.remoteAddress);
    const { peers } = this.#options.config();
    const isPeer = peers.some((peer) => peer.address === address);
    if (isPeer && countOf(this.#sockets, address) < CONNECTIONS_MAX + HANDSHAKES_MAX) {
      this.#sockets.set(socket, address);
      socket.on("close", () => this.#sockets.delete(socket));
      return;
    }
    const detail = isPeer ? "it opens connections and does not prove the key" : "it is not a `peer` of peer_link";
    this.#options.onRefused(address, detail);
    socket.destroy();
  }

  #serve(socket: TLSSocket): void {
    const address = plain(socket.remoteAddress);
    socket.on("error", () => socket.destroy());
    const others = countOf(this.#connections, address);
    if (others >= CONNECTIONS_MAX) {
      this.#options.onRefused(address, `it has ${others} connections already`);
      socket.destroy();
      return;
    }
    this.#connections.set(socket, address);
    socket.on("close", () => this.#connections.delete(socket));
    const conversation = new Conversation(socket, this.#options.handlers, (detail) => {
      this.#options.onRefused(address, detail);
      socket.destroy();
    });
    socket.write(encodeFrame(helloOf(this.#options.myself)));
    socket.on("data", (chunk: Buffer) => conversation.hear(chunk));
    socket.setTimeout(IDLE_MILLIS, () => socket.destroy());
  }
}

const countOf = (all: ReadonlyMap<unknown, string>, address: string): number =>
  [...all.values()].filter((one) => one === address).length;

/** One connection after its handshake. */
class Conversation {
  readonly #socket: TLSSocket;
  readonly #handlers: PeerHandlers;
  readonly #turnAway: (detail: string) => void;
  readonly #frames = new FrameReader(QUESTION_BYTES_MAX);
  readonly #bucket = new Bucket();
  #greeted = false;
  #open = 0;
  #over = false;

  constructor(socket: TLSSocket, handlers: PeerHandlers, cutOff: (detail: string) => void) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#turnAway = (detail) => {
      if (!this.#over) cutOff(detail);
      this.#over = true;
    };
    const late = setTimeout(() => {
      if (!this.#greeted) this.#turnAway("it said nothing after the handshake");
    }, HANDSHAKE_MILLIS);
    late.unref();
    socket.on("close", () => clearTimeout(late));
  }

  hear(chunk: Buffer): void {
    if (this.#over) return;
    const frames = this.#frames.push(chunk);
    if (!frames.ok) {
      this.#turnAway(`it sent ${frames.error}`);
      return;
    }
    for (const frame of frames.value) {
      if (!this.#over) this.#take(frame);
    }
  }

  #take(frame: unknown): void {
    if (!this.#greeted) {
      this.#greet(frame);
      return;
    }
    const asked = Question.safeParse(frame);
    if (!asked.success) {
      this.#turnAway("it sent something that is no question");
      return;
    }
    const { id, ask, question } = asked.data;
    if (!isQuestionKind(ask)) this.#error(id, "unknown-question", `this daemon does not know the question ${ask}`);
    else if (!this.#bucket.take()) this.#error(id, "busy", `more than ${PER_SECOND} questions a second`);
    else if (this.#open >= AT_ONCE_MAX) this.#error(id, "busy", `${AT_ONCE_MAX} questions are open already`);
    else if (this.#socket.writableLength > ANSWER_BYTES_MAX) this.#error(id, "busy", "earlier answers are not read");
    else void this.#answer(id, ask, question);
  }

  #greet(frame: unknown): void {
    const hello = Hello.safeParse(frame);
    if (!hello.success) {
      this.#turnAway("it did not begin with hello");
      return;
    }
    const foreign = whyForeign(hello.data);
    if (foreign !== null) this.#turnAway(foreign);
    else this.#greeted = true;
  }

  async #answer(id: number, kind: PeerQuestionKind, question: unknown): Promise<void> {
    const parsed = QUESTIONS[kind].ask.safeParse(question);
    if (!parsed.success) {
      this.#error(id, "failed", `the question ${kind} is not as this daemon knows it`);
      return;
    }
    this.#open += 1;
    try {
      const handler = this.#handlers[kind] as (question: unknown) => unknown;
      const answer = await within(HANDLER_MILLIS, handler(parsed.data));
      const frame = encodeFrame({ id, answer });
      if (frame.length > ANSWER_BYTES_MAX) this.#error(id, "failed", `the answer has ${frame.length} bytes`);
      else this.#write(frame);
    } catch (error) {
      this.#error(id, "failed", reasonOf(error));
    } finally {
      this.#open -= 1;
    }
  }

  #error(id: number, code: string, detail: string): void {
    this.#write(encodeFrame({ id, error: { code, detail: detail.slice(0, 2_000) } }));
  }

  #write(frame: Buffer): void {
    if (!this.#over && !this.#socket.destroyed) this.#socket.write(frame);
  }
}

class Bucket {
  #tokens = BURST;
  #filledAt = performance.now();

  take(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) / 1_000) * PER_SECOND);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

function within<T>(millis: number, work: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${millis / 1_000} s`)), millis);
  });
  return Promise.race([Promise.resolve(work), late]).finally(() => clearTimeout(timer));
}

/** An IPv4 peer on a socket for both families. */
const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");

const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
