/**
 * The claim gate of a managed server: what to do next so that it becomes the one that takes writes. There is no program that could be
 * interrupted half-way: every step is chosen from the facts as they are now, and does nothing when it is done already. So a takeover that
 * was cut off anywhere is simply begun again.
 *
 * Order (docs/mysql.md): own server closed → appliers run → every peer that can be asked is closed → everything it has is executed here →
 * from a peer that cannot be asked nothing more is received, and what was received is executed → what a dead one had not sent is fetched from
 * its files → the own position is recorded → acknowledgements → open.
 */
import type { Policy } from "../database/config.ts";
import { type Coordinates, coordinatesInWords, reaches } from "./coordinates.ts";
import { lostTail } from "./errant.ts";
import { mariadbContains, mysqlContains } from "./gtid.ts";
import { wasLeftOut } from "./left-out.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";

export type PeerState =
  | { readonly kind: "up"; readonly facts: MemberFacts }
  /** Its host says that nobody listens: the server is down, and starts closed. */
  | { readonly kind: "down"; readonly detail: string }
  /** No answer: it may be dead, or alive behind a cut. */
  | { readonly kind: "silent"; readonly detail: string }
  /** It answers and does not let us in: alive, and nobody knows whether it is open. */
  | { readonly kind: "unusable"; readonly detail: string };

export interface Peer {
  /** HOST:PORT as written in the file. */
  readonly address: string;
  readonly state: PeerState;
}

export interface TakeoverFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  readonly policy: Policy;
  /** Null: this host has no default route, so there is nobody to ask. */
  readonly gateway: "reachable" | "unreachable" | null;
  /** Since the daemon started the server was seen receiving from a peer, or was opened by it. */
  readonly known: boolean;
  /** What quarantined peers had too many when this server was the writer, by their address. */
  readonly leftOut?: ReadonlyMap<string, string>;
  /** An operator has named this host the first writer (`holdfast init-writer`), and nothing has voided that. */
  readonly named?: boolean;
  /** An operator takes the responsibility for what cannot be known. */
  readonly consented: boolean;
  readonly progress: TakeoverProgress;
  /** The event scheduler is to be on at the writer, and off at the others. */
  readonly eventsFollow?: boolean;
  /** How the file says that servers follow each other. */
  readonly replication?: "gtid" | "position" | "auto";
  /** It was proved to follow a peer since it was open last, and since its server started. */
  readonly followed?: boolean;
}

/** What this run has done and facts cannot show. */
export interface TakeoverProgress {
  readonly closed: boolean;
  readonly recorded: string | null;
  readonly opened: boolean;
  /** Peers whose log was asked for, by address, and up to where it is executed; null: as before. */
  readonly tails?: ReadonlyMap<string, Coordinates | null>;
}

export const NOTHING_DONE: TakeoverProgress = { closed: false, recorded: null, opened: false };

export type Step =
  | { readonly kind: "close-own" }
  | { readonly kind: "start-applier"; readonly channel: string }
  | { readonly kind: "close-peer"; readonly peer: string }
  | { readonly kind: "stop-receiver"; readonly channel: string }
  | { readonly kind: "stop-applier"; readonly channel: string }
  | { readonly kind: "fetch-tail"; readonly peer: string; readonly channel: string; readonly behind: string }
  | { readonly kind: "record"; readonly position: string }
  | { readonly kind: "acknowledgements"; readonly word: "master" | "source"; readonly wanted: boolean }
  | { readonly kind: "start-events" }
  | { readonly kind: "open" };

export type Decision =
  | { readonly kind: "step"; readonly step: Step }
  /** Nothing to do but to look again; `what` says for what. */
  | { readonly kind: "wait"; readonly what: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly consentHelps: boolean }
  | { readonly kind: "ready" };

const step = (what: Step): Decision => ({ kind: "step", step: what });
const refuse = (reason: string, consentHelps = false): Decision => ({ kind: "refuse", reason, consentHelps });

export function decideTakeover(facts: TakeoverFacts): Decision {
  const { own, progress } = facts;
  if (own.closedBy === null && !progress.opened && !progress.closed) return step({ kind: "close-own" });
  return (
    refusedByPeers(facts) ??
    refusedByFresher(facts) ??
    startAppliers(facts) ??
    closePeers(facts) ??
    followPeers(facts) ??
    leavePeers(facts) ??
    fetchTails(facts) ??
    record(facts) ??
    acknowledge(facts) ??
    startEvents(facts) ??
    open(facts)
  );
}

const isGone = ({ state }: Peer): boolean => state.kind === "down" || state.kind === "silent";

/** The channels that receive from this peer: by address, or the only one there is from the only peer. */
export function channelsFrom(
  { own, peers }: Pick<TakeoverFacts, "own" | "peers">,
  peer: Peer,
): readonly ChannelFacts[] {
  const exact = own.channels.filter(({ source }) => source === peer.address);
  return exact.length === 0 && peers.length === 1 && own.channels.length === 1 ? own.channels : exact;
}

function refusedByPeers(facts: TakeoverFacts): Decision | null {
  for (const peer of facts.peers) {
    const { state, address } = peer;
    if (state.kind === "up" && state.facts.serverId === facts.own.serverId) {
      return refuse(`${address} has the own server_id ${facts.own.serverId}: it is this server itself, or set wrongly`);
    }
    if (state.kind === "unusable") {
      return refuse(`${address} is alive and cannot be closed for writes: ${state.detail}`);
    }
    const problem = isGone(peer) ? refusedByAbsence(facts, peer) : null;
    if (problem !== null) return problem;
  }
  return null;
}

function refusedByAbsence(facts: TakeoverFacts, { state, address }: Peer): Decision | null {
  const { policy, gateway, known, consented } = facts;
  if (consented || policy === "availability" || facts.progress.opened) return null;
  if (state.kind === "silent" && gateway === "unreachable") {
    return refuse(`neither ${address} nor the gateway can be reached: this host is the one cut off`, true);
  }
  if (!known && facts.named !== true) {
    const why =
      "since it started this server has not been seen following it, with its daemon logged in here, nor was it the writer with nobody listening there ever since, so it may hold older data";
    return refuse(`${address} cannot be asked (${detailOf(state)}), and ${why}`, true);
  }
  if (policy !== "consistency") return null;
  if (state.kind === "silent") {
    return refuse(`policy consistency: ${address} is silent, and nothing proves that it takes no writes`, true);
  }
  if (facts.own.semiSync?.acknowledges === true) return null;
  return refuse(`policy consistency: ${address} is down, and its commits did not wait for an acknowledgement`, true);
}

/**
 * Of several servers that followed one that is gone, whoever has received most of it takes over: the others lack that, and nobody else has it
 * any more. One that cannot execute what it has received is not waited for.
 */
function refusedByFresher(facts: TakeoverFacts): Decision | null {
  if (facts.consented || facts.progress.opened) return null;
  for (const gone of facts.peers.filter(isGone)) {
    const ours = channelsFrom(facts, gone)[0]?.received ?? null;
    const fresher = ours === null ? undefined : facts.peers.find((peer) => isAhead(receivedFrom(gone, peer), ours));
    if (ours === null || fresher === undefined) continue;
    const theirs = receivedFrom(gone, fresher);
    const words = `${theirs === null ? "?" : coordinatesInWords(theirs)}, here ${coordinatesInWords(ours)}`;
    return refuse(`${fresher.address} has received more from ${gone.address} (${words}): it is to take over`, true);
  }
  return null;
}

/** What a peer that could take over has received of another; null: nothing, or it could not execute it. */
function receivedFrom(gone: Peer, { state }: Peer): Coordinates | null {
  if (state.kind !== "up") return null;
  const channel = state.facts.channels.find(({ source }) => source === gone.address);
  return channel === undefined || channel.sqlError !== null ? null : channel.received;
}

const isAhead = (theirs: Coordinates | null, ours: Coordinates): boolean =>
  theirs !== null && reaches(ours, theirs) === false;

const detailOf = (state: PeerState): string => ("detail" in state ? state.detail : "it answers");

/** An applier that is stopped without an error is started first, and never together with its receiver: MariaDB would drop what it holds. */
function startAppliers(facts: TakeoverFacts): Decision | null {
  for (const channel of facts.peers.flatMap((peer) => channelsFrom(facts, peer))) {
    if (channel.sqlError !== null && channel.sql === "stopped") {
      const { number, text } = channel.sqlError;
      return refuse(`replication${nameOf(channel)} has stopped with error ${number}: ${text}`);
    }
    if (channel.sql === "running" || isLeft(channel)) continue;
    if (channel.io === "stopped" && channel.gtid && facts.own.version.product === "mariadb") {
      const why = "starting it would drop what was received and not executed (MDEV-4698)";
      return refuse(`both threads of replication${nameOf(channel)} stand and not everything is executed: ${why}`);
    }
    return step({ kind: "start-applier", channel: channel.channel });
  }
  return null;
}

/** Stopped for good, with nothing left to execute: as a takeover leaves the channel from a peer that is gone. */
const isLeft = ({ io, sql, drained }: ChannelFacts): boolean =>
  io === "stopped" && sql === "stopped" && drained === true;

function closePeers({ peers }: TakeoverFacts): Decision | null {
  const open = peers.find(({ state }) => state.kind === "up" && state.facts.closedBy === null);
  return open === undefined ? null : step({ kind: "close-peer", peer: open.address });
}

/** Everything that a closed peer has is executed here before this server opens. */
function followPeers(facts: TakeoverFacts): Decision | null {
  for (const peer of facts.peers) {
    const lost = peer.state.kind === "up" ? lostTo(facts.own, peer.state.facts) : null;
    if (lost !== null) {
      return refuse(
        `this server has lost what it had committed itself (${lost}), and ${peer.address} has it: make it anew from there`,
      );
    }
    if (!hasMore(facts, peer)) continue;
    const channels = channelsFrom(facts, peer);
    const broken = channels.find(({ io }) => io === "stopped");
    if (channels.length === 0) {
      return refuse(`${peer.address} has transactions that this server lacks and does not receive from it`);
    }
    if (broken !== undefined) {
      const why = broken.ioError === null ? "" : ` (error ${broken.ioError.number}: ${broken.ioError.text})`;
      return refuse(
        `${peer.address} has transactions that this server lacks, and replication${nameOf(broken)} stands${why}; \`holdfast rejoin\` shows them, and with that server stopped \`holdfast takeover NAME --accept-loss\` opens this one without them`,
      );
    }
    return { kind: "wait", what: `everything that ${peer.address} has is executed` };
  }
  return null;
}

/** It has something that this server lacks and that was not left out when this server was the writer. */
function hasMore(facts: TakeoverFacts, peer: Peer): boolean {
  if (peer.state.kind !== "up" || hasEverything(facts, peer, peer.state.facts)) return false;
  return !wasLeftOut(facts.leftOut?.get(peer.address), facts.own, peer.state.facts);
}

/** What the own server had committed and has no more, while the peer has it: replication skips it, and its position looks as if it were there. */
export const lostTo = (own: MemberFacts, theirs: MemberFacts): string | null =>
  lostTail({
    writer: theirs,
    server: own,
    channel: theirs.channels.find(({ sourceId }) => sourceId === own.serverId) ?? null,
  });

/** Whether the own server has executed everything that this closed peer has. */
export function hasEverything(facts: Pick<TakeoverFacts, "own" | "peers">, peer: Peer, theirs: MemberFacts): boolean {
  const { gtids } = facts.own;
  const channels = channelsFrom(facts, peer);
  if (gtids.product === "mysql" && theirs.gtids.product === "mysql" && gtids.on && theirs.gtids.on) {
    return mysqlContains(gtids.executed, theirs.gtids.executed);
  }
  const byPosition = channels.some(({ gtid }) => !gtid);
  if (!byPosition && gtids.product === "mariadb" && theirs.gtids.product === "mariadb") {
    return mariadbContains(gtids, theirs.gtids.position);
  }
  const wanted = theirs.end;
  // A peer without a binary log has nothing that could be followed.
  if (wanted === null) return true;
  return channels.some(({ executed }) => executed !== null && reaches(executed, wanted) === true);
}

/** From a peer that is gone: nothing new, everything old, and then the channel stands. Its coordinates are evidence and stay. */
function leavePeers(facts: TakeoverFacts): Decision | null {
  const gone = facts.peers.filter(isGone);
  for (const channel of gone.flatMap((peer) => channelsFrom(facts, peer))) {
    if (isLeft(channel)) continue;
    if (channel.io !== "stopped") return step({ kind: "stop-receiver", channel: channel.channel });
    if (channel.drained === null) return refuse(`the server does not say how far replication${nameOf(channel)} is`);
    if (!channel.drained)
      return asksNobody(facts) ?? { kind: "wait", what: `everything received is executed${progressOf(channel)}` };
    return step({ kind: "stop-applier", channel: channel.channel });
  }
  return null;
}

/**
 * What a peer that is down had not sent lies in its files, which its host's daemon can read. Only for a server that has followed it to the end: what
 * a peer wrote while this server took writes, too, is nothing to be merged. Of more than two servers another one may have been the writer since.
 */
function fetchTails(facts: TakeoverFacts): Decision | null {
  const { peers, progress, followed } = facts;
  const [peer] = peers;
  if (progress.opened || followed !== true || peer === undefined || peers.length > 1) return null;
  const [channel] = channelsFrom(facts, peer);
  const executed = channel?.executed ?? null;
  if (peer.state.kind !== "down" || channel === undefined || executed === null) return null;
  if (progress.tails?.has(peer.address) === true) return null;
  const { address } = peer;
  const fetch: Step = {
    kind: "fetch-tail",
    peer: address,
    channel: channel.channel,
    behind: coordinatesInWords(executed),
  };
  return asksNobody(facts) ?? step(fetch);
}

/** A channel by GTIDs forgets on MySQL where it was in its source's log when it is pointed back: the run remembers it. */
export function withTails(facts: TakeoverFacts): TakeoverFacts {
  const tails = facts.progress.tails ?? new Map<string, Coordinates | null>();
  const ends = new Map<ChannelFacts, Coordinates>();
  for (const peer of facts.peers) {
    const end = tails.get(peer.address) ?? null;
    const [channel] = channelsFrom(facts, peer);
    if (end !== null && channel?.executed === null) ends.set(channel, end);
  }
  if (ends.size === 0) return facts;
  const channels = facts.own.channels.map((one) => {
    const end = ends.get(one);
    return end === undefined ? one : { ...one, executed: end, received: end };
  });
  return { ...facts, own: { ...facts.own, channels } };
}

/** A server that was the writer before still waits for acknowledgements; with nobody there to give them its applier would wait for ever. */
function asksNobody(facts: TakeoverFacts): Decision | null {
  const asked = acknowledge(facts);
  return asked?.kind === "step" && asked.step.kind === "acknowledgements" && !asked.step.wanted ? asked : null;
}

function progressOf({ executed, received }: ChannelFacts): string {
  const words = (at: Coordinates | null): string => (at === null ? "?" : coordinatesInWords(at));
  return ` (${words(executed)} of ${words(received)})`;
}

const nameOf = ({ channel, source }: ChannelFacts): string =>
  channel === "" ? ` from ${source}` : ` "${channel}" from ${source}`;

/** Where the own binary log ends before the first write: what replicas in classic mode are pointed at later. */
export function positionInWords({ end, gtids }: MemberFacts): string {
  const gtid = gtids.product === "mariadb" ? gtids.position : gtids.executed;
  return [end === null ? "no binary log" : coordinatesInWords(end), ...(gtid === "" ? [] : [gtid])].join(" ");
}

function record({ own, progress }: TakeoverFacts): Decision | null {
  if (progress.opened) return null;
  const position = positionInWords(own);
  return progress.recorded === position ? null : step({ kind: "record", position });
}

/** Commits wait for an acknowledgement exactly when somebody is there who gives it. */
function acknowledge(facts: TakeoverFacts): Decision | null {
  const { semiSync } = facts.own;
  if (semiSync === null) return null;
  const wanted = facts.peers.some(
    ({ state }) => state.kind === "up" && state.facts.semiSync?.acknowledges === true && receives(state.facts),
  );
  if (semiSync.enabled === wanted) return null;
  return step({ kind: "acknowledgements", word: semiSync.word, wanted });
}

/** Before it is open: an event that runs a moment too early is refused by the server itself. */
function startEvents({ own, eventsFollow }: TakeoverFacts): Decision | null {
  return eventsFollow === true && own.scheduler === "off" ? step({ kind: "start-events" }) : null;
}

const receives = ({ channels }: MemberFacts): boolean => channels.some(({ io }) => io === "running");

function open({ own }: TakeoverFacts): Decision {
  return own.closedBy === null ? { kind: "ready" } : step({ kind: "open" });
}
