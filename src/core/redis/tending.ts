/**
 * What a server that takes writes needs afterwards: min-replicas-to-write while somebody acknowledges, no second writer beside it, and
 * replicas that follow it.
 */
import type { Policy } from "../database/config.ts";
import { hasAllOf } from "./history.ts";
import { epochOf, type Mark, type MemberFacts, wasWriter } from "./member.ts";
import { factsOfPeer, isOpen, type Peer } from "./peer.ts";

export interface TendingFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  readonly replicas: readonly Peer[];
  readonly policy: Policy;
  readonly mark: Mark | null;
  /** Seconds. */
  readonly maxLag: number;
  /** Asked only when nobody acknowledges; null: there is none, or it was not asked. */
  readonly gateway: "reachable" | "unreachable" | null;
  readonly aloneMillis: number;
  /** The address moves with the writer: a replica that follows it needs nothing. */
  readonly virtualHosts: readonly string[];
}

export type Tending =
  | { readonly kind: "min-replicas"; readonly wanted: number }
  | { readonly kind: "close-peer"; readonly peer: string }
  | { readonly kind: "repoint"; readonly replica: string };

/** A writer without a replica goes on alone after this; milliseconds. */
export const ALONE_MILLIS = 3_000;

/** `but`: peers, as they are written in the file, that do not count. */
export const hasGoodReplica = ({ replicas }: MemberFacts, maxLag: number, but: readonly Peer[] = []): boolean =>
  replicas.some(
    ({ online, lag, address }) => online && lag >= 0 && lag <= maxLag && !but.some((peer) => peer.address === address),
  );

/**
 * What the writer writes down of itself. Paired: a peer has what it has, but for what is under way. It stays so while the two do not see each other,
 * as long as min-replicas-to-write refuses writes that no peer gets; a replica that is none of the peers lets them through.
 */
export function writerRole({
  own,
  peers,
  mark,
  maxLag,
}: Pick<TendingFacts, "own" | "peers" | "mark" | "maxLag">): "paired" | "writer" {
  const inStep = peers.some((peer) => {
    const theirs = factsOfPeer(peer);
    return theirs?.source?.up === true && theirs.history.id === own.history.id;
  });
  if (inStep) return "paired";
  const mayWriteAlone = (own.minReplicas ?? 0) === 0 || hasGoodReplica(own, maxLag, peers);
  return mark?.role === "paired" && !mayWriteAlone ? "paired" : "writer";
}

export function decideTending(facts: TendingFacts): Tending | null {
  return closeSecond(facts) ?? minReplicas(facts) ?? repoint(facts);
}

/** A peer that takes writes in an older epoch, or without a daemon: it has come back as it was, and nobody may write there. */
function closeSecond({ peers, mark }: TendingFacts): Tending | null {
  const second = peers.find((peer) => {
    const theirs = factsOfPeer(peer);
    return theirs !== null && isOpen(theirs) && !theirs.sentinel && (theirs.mark?.epoch ?? 0) < (mark?.epoch ?? 0);
  });
  return second === undefined ? null : { kind: "close-peer", peer: second.address };
}

/**
 * A peer was the writer in a later epoch and has what this server lacks: after a cut in which both wrote, the later one goes on. Who merely wrote down
 * an epoch and came to nothing has nothing of its own.
 */
export function isOutrun({ own, peers, mark }: Pick<TendingFacts, "own" | "peers" | "mark">): boolean {
  return peers.some((peer) => {
    const theirs = factsOfPeer(peer);
    if (theirs === null || !wasWriter(theirs.mark) || theirs.mark.epoch <= epochOf(mark)) return false;
    return theirs.keys > 0 && hasAllOf(own.history, theirs.history) !== true;
  });
}

function minReplicas({ own, policy, maxLag, aloneMillis, gateway }: TendingFacts): Tending | null {
  if (own.minReplicas === null) return null;
  const change = (wanted: number): Tending | null =>
    own.minReplicas === wanted ? null : { kind: "min-replicas", wanted };
  if (policy === "availability") return change(0);
  if (policy === "consistency" || hasGoodReplica(own, maxLag)) return change(1);
  // Whoever reaches neither gateway nor peer is the one cut off: that its writes are refused is what keeps them from being lost.
  return aloneMillis >= ALONE_MILLIS && gateway !== "unreachable" ? change(0) : null;
}

function repoint({ own, replicas, virtualHosts }: TendingFacts): Tending | null {
  const one = replicas.find((replica) => replicaProblem({ own, virtualHosts }, replica) === "elsewhere");
  return one === undefined ? null : { kind: "repoint", replica: one.address };
}

type ReplicaProblem = "elsewhere" | "lacks" | "open" | null;

/** Null: it follows this server, or cannot be asked. */
export function replicaProblem(
  { own, virtualHosts }: Pick<TendingFacts, "own" | "virtualHosts">,
  replica: Peer,
): ReplicaProblem {
  const theirs = factsOfPeer(replica);
  if (theirs === null || theirs.loading !== null) return null;
  const { source } = theirs;
  if (source === null) return "open";
  if (source.up && theirs.history.id === own.history.id) return null;
  if (source.syncing || virtualHosts.some((host) => source.address.startsWith(`${host}:`))) return null;
  return theirs.keys === 0 || hasAllOf(own.history, theirs.history) === true ? "elsewhere" : "lacks";
}

export function tendingTroubles(facts: TendingFacts): readonly string[] {
  const seconds = facts.peers.filter((peer) => {
    const theirs = factsOfPeer(peer);
    return theirs !== null && isOpen(theirs) && (theirs.mark?.epoch ?? 0) >= (facts.mark?.epoch ?? 0);
  });
  const words: Readonly<Record<Exclude<ReplicaProblem, null | "elsewhere">, string>> = {
    open: "it takes writes",
    lacks: "it may have what the writer lacks, and is left as it is",
  };
  return [
    ...seconds.map(({ address }) => `BOTH OPEN: ${address} takes writes as well, in a later epoch`),
    ...facts.replicas.flatMap((replica) => {
      const problem = replicaProblem(facts, replica);
      return problem === null || problem === "elsewhere" ? [] : [`replica ${replica.address}: ${words[problem]}`];
    }),
  ];
}

export function tendingInWords(one: Tending): string {
  switch (one.kind) {
    case "min-replicas":
      return one.wanted === 0
        ? "degraded: no replica, writes are on this server alone (min-replicas-to-write 0)"
        : "writes need a replica in step again (min-replicas-to-write 1)";
    case "close-peer":
      return `close ${one.peer}, which takes writes without being the writer`;
    case "repoint":
      return `point ${one.replica} at this server`;
  }
}
