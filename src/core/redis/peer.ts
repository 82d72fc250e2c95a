/** What another server of the group is, seen from here. */
import type { MemberFacts } from "./member.ts";

export type PeerState =
  | { readonly kind: "up"; readonly facts: MemberFacts }
  /** Its host says that nobody listens, or it loads its data: it takes no writes now. */
  | { readonly kind: "down"; readonly detail: string }
  /** No answer: it may be dead, or alive behind a cut. */
  | { readonly kind: "silent"; readonly detail: string }
  /** It answers and does not let us in: alive, and nobody knows whether it takes writes. */
  | { readonly kind: "unusable"; readonly detail: string };

export interface Peer {
  /** HOST:PORT as written in the file. */
  readonly address: string;
  readonly state: PeerState;
}

export const factsOfPeer = ({ state }: Peer): MemberFacts | null => (state.kind === "up" ? state.facts : null);

/** It takes writes of whoever connects. */
export const isOpen = (facts: Pick<MemberFacts, "source" | "readOnly">): boolean =>
  facts.source === null || !facts.readOnly;

/** It follows that peer, as far as the address in INFO says, and is in step. */
export const follows = (own: MemberFacts, peer: Peer): boolean =>
  own.source?.up === true &&
  !own.source.syncing &&
  (own.source.address === peer.address || own.history.id === factsOfPeer(peer)?.history.id);
