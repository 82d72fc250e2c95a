/** Questions to the daemons of the peers. */
import type { Result } from "../core/lib/result.ts";
import type { PeerPlace } from "../core/peer-link/config.ts";
import type { PeerAnswer, PeerAsk, PeerFailure, PeerQuestionKind } from "../core/peer-link/questions.ts";

export interface PeerState {
  readonly place: PeerPlace;
  readonly connected: boolean;
  /** CLOCK_MONOTONIC, microseconds: since when it is connected, or is not; null before the first attempt has ended. */
  readonly since: number | null;
  /** Why it is not; null while it is. */
  readonly detail: string | null;
  /** What it has said of itself when it was last connected. */
  readonly node: { readonly host: string; readonly version: string; readonly boot: string } | null;
  /** Its last answer to `state`, and when the question had been sent (CLOCK_MONOTONIC, microseconds). */
  readonly last: { readonly answer: PeerAnswer<"state">; readonly askedAt: number } | null;
}

export interface PeerLink {
  /** In the order of the configuration; none without `peer_link`. */
  peers(): readonly PeerState[];
  /** Never throws; at most `timeout` of the configuration passes unless another limit in milliseconds is given. */
  ask<K extends PeerQuestionKind>(
    peer: PeerPlace,
    kind: K,
    question: PeerAsk<K>,
    timeoutMillis?: number,
  ): Promise<Result<PeerAnswer<K>, PeerFailure>>;
}
