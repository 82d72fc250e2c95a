/**
 * What a server that is not the writer should do: stand closed, or follow the one writer there is. The only place that ever chooses
 * `REPLICAOF HOST`, and it never does towards a server that is not proved to have everything this one has, unless a copy is kept first.
 */
import { hasAllOf, historyInWords } from "./history.ts";
import { epochOf, isWriter, type Mark, type MemberFacts } from "./member.ts";
import { factsOfPeer, isOpen, type Peer } from "./peer.ts";
import { isParked } from "./verdict.ts";

export interface FollowFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  readonly mark: Mark | null;
  readonly onDivergence: "save" | "ask";
  /** Its data set was saved in this state already. */
  readonly saved: boolean;
}

export type FollowDecision =
  | { readonly kind: "fine" /** In step with a writer of this epoch; null: not now. */; readonly epoch: number | null }
  /** Closed without a master: what it has stays as it is. */
  | { readonly kind: "park"; readonly why: string }
  | { readonly kind: "follow"; readonly peer: string; readonly why: string }
  /** A copy of what it has, before it may follow. */
  | { readonly kind: "save"; readonly why: string }
  | { readonly kind: "trouble"; readonly detail: string };

const trouble = (detail: string): FollowDecision => ({ kind: "trouble", detail });

export function decideFollow(facts: FollowFacts): FollowDecision {
  const { own, peers } = facts;
  if (own.sentinel) return trouble("a Sentinel manages this server: nothing is changed here");
  if (own.cluster) return trouble("this server is part of a Redis Cluster: nothing is changed here");
  if (own.loading !== null) return { kind: "fine", epoch: null };
  const writers = peers.filter((peer) => takesWrites(peer));
  const [writer, ...others] = writers;
  if (others.length > 0) return trouble(`${writers.map(({ address }) => address).join(" and ")} both take writes`);
  return writer === undefined ? withoutWriter(facts) : withWriter(facts, writer);
}

const takesWrites = (peer: Peer): boolean => {
  const theirs = factsOfPeer(peer);
  return theirs !== null && theirs.loading === null && isOpen(theirs);
};

/**
 * A master that comes back empty wipes its replica within a second (redis.io, "Safety of replication when master has persistence turned
 * off"), and two servers that follow each other never end: without a writer nobody is followed.
 */
function withoutWriter({ own, peers }: FollowFacts): FollowDecision {
  const { source } = own;
  if (source === null || isParked(source.address)) return { kind: "fine", epoch: null };
  const peer = peers.find(({ address }) => address === source.address) ?? (peers.length === 1 ? peers[0] : undefined);
  if (peer === undefined) return { kind: "fine", epoch: null };
  if (peer.state.kind === "up") return { kind: "park", why: `${peer.address} is a replica itself` };
  if (source.up && peer.state.kind === "silent") return { kind: "fine", epoch: null };
  return source.syncing
    ? { kind: "fine", epoch: null }
    : { kind: "park", why: `${peer.address} is gone, and may come back with less than is here` };
}

function withWriter(facts: FollowFacts, writer: Peer): FollowDecision {
  const { own } = facts;
  const theirs = factsOfPeer(writer);
  if (theirs === null) return { kind: "fine", epoch: null };
  if (theirs.runId === own.runId) return trouble(`${writer.address} is this server itself: correct \`peer\``);
  if (own.source !== null && own.source.address === writer.address) {
    if (own.source.up && own.history.id === theirs.history.id) {
      return { kind: "fine", epoch: isWriter(theirs.mark) ? theirs.mark.epoch : null };
    }
    if (own.source.syncing) return { kind: "fine", epoch: null };
  }
  return attach(facts, writer, theirs);
}

function attach(facts: FollowFacts, writer: Peer, theirs: MemberFacts): FollowDecision {
  const { own, mark, onDivergence, saved } = facts;
  const follow = (why: string): FollowDecision =>
    own.source?.address === writer.address && own.source.everUp
      ? { kind: "fine", epoch: null }
      : { kind: "follow", peer: writer.address, why };
  if (own.keys === 0) return follow("this server is empty");
  if (hasAllOf(theirs.history, own.history) === true) return follow("it has everything that is here");
  if (theirs.keys === 0)
    return trouble(`${writer.address} is empty and takes writes; this server keeps its ${own.keys} keys`);
  const words = `${writer.address} may lack what is here (${historyInWords(own.history)}, there ${historyInWords(theirs.history)})`;
  if (!isWriter(theirs.mark)) return trouble(`${words}, and no daemon there says that it is the writer`);
  if (mark?.role === "replica" && mark.epoch === theirs.mark.epoch) {
    return follow("this server was only ever its replica in this epoch");
  }
  // Two that could not hear each other may have written down the same epoch: the one that takes writes goes on.
  if (theirs.mark.epoch < epochOf(mark) && isWriter(mark)) {
    return trouble(`${words}, and this host was the writer later`);
  }
  if (onDivergence === "ask") return trouble(`${words}: it is left alone (on_divergence ask)`);
  return saved ? follow("what is here was saved") : { kind: "save", why: words };
}

export function followInWords(
  decision: Extract<FollowDecision, { readonly kind: "park" | "follow" | "save" }>,
): string {
  switch (decision.kind) {
    case "park":
      return `stand closed: ${decision.why}`;
    case "follow":
      return `follow ${decision.peer}: ${decision.why}`;
    case "save":
      return `save a copy of the data set before following: ${decision.why}`;
  }
}
