/**
 * The claim gate of a managed Redis server: what to do next so that it becomes the one that takes writes. Every step is chosen from the facts
 * as they are now and does nothing when it is done already, so a takeover that was cut off anywhere is simply begun again.
 *
 * Order (docs/redis.md): own server closed → every peer that can be asked is closed → everything it has is here → the new epoch is written
 * down → min-replicas-to-write → promoted. Nothing here ever lets a server follow another: that is follow.ts, afterwards.
 */
import type { Policy } from "../database/config.ts";
import { hasAllOf, historyInWords } from "./history.ts";
import { epochOf, type Mark, type MemberFacts, outranks, wasPaired, wasWriter } from "./member.ts";
import { factsOfPeer, follows, isOpen, type Peer } from "./peer.ts";

export interface TakeoverFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  readonly policy: Policy;
  /** Null: this host has no default route, so there is nobody to ask. */
  readonly gateway: "reachable" | "unreachable" | null;
  /** Since the daemon started the server was seen in step with a writer, or was the writer, and has not restarted since. */
  readonly known: boolean;
  /** An operator has named this host the first writer (`holdfast init-writer`), and nothing has voided that. */
  readonly named?: boolean;
  /** An operator takes the responsibility for what cannot be known. */
  readonly consented: boolean;
  /** What this daemon has on its disk; null: nothing yet. */
  readonly mark: Mark | null;
  readonly progress: TakeoverProgress;
}

/** What this run has done and facts cannot show. */
export interface TakeoverProgress {
  readonly recorded: Mark | null;
  readonly promoted: boolean;
}

export const NOTHING_DONE: TakeoverProgress = { recorded: null, promoted: false };

export type Step =
  | { readonly kind: "close-own" }
  | { readonly kind: "close-peer"; readonly peer: string }
  | { readonly kind: "record"; readonly mark: Mark; readonly position: string }
  | { readonly kind: "min-replicas"; readonly wanted: number }
  | { readonly kind: "promote" };

export type Decision =
  | { readonly kind: "step"; readonly step: Step }
  /** Nothing to do but to look again; `what` says for what. */
  | { readonly kind: "wait"; readonly what: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly consentHelps: boolean }
  | { readonly kind: "ready" };

const step = (what: Step): Decision => ({ kind: "step", step: what });
const refuse = (reason: string, consentHelps = false): Decision => ({ kind: "refuse", reason, consentHelps });
const wait = (what: string): Decision => ({ kind: "wait", what });

export function decideTakeover(facts: TakeoverFacts): Decision {
  const { own, progress } = facts;
  if (progress.promoted && isOpen(own)) return { kind: "ready" };
  return (
    unfit(own) ??
    (isOpen(own) && !progress.promoted ? step({ kind: "close-own" }) : null) ??
    first(facts.peers, (peer) => refusedBy(facts, peer)) ??
    first(facts.peers, (peer) => closePeer(facts, peer)) ??
    first(facts.peers, (peer) => compare(facts, peer)) ??
    record(facts) ??
    minReplicas(facts) ??
    step({ kind: "promote" })
  );
}

function first(peers: readonly Peer[], decide: (peer: Peer) => Decision | null): Decision | null {
  for (const peer of peers) {
    const decision = decide(peer);
    if (decision !== null) return decision;
  }
  return null;
}

function unfit({ sentinel, cluster, loading, source }: MemberFacts): Decision | null {
  if (sentinel) return refuse("a Sentinel manages this server: end it, or take manage_redis out of the file");
  if (cluster) return refuse("this server is part of a Redis Cluster, which chooses its masters itself");
  if (loading !== null) return wait("the data set is loaded");
  if (source?.syncing === true) return wait("the full resync is over: what is in memory is the old data set");
  return null;
}

function refusedBy(facts: TakeoverFacts, peer: Peer): Decision | null {
  const { state, address } = peer;
  switch (state.kind) {
    case "up":
      return state.facts.runId === facts.own.runId
        ? refuse(`${address} is this server itself: correct \`peer\``)
        : null;
    case "unusable":
      return refuse(`${address} is alive and cannot be closed for writes: ${state.detail}`);
    default:
      return refusedByAbsence(facts, peer);
  }
}

function refusedByAbsence(facts: TakeoverFacts, { state, address }: Peer): Decision | null {
  const { policy, gateway, consented, own, mark } = facts;
  const known = facts.known || facts.named === true;
  if (consented) return null;
  const detail = "detail" in state ? state.detail : "";
  if (own.keys === 0 && mark !== null && !known) {
    return refuse(`${address} cannot be asked (${detail}), and this server is empty: its data may be there`, true);
  }
  if (policy === "availability") return null;
  if (state.kind === "silent" && gateway === "unreachable") {
    return refuse(`neither ${address} nor the gateway can be reached: this host is the one cut off`, true);
  }
  if (!known) {
    const why = "this server has not been seen in step with a writer since it started, so it may hold older data";
    return refuse(`${address} cannot be asked (${detail}), and ${why}`, true);
  }
  if (policy === "consistency" && state.kind === "silent") {
    return refuse(`policy consistency: ${address} is silent, and nothing proves that it takes no writes`, true);
  }
  return null;
}

/** A peer that takes writes is closed, unless it is the one with the newer data and this server does not follow it. */
function closePeer(facts: TakeoverFacts, peer: Peer): Decision | null {
  const theirs = factsOfPeer(peer);
  if (theirs === null || !isOpen(theirs)) return null;
  const { own, known, consented } = facts;
  const close = step({ kind: "close-peer", peer: peer.address });
  if (follows(own, peer) || consented || theirs.keys === 0) return close;
  if (hasAllOf(own.history, theirs.history) === true) return close;
  if (epochOf(theirs.mark) > epochOf(facts.mark)) {
    return refuse(`${peer.address} has become the writer since, and this server does not follow it`);
  }
  return known ? close : refuse(`${peer.address} takes writes, and this server does not follow it`, true);
}

/** A closed peer has nothing that this server lacks. */
function compare(facts: TakeoverFacts, peer: Peer): Decision | null {
  const theirs = factsOfPeer(peer);
  if (theirs === null || theirs.keys === 0 || facts.consented) return null;
  const { own } = facts;
  if (own.keys === 0 && own.history.id !== theirs.history.id) {
    return refuse(`this server is empty and ${peer.address} has ${theirs.keys} keys`, true);
  }
  const has = hasAllOf(own.history, theirs.history);
  if (has === true) return null;
  if (has === false) return lacking(facts, peer, theirs);
  return byMarks(facts, peer, theirs);
}

function lacking({ own, mark }: TakeoverFacts, peer: Peer, theirs: MemberFacts): Decision | null {
  const words = `${peer.address} has what this server lacks (${historyInWords(theirs.history)}, here ${historyInWords(own.history)})`;
  if (follows(own, peer)) return wait(`everything that ${peer.address} has is here`);
  // Further in the same stream, or in the one that both come from, is newer, whatever was written down.
  const isApart = own.history.id !== theirs.history.id && hasAllOf(theirs.history, own.history) !== true;
  return isApart && hasGoneOn(mark, theirs.mark) ? null : refuse(words, true);
}

/** A server that read its data from an append-only file knows no history: what the daemons have written down decides. */
function byMarks(facts: TakeoverFacts, peer: Peer, theirs: MemberFacts): Decision | null {
  const { own, mark } = facts;
  const why = `the histories of ${peer.address} and this server cannot be compared (${historyInWords(theirs.history)}, here ${historyInWords(own.history)})`;
  if (facts.known && !outranks(theirs.mark, mark)) return null;
  // Its daemon may just be starting: what it says decides.
  if (mark !== null && theirs.mark === null) return wait(`the daemon of ${peer.address} says what its server was`);
  if (outranks(mark, theirs.mark)) return null;
  if (outranks(theirs.mark, mark)) return refuse(`${why}, and ${reasonInWords(mark, theirs.mark)}`, true);
  return refuse(`${why}, and nobody has written down who was the writer last`, true);
}

/**
 * Of two data sets that went apart the own one counts: in a later epoch, or as a replica's of the same epoch, whose paired writer was started anew
 * and has written on. A replica cannot have gone apart from its writer, so seen from there it is ahead.
 */
const hasGoneOn = (mark: Mark | null, theirs: Mark | null): boolean =>
  epochOf(mark) > epochOf(theirs) || (epochOf(mark) === epochOf(theirs) && wasPaired(theirs) && !wasWriter(mark));

function reasonInWords(mark: Mark | null, theirs: Mark | null): string {
  if (!wasWriter(theirs)) return "its server was in step with the writer, and has not restarted since";
  return epochOf(theirs) > epochOf(mark) ? "that host was the writer later than this one" : "that host was the writer";
}

function record({ own, peers, mark, progress }: TakeoverFacts): Decision | null {
  if (progress.recorded !== null) return null;
  const epochs = peers.map((peer) => epochOf(factsOfPeer(peer)?.mark ?? null));
  const epoch = Math.max(epochOf(mark), ...epochs) + 1;
  return step({ kind: "record", mark: { epoch, role: "writer" }, position: historyInWords(own.history) });
}

/** Alone it can only write without a replica, unless that is what the policy forbids. */
function minReplicas({ own, policy, progress }: TakeoverFacts): Decision | null {
  const wanted = policy === "consistency" ? 1 : 0;
  return progress.promoted || own.minReplicas === null || own.minReplicas === wanted
    ? null
    : step({ kind: "min-replicas", wanted });
}

/** A clause for journal, log and `--dry-run`. */
export function stepInWords(one: Step): string {
  switch (one.kind) {
    case "close-own":
      return "close the own server for writes (REPLICAOF 127.0.0.1 1)";
    case "close-peer":
      return `close ${one.peer} for writes (REPLICAOF 127.0.0.1 1) and end its sessions`;
    case "record":
      return `write down epoch ${one.mark.epoch}, at ${one.position}`;
    case "min-replicas":
      return `min-replicas-to-write ${one.wanted}`;
    case "promote":
      return "promote the own server (REPLICAOF NO ONE)";
  }
}

export interface TakeoverPlan {
  readonly steps: readonly string[];
  /** "ready", or why it is refused. */
  readonly end: string;
}

/** More steps than any order of facts needs. */
const MOST_STEPS = 50;

/** What a claim would do now, if every step did what it says and every wait ended. */
export function planTakeover(now: TakeoverFacts): TakeoverPlan {
  const steps: string[] = [];
  let facts = now;
  while (steps.length < MOST_STEPS) {
    const decision = decideTakeover(facts);
    if (decision.kind === "ready") return { steps, end: "ready" };
    if (decision.kind === "refuse") return { steps, end: decision.reason };
    steps.push(decision.kind === "step" ? stepInWords(decision.step) : `wait until ${decision.what}`);
    facts = decision.kind === "step" ? expectedAfter(facts, decision.step) : waitedFor(facts);
  }
  return { steps, end: "the plan has no end" };
}

const CLOSED = {
  address: "127.0.0.1:1",
  up: false,
  downSeconds: null,
  everUp: false,
  syncing: false,
  silentSeconds: null,
} as const;

/** As if loading and resyncing were over, and everything of a closed peer were here. */
function waitedFor(facts: TakeoverFacts): TakeoverFacts {
  const { own } = facts;
  const ends = facts.peers.flatMap((peer) => factsOfPeer(peer)?.history ?? []);
  const same = ends.filter(({ id }) => id === own.history.id).map(({ offset }) => offset);
  const offset = Math.max(own.history.offset, ...same);
  const source = own.source === null ? null : { ...own.source, syncing: false };
  return { ...facts, own: { ...own, loading: null, source, history: { ...own.history, offset } } };
}

/** The facts after a step, if all goes well: what `--dry-run` goes on from, and a test's model of a server. */
export function expectedAfter(facts: TakeoverFacts, one: Step): TakeoverFacts {
  const { own, peers, progress } = facts;
  switch (one.kind) {
    case "close-own":
      return { ...facts, own: { ...own, source: CLOSED, readOnly: true } };
    case "close-peer":
      return {
        ...facts,
        peers: peers.map((peer) =>
          peer.address === one.peer && peer.state.kind === "up"
            ? { ...peer, state: { kind: "up", facts: { ...peer.state.facts, source: CLOSED, readOnly: true } } }
            : peer,
        ),
      };
    case "record":
      return { ...facts, progress: { ...progress, recorded: one.mark } };
    case "min-replicas":
      return { ...facts, own: { ...own, minReplicas: one.wanted } };
    case "promote":
      return { ...facts, own: { ...own, source: null }, progress: { ...progress, promoted: true } };
  }
}
