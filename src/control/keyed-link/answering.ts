/**
 * The end of a link that answers. Lets in whom the configuration names, and of those who cannot prove the key nobody. What one may ask is
 * bounded in size, number, rate and time, because a daemon that has gone mad must not take this one's time. It decides nothing: answers come from the
 * handlers.
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { z } from "zod";
import type { LinkKeys, PeerPlace } from "../../core/peer-link/config.ts";
import { ANSWER_BYTES_MAX, QUESTION_BYTES_MAX } from "../../core/peer-link/questions.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { HANDSHAKE_MILLIS, Hello, helloOf, type Myself, type Protocol, Question, whyForeign } from "./protocol.ts";
import { serverSecurity } from "./security.ts";

/** A question by its name: its form, and the answer to what has that form. */
export type Answers = Readonly<Record<string, Answerable>>;

export interface Answerable {
  readonly ask: z.ZodType;
  /** May take its time up to the limit, and may reject: who asks hears `failed` with the message. */
  readonly answer: (question: unknown) => unknown;
}

/** Of all addresses together. */
const SOCKETS_MAX = 512;
/** Of one address that have not proved the key yet: any program of the peer's host may connect from there. */
const HANDSHAKES_MAX = 16;
/** What one address may ask, and how often. */
export interface AskingBounds {
  readonly connections: number;
  /** Questions of one connection that wait for their answers. */
  readonly atOnce: number;
  /** A bucket of questions of one connection: so many at once, so many more a second. */
  readonly burst: number;
  readonly perSecond: number;
}
/** Who is there asks at least every minute (interval and renew are at most 60 s). */
const IDLE_MILLIS = 90_000;
const HANDLER_MILLIS = 5_000;

export interface AnsweringOptions {
  readonly protocol: Protocol;
  readonly myself: Myself;
  readonly answers: Answers;
  readonly bounds: AskingBounds;
  readonly listen: PeerPlace;
  /** The keys in force: a reload counts for the next connection. */
  readonly keys: () => Pick<LinkKeys, "keys">;
  /** Why that address may not ask; null: it may, if it proves the key. */
  readonly whyStranger: (address: string) => string | null;
  /** Somebody was turned away or cut off; the address is a configured one or a stranger's. */
  readonly onRefused: (address: string, detail: string) => void;
  /** It has proved the key and said hello. */
  readonly onAdmitted?: (address: string) => void;
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
      { ...serverSecurity(options.protocol.purpose, options.keys), handshakeTimeout: HANDSHAKE_MILLIS, noDelay: true },
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
    const { address: host, port } = options.listen;
    this.#server.listen({ host, port, exclusive: true }, options.onListening);
  }

  /** Lets nobody in any more; who is connected goes on. `gone`: the last of them has left, or nobody was there. */
  retire(gone: () => void): void {
    // Node calls back with an error where it never listened; then nobody is connected either.
    this.#server.close(() => gone());
  }

  close(): void {
    this.#server.close();
    for (const socket of [...this.#connections.keys(), ...this.#sockets.keys()]) socket.destroy();
  }

  #admit(socket: Socket): void {
    const address = plain(socket.remoteAddress);
    const why = this.#options.whyStranger(address) ?? this.#whyTooMany(address);
    if (why === null) {
      this.#sockets.set(socket, address);
      socket.on("close", () => this.#sockets.delete(socket));
      return;
    }
    this.#options.onRefused(address, why);
    socket.destroy();
  }

  #whyTooMany(address: string): string | null {
    if (countOf(this.#sockets, address) >= this.#options.bounds.connections + HANDSHAKES_MAX)
      return "it opens connections and does not prove the key";
    return this.#sockets.size < SOCKETS_MAX ? null : `${SOCKETS_MAX} connections are open already`;
  }

  #serve(socket: TLSSocket): void {
    const address = plain(socket.remoteAddress);
    socket.on("error", () => socket.destroy());
    const others = countOf(this.#connections, address);
    if (others >= this.#options.bounds.connections) {
      this.#options.onRefused(address, `it has ${others} connections already`);
      socket.destroy();
      return;
    }
    this.#connections.set(socket, address);
    socket.on("close", () => this.#connections.delete(socket));
    const { protocol, myself, answers, bounds, onRefused } = this.#options;
    const admitted = (): void => this.#options.onAdmitted?.(address);
    const conversation = new Conversation(socket, { protocol, answers, bounds, admitted }, (detail) => {
      onRefused(address, detail);
      socket.destroy();
    });
    socket.write(encodeFrame(helloOf(protocol, myself)));
    socket.on("data", (chunk: Buffer) => conversation.hear(chunk));
    socket.setTimeout(IDLE_MILLIS, () => socket.destroy());
  }
}

const countOf = (all: ReadonlyMap<unknown, string>, address: string): number =>
  [...all.values()].filter((one) => one === address).length;

type Spoken = Pick<AnsweringOptions, "protocol" | "answers" | "bounds"> & { readonly admitted: () => void };

/** One connection after its handshake. */
class Conversation {
  readonly #socket: TLSSocket;
  readonly #spoken: Spoken;
  readonly #turnAway: (detail: string) => void;
  readonly #frames = new FrameReader(QUESTION_BYTES_MAX);
  readonly #bucket: Bucket;
  #greeted = false;
  #open = 0;
  #over = false;

  constructor(socket: TLSSocket, spoken: Spoken, cutOff: (detail: string) => void) {
    this.#socket = socket;
    this.#spoken = spoken;
    this.#bucket = new Bucket(spoken.bounds);
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
    // Even refusals would pile up.
    if (this.#socket.writableLength > ANSWER_BYTES_MAX) {
      this.#turnAway("it does not read its answers");
      return;
    }
    const asked = Question.safeParse(frame);
    if (!asked.success) {
      this.#turnAway("it sent something that is no question");
      return;
    }
    const { id, ask, question } = asked.data;
    const { atOnce, perSecond } = this.#spoken.bounds;
    const known = Object.hasOwn(this.#spoken.answers, ask) ? this.#spoken.answers[ask] : undefined;
    if (known === undefined) this.#error(id, "unknown-question", `this daemon does not know the question ${ask}`);
    else if (!this.#bucket.take()) this.#error(id, "busy", `more than ${perSecond} questions a second`);
    else if (this.#open >= atOnce) this.#error(id, "busy", `${atOnce} questions are open already`);
    else void this.#answer(id, { kind: ask, known, question });
  }

  #greet(frame: unknown): void {
    const hello = Hello.safeParse(frame);
    if (!hello.success) {
      this.#turnAway("it did not begin with hello");
      return;
    }
    const foreign = whyForeign(this.#spoken.protocol, hello.data);
    if (foreign !== null) {
      this.#turnAway(foreign);
      return;
    }
    this.#greeted = true;
    this.#spoken.admitted();
  }

  async #answer(
    id: number,
    { kind, known, question }: { readonly kind: string; readonly known: Answerable; readonly question: unknown },
  ): Promise<void> {
    const parsed = known.ask.safeParse(question);
    if (!parsed.success) {
      this.#error(id, "failed", `the question ${kind} is not as this daemon knows it`);
      return;
    }
    this.#open += 1;
    try {
      const answer = await within(HANDLER_MILLIS, known.answer(parsed.data));
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
  readonly #bounds: AskingBounds;
  #tokens: number;
  #filledAt = performance.now();

  constructor(bounds: AskingBounds) {
    this.#bounds = bounds;
    this.#tokens = bounds.burst;
  }

  take(): boolean {
    const { burst, perSecond } = this.#bounds;
    const now = performance.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * perSecond);
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
