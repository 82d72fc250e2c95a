/**
 * The end of the peer link that asks one peer: connects again and again, asks for its state in every interval, and gives up a connection that has
 * not answered in time, because a frozen peer closes nothing. Told is what changes: connected, or not and why.
 */
import { connect, type TLSSocket } from "node:tls";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import { type PeerLinkConfig, type PeerPlace, placeInWords } from "../../core/peer-link/config.ts";
import {
  ANSWER_BYTES_MAX,
  type PeerAnswer,
  type PeerAsk,
  type PeerFailure,
  type PeerFailureCode,
  type PeerQuestionKind,
} from "../../core/peer-link/questions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerState } from "../../ports/peer-link.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { helloOf, type Myself, whyForeign } from "./protocol.ts";
import { Hello, QUESTIONS, Reply } from "./schemas.ts";
import { clientSecurity } from "./security.ts";

const RETRY_MILLIS = { first: 250, most: 2_000 } as const;
const OPEN_MAX = 64;
const FAILURE_CODES: ReadonlySet<string> = new Set<PeerFailureCode>(["unknown-question", "busy", "failed"]);

export interface AskingOptions {
  readonly myself: Myself;
  readonly config: PeerLinkConfig;
  readonly place: PeerPlace;
  readonly clock: Clock;
  /** The connection is there, or is not any more; not told again while nothing changes. */
  readonly onChange: (state: PeerState) => void;
}

interface Open {
  readonly kind: PeerQuestionKind;
  readonly settle: (result: Result<unknown, PeerFailure>) => void;
}

type Condition = Pick<PeerState, "connected" | "since" | "detail">;

export class Asking {
  readonly #options: AskingOptions;
  readonly #open = new Map<number, Open>();
  #socket: TLSSocket | null = null;
  #condition: Condition = { connected: false, since: null, detail: null };
  #node: PeerState["node"] = null;
  #last: PeerState["last"] = null;
  #nextId = 0;
  #retryMillis: number = RETRY_MILLIS.first;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#connect();
  }

  state(): PeerState {
    return { place: this.#options.place, ...this.#condition, node: this.#node, last: this.#last };
  }

  ask<K extends PeerQuestionKind>(
    kind: K,
    question: PeerAsk<K>,
    timeoutMillis = toMillis(this.#options.config.timeout),
  ): Promise<Result<PeerAnswer<K>, PeerFailure>> {
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
        this.#settle(id, err({ code: "timeout", detail: `no answer for ${timeoutMillis / 1_000} s` }));
      }, timeoutMillis);
      this.#open.set(id, {
        kind,
        settle: (result) => {
          clearTimeout(timer);
          resolve(result as Result<PeerAnswer<K>, PeerFailure>);
        },
      });
      socket.write(encodeFrame({ id, ask: kind, question }));
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#settleAll("the link was closed");
  }

  #connect(): void {
    const { config, place } = this.#options;
    const way = { host: place.address, port: place.port, localAddress: config.listen.address };
    const socket = connect({ ...clientSecurity(config), ...way });
    this.#socket = socket;
    const frames = new FrameReader(ANSWER_BYTES_MAX);
    socket.setNoDelay(true);
    const late = setTimeout(() => this.#lose(socket, "no answer while connecting"), toMillis(config.timeout));
    socket.on("secureConnect", () => socket.write(encodeFrame(helloOf(this.#options.myself))));
    socket.on("data", (chunk: Buffer) => {
      const values = frames.push(chunk);
      if (!values.ok) this.#lose(socket, `it sent ${values.error}`);
      else for (const value of values.value) this.#hear(socket, value, late);
    });
    socket.on("error", (error) => this.#lose(socket, whyNot(error)));
    socket.on("close", () => {
      clearTimeout(late);
      this.#lose(socket, "the peer closed the connection; its log says why, if it had a reason");
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
    const foreign = whyForeign(hello.data);
    if (foreign !== null) {
      this.#lose(socket, foreign);
      return;
    }
    clearTimeout(late);
    const { host, version, boot } = hello.data.hello;
    this.#node = { host, version, boot };
    this.#retryMillis = RETRY_MILLIS.first;
    this.#change({ connected: true, since: this.#options.clock.now(), detail: null });
    void this.#poll(socket);
  }

  /** In every interval; the answer is kept for whoever wants to know without waiting. */
  async #poll(socket: TLSSocket): Promise<void> {
    if (this.#closed || socket !== this.#socket) return;
    const askedAt = this.#options.clock.now();
    const answer = await this.ask("state", {});
    if (this.#closed || socket !== this.#socket) return;
    if (answer.ok) this.#last = { answer: answer.value, askedAt };
    else if (answer.error.code === "timeout") {
      this.#lose(socket, answer.error.detail);
      return;
    }
    this.#timer = setTimeout(() => void this.#poll(socket), toMillis(this.#options.config.interval));
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
    const answer = QUESTIONS[open.kind].answer.safeParse(reply.data.answer);
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
    this.#retryMillis = Math.min(this.#retryMillis * 2, RETRY_MILLIS.most);
  }

  #change(condition: Condition): void {
    this.#condition = condition;
    if (!this.#closed) this.#options.onChange(this.state());
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there (ECONNREFUSED)",
  EHOSTUNREACH: "the host does not answer (EHOSTUNREACH)",
  ENETUNREACH: "there is no way there (ENETUNREACH)",
  EADDRNOTAVAIL: "the `listen` address is not on this host (EADDRNOTAVAIL)",
  ECONNRESET: "the peer closed the connection: this host may not be its `peer`, or the key is another one (ECONNRESET)",
};

function whyNot(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "";
  if (code.startsWith("ERR_SSL")) return `TLS failed: the key of the two hosts may not be the same (${code})`;
  return WORDS[code] ?? (code === "" ? error.message : code);
}

export const describePeer = ({ place, node }: Pick<PeerState, "place" | "node">): string =>
  node === null ? placeInWords(place) : `${placeInWords(place)} (${node.host}, holdfast ${node.version})`;
