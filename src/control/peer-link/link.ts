/**
 * The peer link of one daemon: the end that answers, one end that asks for each peer, and the port that the rest of the daemon asks through.
 * A reload that changes `peer_link` makes all of it anew. Tells of connections that come and go, and of who was turned away.
 */
import type { PeerEventBody } from "../../core/events/peer-events.ts";
import { err, type Result } from "../../core/lib/result.ts";
import { type PeerLinkConfig, type PeerPlace, placeInWords } from "../../core/peer-link/config.ts";
import type { PeerAnswer, PeerAsk, PeerFailure, PeerQuestionKind } from "../../core/peer-link/questions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerLink, PeerState } from "../../ports/peer-link.ts";
import { Answering } from "../keyed-link/answering.ts";
import type { Myself } from "../keyed-link/protocol.ts";
import { Refusals } from "../keyed-link/refusals.ts";
import { Asking } from "./asking.ts";
import { answersOf, type PeerHandlers } from "./handlers.ts";
import { PEER_LINK } from "./protocol.ts";

export interface PeerLinkOptions {
  readonly myself: Myself;
  readonly handlers: PeerHandlers;
  readonly clock: Clock;
  readonly publish: (body: PeerEventBody) => void;
}

/** A `listen` address that is not there yet: an interface that comes up late. */
const LISTEN_RETRY_MILLIS = 2_000;

export class PeerLinkService implements PeerLink {
  readonly #options: PeerLinkOptions;
  #config: PeerLinkConfig | null = null;
  #answering: Answering | null = null;
  #asking: Asking[] = [];
  #retry: NodeJS.Timeout | undefined;
  #listenProblem: string | null = null;
  readonly #refusals = new Refusals();

  constructor(options: PeerLinkOptions) {
    this.#options = options;
  }

  configure(config: PeerLinkConfig | null): void {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return;
    this.close();
    this.#config = config;
    if (config === null) return;
    this.#listen(config);
    const { myself, clock } = this.#options;
    this.#asking = config.peers.map(
      (place) => new Asking({ myself, config, place, clock, onChange: (state) => this.#tell(state) }),
    );
  }

  peers(): readonly PeerState[] {
    return this.#asking.map((one) => one.state());
  }

  ask<K extends PeerQuestionKind>(
    peer: PeerPlace,
    kind: K,
    question: PeerAsk<K>,
    timeoutMillis?: number,
  ): Promise<Result<PeerAnswer<K>, PeerFailure>> {
    const name = placeInWords(peer);
    const asking = this.#asking.find((one) => placeInWords(one.state().place) === name);
    if (asking !== undefined) return asking.ask(kind, question, timeoutMillis);
    return Promise.resolve(err({ code: "not-connected", detail: `${name} is no peer of peer_link` }));
  }

  close(): void {
    clearTimeout(this.#retry);
    for (const one of this.#asking) one.close();
    this.#asking = [];
    this.#answering?.close();
    this.#answering = null;
    this.#config = null;
    this.#listenProblem = null;
  }

  #listen(config: PeerLinkConfig): void {
    const peer = placeInWords(config.listen);
    const tell = (action: "listening" | "not-listening", detail: string): void =>
      this.#options.publish({ kind: "peer-link", peer, action, host: null, version: null, detail });
    const { myself, handlers } = this.#options;
    const answering: Answering = new Answering({
      protocol: PEER_LINK,
      myself,
      answers: answersOf(handlers),
      bounds: { connections: 4, atOnce: 8, burst: 200, perSecond: 100 },
      listen: config.listen,
      keys: () => config,
      whyStranger: (address) =>
        config.peers.some((one) => one.address === address) ? null : "it is not a `peer` of peer_link",
      onRefused: (address, detail) => this.#refused(address, detail),
      onListening: () => {
        this.#listenProblem = null;
        tell("listening", "");
      },
      onError: (error) => {
        if (answering !== this.#answering) return;
        const detail = error.code ?? error.message;
        if (detail !== this.#listenProblem) tell("not-listening", detail);
        this.#listenProblem = detail;
        answering.close();
        this.#retry = setTimeout(() => this.#listen(config), LISTEN_RETRY_MILLIS);
      },
    });
    this.#answering = answering;
  }

  #tell({ place, connected, detail, node }: PeerState): void {
    this.#options.publish({
      kind: "peer-link",
      peer: placeInWords(place),
      action: connected ? "connected" : "lost",
      host: node?.host ?? null,
      version: node?.version ?? null,
      detail: detail ?? "",
    });
  }

  #refused(address: string, detail: string): void {
    if (!this.#refusals.isNew(address, detail)) return;
    this.#options.publish({ kind: "peer-link", peer: address, action: "refused", host: null, version: null, detail });
  }
}
