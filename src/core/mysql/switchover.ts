/**
 * A planned move of the writer, seen from the host that gives it up: everything is looked at before anything changes, then the own server
 * is closed, and the address goes only when every peer that could get it has everything. The other half is the successor's own takeover
 * (takeover.ts), which looks for itself. Until the address goes the way back is one statement.
 */
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { channelsFrom, hasEverything, type Peer } from "./takeover.ts";
import { hasNothingExtra } from "./tending.ts";

export interface SwitchoverFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  /** The transaction that has been writing for longest; null when none does. */
  readonly oldestWrite: { readonly thread: string; readonly seconds: number } | null;
  /** Peers, as in the file, at which no daemon is logged in: they could not take over. */
  readonly unwatched: readonly string[];
  /** This run has closed the own server. */
  readonly closed: boolean;
  /** False: the old writer is attached to the new one afterwards. */
  readonly ring?: boolean;
}

export type SwitchoverDecision =
  | { readonly kind: "refuse"; readonly reason: string }
  /** Not now, but nothing has to be mended for it to pass. */
  | { readonly kind: "not-yet"; readonly reason: string }
  | { readonly kind: "close" }
  /** Clients wait meanwhile. */
  | { readonly kind: "wait"; readonly what: string }
  | { readonly kind: "hand-over" };

/** Seconds that a transaction may have been writing: ending it takes about as long again (MHA's running_updates_limit). */
export const LONGEST_WRITE = 1;
/** Seconds that a successor may be behind when the writes stop. */
export const MOST_LAG = 1;

type Hindrance = Extract<SwitchoverDecision, { readonly kind: "refuse" | "not-yet" }>;

const refuse = (reason: string): Hindrance => ({ kind: "refuse", reason });
const notYet = (reason: string): Hindrance => ({ kind: "not-yet", reason });

export function decideSwitchover(facts: SwitchoverFacts): SwitchoverDecision {
  const { own, oldestWrite, closed } = facts;
  const unfit = hinderedByPeers(facts);
  if (unfit !== null) return unfit;
  if (closed) return drained(facts);
  if (own.closedBy !== null) return refuse(`the own server is not open for writes (${own.closedBy} is on)`);
  if (oldestWrite !== null && oldestWrite.seconds > LONGEST_WRITE) {
    const { thread, seconds } = oldestWrite;
    return notYet(`connection ${thread} has been writing for ${seconds} s and would be rolled back: end it, or wait`);
  }
  return { kind: "close" };
}

/** Null when everybody who answers may become the writer; whoever does not answer will not. */
function hinderedByPeers(facts: SwitchoverFacts): Hindrance | null {
  const { peers } = facts;
  for (const peer of peers) {
    const hindrance = hinderedBy(facts, peer);
    if (hindrance !== null) return hindrance;
  }
  if (peers.some(({ state }) => state.kind === "up")) return null;
  const absent = peers.map(({ address, state }) => `${address}: ${"detail" in state ? state.detail : ""}`);
  return refuse(peers.length === 0 ? "no `peer` is configured" : `no peer answers (${absent.join("; ")})`);
}

function hinderedBy(facts: SwitchoverFacts, peer: Peer): Hindrance | null {
  const { own, closed } = facts;
  const { address, state } = peer;
  if (state.kind === "unusable") return refuse(`${address} cannot be asked: ${state.detail}`);
  if (state.kind !== "up") return null;
  const unwatched = facts.unwatched.includes(address);
  if (unwatched)
    return refuse(`${address} has no daemon that looks after it, or one that cannot log in: see status there`);
  const problem = problemOf(own, state.facts);
  if (problem !== null) return refuse(`${address} ${problem}`);
  if (closed) return null;
  const passing = passingProblemOf(own, state.facts);
  if (passing === null && facts.ring === false) return null;
  return passing === null ? wayBack(facts, peer) : notYet(`${address} ${passing}`);
}

function problemOf(own: MemberFacts, peer: MemberFacts): string | null {
  if (peer.closedBy === null) return "is open for writes as well";
  const channel = channelFrom(own, peer);
  if (channel === undefined) return "does not replicate from this server";
  const stopped = threadProblem(channel);
  if (stopped !== null) return stopped;
  if (hasNothingExtra(own, peer) === false) return "has transactions that this server lacks";
  return null;
}

/** The old writer has to follow the new one: nobody else starts what stands, once this daemon no longer looks after the group. */
function wayBack(facts: SwitchoverFacts, peer: Peer): Hindrance | null {
  const [channel] = channelsFrom(facts, peer);
  const { address } = peer;
  if (channel === undefined) return refuse(`this server does not replicate from ${address}, and would follow nobody`);
  const { io, sql, sqlError, ioError } = channel;
  if (sqlError !== null && sql === "stopped") {
    return refuse(`replication from ${address} has stopped here with error ${sqlError.number}: ${sqlError.text}`);
  }
  if (io === "running" && sql === "running") return null;
  const why = ioError === null ? "" : ` (error ${ioError.number}: ${ioError.text})`;
  return notYet(`this server does not follow ${address} yet: its I/O thread is ${io}, its SQL thread ${sql}${why}`);
}

/** A follower that is just connecting, or behind for a moment. */
function passingProblemOf(own: MemberFacts, peer: MemberFacts): string | null {
  const channel = channelFrom(own, peer);
  if (channel === undefined) return null;
  if (channel.io === "connecting") return "does not receive yet: its I/O thread is connecting";
  return channel.lag !== null && channel.lag > MOST_LAG ? `is ${channel.lag} s behind` : null;
}

function threadProblem({ io, sql, ioError, sqlError }: ChannelFacts): string | null {
  if (sql === "stopped") {
    const why = sqlError === null ? "" : ` with error ${sqlError.number}: ${sqlError.text}`;
    return `does not execute what it receives: its SQL thread has stopped${why}`;
  }
  if (io !== "stopped") return null;
  const why = ioError === null ? "" : ` (error ${ioError.number}: ${ioError.text})`;
  return `does not receive: its I/O thread is ${io}${why}`;
}

/** By the server's own number: the peer knows it under another address than this host does. */
function channelFrom(own: MemberFacts, { channels }: MemberFacts): ChannelFacts | undefined {
  return (
    channels.find(({ sourceId }) => sourceId === own.serverId) ?? (channels.length === 1 ? channels[0] : undefined)
  );
}

function drained({ own, peers }: SwitchoverFacts): SwitchoverDecision {
  for (const { address, state } of peers) {
    if (state.kind !== "up") continue;
    const channel = channelFrom(own, state.facts);
    const channels = channel === undefined ? [] : [channel];
    const writer: Peer = { address: channel?.source ?? "", state: { kind: "up", facts: own } };
    if (hasEverything({ own: { ...state.facts, channels }, peers: [writer] }, writer, own)) continue;
    return { kind: "wait", what: `${address} has executed everything` };
  }
  return { kind: "hand-over" };
}

/** What would be done, for `--dry-run`. */
export function planSwitchover(facts: SwitchoverFacts): { readonly steps: readonly string[]; readonly end: string } {
  const decision = decideSwitchover(facts);
  if (decision.kind === "refuse") return { steps: [], end: decision.reason };
  const first = decision.kind === "not-yet" ? [`wait until this is over: ${decision.reason}`] : [];
  const waits = facts.peers
    .filter(({ state }) => state.kind === "up")
    .map(({ address }) => `wait until ${address} has executed everything`);
  const steps = [...first, CLOSE_STEP, ...waits, HAND_OVER_STEP, "wait until a peer is open for writes"];
  return { steps, end: "ready" };
}

export const CLOSE_STEP = "close the own server for writes and end its sessions";
export const HAND_OVER_STEP = "let the address go";
