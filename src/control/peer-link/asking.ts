/** One peer of the peer link: asks for its state in every interval, and keeps the last answer for whoever wants to know without waiting. */
import type { Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import type { PeerLinkConfig, PeerPlace } from "../../core/peer-link/config.ts";
import type { PeerAnswer, PeerAsk, PeerFailure, PeerQuestionKind } from "../../core/peer-link/questions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerState } from "../../ports/peer-link.ts";
import { Connection } from "../keyed-link/connection.ts";
import type { Myself } from "../keyed-link/protocol.ts";
import { PEER_LINK } from "./protocol.ts";
import { QUESTIONS } from "./schemas.ts";

const RETRY_MILLIS = 2_000;

export interface AskingOptions {
  readonly myself: Myself;
  readonly config: PeerLinkConfig;
  readonly place: PeerPlace;
  readonly clock: Clock;
  /** The connection is there, or is not any more; not told again while nothing changes. */
  readonly onChange: (state: PeerState) => void;
}

export class Asking {
  readonly #options: AskingOptions;
  readonly #connection: Connection;
  #last: PeerState["last"] = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AskingOptions) {
    this.#options = options;
    const { myself, config, place, clock } = options;
    this.#connection = new Connection({
      protocol: PEER_LINK,
      myself,
      keys: config,
      place,
      from: config.listen.address,
      timeout: config.timeout,
      retryMillis: RETRY_MILLIS,
      clock,
      onChange: () => this.#changed(),
    });
  }

  state(): PeerState {
    const { condition, node } = this.#connection;
    return { place: this.#options.place, ...condition, node, last: this.#last };
  }

  ask<K extends PeerQuestionKind>(
    kind: K,
    question: PeerAsk<K>,
    timeoutMillis = toMillis(this.#options.config.timeout),
  ): Promise<Result<PeerAnswer<K>, PeerFailure>> {
    const how = { answer: QUESTIONS[kind].answer, millis: timeoutMillis };
    return this.#connection.ask(kind, question, how) as Promise<Result<PeerAnswer<K>, PeerFailure>>;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  #changed(): void {
    clearTimeout(this.#timer);
    const state = this.state();
    this.#options.onChange(state);
    if (state.connected) void this.#poll(state.since);
  }

  /** `since`: of the connection for which it polls. */
  async #poll(since: number | null): Promise<void> {
    const askedAt = this.#options.clock.now();
    const answer = await this.ask("state", {});
    const { connected, since: current } = this.#connection.condition;
    if (!connected || current !== since) return;
    if (answer.ok) this.#last = { answer: answer.value, askedAt };
    else if (answer.error.code === "timeout") {
      this.#connection.giveUp(answer.error.detail);
      return;
    }
    this.#timer = setTimeout(() => void this.#poll(since), toMillis(this.#options.config.interval));
  }
}
