/**
 * What a server that takes writes needs afterwards: acknowledgements from whoever is there to give them, and replication both ways with a peer
 * that has come back, so that the next takeover finds two servers again. From a peer that is gone nothing is received: whatever it did
 * meanwhile is compared first. Nothing here closes or opens anything.
 */

import { coordinatesInWords } from "./coordinates.ts";
import { lostTail } from "./errant.ts";
import { BAR, hasGivenUp } from "./facts.ts";
import { mariadbContains, mariadbExtra, mysqlContains, mysqlExtra } from "./gtid.ts";
import type { ChannelFacts, MemberFacts, SemiSync } from "./member.ts";
import { channelFrom, newerToOlder } from "./rejoin.ts";
import { channelsFrom, type Peer, type TakeoverFacts } from "./takeover.ts";

export type TendingFacts = Pick<TakeoverFacts, "own" | "peers" | "gateway" | "eventsFollow" | "replication"> & {
  /** False: the writer receives from nobody. */
  readonly ring?: boolean;
};

export type Tending =
  | { readonly kind: "acknowledgements"; readonly word: "master" | "source"; readonly wanted: boolean }
  /** Both threads of a channel that was left standing. */
  | { readonly kind: "resume"; readonly channel: string; readonly peer: string }
  /** The own channel from a peer that is gone. */
  | { readonly kind: "leave"; readonly channel: string; readonly peer: string }
  /** The own channel that was left: it must not start by itself when this server is started again. */
  | {
      readonly kind: "bar";
      readonly channel: string;
      readonly peer: string;
      readonly user: string;
      readonly at: string;
    }
  /** The own barred channel, which has started with this server and tries in vain. */
  | { readonly kind: "halt"; readonly channel: string; readonly peer: string }
  /** The peer's channel from this server, once after it has come back. */
  | { readonly kind: "follow"; readonly channel: string; readonly peer: string }
  /** The peer's channel from this server is stopped: what it lacks would be skipped. */
  | { readonly kind: "part"; readonly channel: string; readonly peer: string; readonly lost: string }
  /** Both threads of a channel that no ring wants. */
  | { readonly kind: "unwanted"; readonly channel: string; readonly peer: string }
  /** Of a server that is not the writer. */
  | { readonly kind: "stop-events"; readonly peer: string };

/** What earlier looks have shown. */
export interface TendingMemory {
  /** Peers that have been gone for more than a moment. */
  readonly gone: ReadonlySet<string>;
  /** Peers that have come back, or were there when this server was opened, and were not started since. */
  readonly returned: ReadonlySet<string>;
  /** What was read in a peer's binary log, where GTIDs do not tell: what it has too many, null for nothing. */
  readonly read: ReadonlyMap<string, string | null>;
}

export const NOTHING_SEEN: TendingMemory = { gone: new Set(), returned: new Set(), read: new Map() };

/** What is wrong and stays so until somebody acts. */
export type TendingTrouble =
  | { readonly kind: "both-open"; readonly peer: string }
  | { readonly kind: "errant"; readonly peer: string; readonly detail: string }
  /** A channel that counts otherwise than the file says. */
  | { readonly kind: "mode"; readonly server: string; readonly source: string; readonly wanted: "gtid" | "position" }
  /** It has lost what it had committed itself. */
  | { readonly kind: "lost"; readonly peer: string; readonly lost: string }
  | { readonly kind: "newer"; readonly peer: string; readonly detail: string }
  /** Its binary log does not hold what the writer asks for. */
  | { readonly kind: "broken"; readonly peer: string; readonly detail: string };

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: the receiver ends and does not ask again. */
const FATAL_DUMP = 1236;

/** A writer without an acker goes on alone after this; milliseconds. */
export const ALONE_MILLIS = 3_000;

export function decideTending(
  facts: TendingFacts,
  aloneMillis: number,
  memory: TendingMemory = NOTHING_SEEN,
): Tending | null {
  if (facts.ring === false) return acknowledgements(facts, aloneMillis) ?? leaveEdge(facts) ?? stopEvents(facts);
  return (
    part(facts) ??
    acknowledgements(facts, aloneMillis) ??
    leave(facts, memory) ??
    attach(facts, memory) ??
    stopEvents(facts)
  );
}

/** Without a ring nothing comes back to the writer: a channel of its own past starts again with its server. */
function leaveEdge(facts: TendingFacts): Tending | null {
  for (const peer of facts.peers) {
    const runs = channelsFrom(facts, peer).find(({ io }) => io !== "stopped");
    if (runs !== undefined) return { kind: "unwanted", channel: runs.channel, peer: peer.address };
  }
  return null;
}

function stopEvents({ peers, eventsFollow }: TendingFacts): Tending | null {
  if (eventsFollow !== true) return null;
  const peer = peers.find((one) => one.state.kind === "up" && !isOpen(one) && one.state.facts.scheduler === "on");
  return peer === undefined ? null : { kind: "stop-events", peer: peer.address };
}

/** It would go on, and look well, without what it has lost. */
function part(facts: TendingFacts): Tending | null {
  for (const peer of facts.peers) {
    if (peer.state.kind !== "up" || isOpen(peer)) continue;
    const lost = lostOf(facts, peer, peer.state.facts);
    const channel = followerChannel(facts, peer.state.facts);
    if (lost === null || channel === null || (channel.io === "stopped" && channel.sql === "stopped")) continue;
    return { kind: "part", channel: channel.channel, peer: peer.address, lost };
  }
  return null;
}

const lostOf = (facts: TendingFacts, peer: Peer, theirs: MemberFacts): string | null =>
  lostTail({ writer: facts.own, server: theirs, channel: channelsFrom(facts, peer)[0] ?? null });

const followerChannel = ({ own, peers }: TendingFacts, theirs: MemberFacts): ChannelFacts | null =>
  channelFrom(theirs, { address: "", facts: own }, { pair: peers.length === 1 });

/** Everything received is executed first: MariaDB throws away what is not when both threads stand. */
function leave(facts: TendingFacts, { gone }: TendingMemory): Tending | null {
  for (const peer of facts.peers) {
    if (!gone.has(peer.address) || peer.state.kind === "up") continue;
    const channel = channelsFrom(facts, peer).find(
      ({ io, sql, drained }) => io === "connecting" && sql === "running" && drained === true,
    );
    if (channel !== undefined) return { kind: "leave", channel: channel.channel, peer: peer.address };
  }
  return null;
}

/**
 * Beside whatever else is to be done, because the server may be started again at any moment: a channel that stands and is not about to be resumed. One that has not
 * executed everything is left as it is: what it still holds would go, on MariaDB by any change.
 */
export function decideBar(facts: TendingFacts, memory: TendingMemory = NOTHING_SEEN): Tending | null {
  for (const peer of facts.peers) {
    if (facts.ring !== false && isWelcome(facts, peer, memory)) continue;
    for (const channel of channelsFrom(facts, peer)) {
      const found = barOf(channel, peer.address);
      if (found !== null) return found;
    }
  }
  return null;
}

function barOf({ channel, user, barred, executed, ...threads }: ChannelFacts, peer: string): Tending | null {
  if (barred === "runs") return { kind: "halt", channel, peer };
  const { io, sql, sqlError, drained } = threads;
  const left = io === "stopped" && sql === "stopped" && sqlError === null && drained === true;
  if (barred !== undefined || !left || user === undefined) return null;
  return { kind: "bar", channel, peer, user, at: executed === null ? "" : coordinatesInWords(executed) };
}

const isWelcome = (facts: TendingFacts, { address, state }: Peer, { read }: TendingMemory): boolean =>
  state.kind === "up" &&
  state.facts.closedBy !== null &&
  newerToOlder(state.facts.version, facts.own.version) === null &&
  isClean(facts, state.facts, read.get(address)) === true;

function acknowledgements({ own, peers, gateway }: TendingFacts, aloneMillis: number): Tending | null {
  const { semiSync } = own;
  if (semiSync === null) return null;
  const { word, enabled } = semiSync;
  if (!enabled) {
    return peers.some(isAcker) ? { kind: "acknowledgements", word, wanted: true } : null;
  }
  // Whoever reaches neither gateway nor peer is the one cut off: its commits wait, and that is what keeps them from being lost.
  if (aloneMillis < ALONE_MILLIS || gateway === "unreachable" || peers.some(isOpen)) return null;
  return { kind: "acknowledgements", word, wanted: false };
}

/** Nobody acknowledges: no replica that does is connected, or commits wait and get on no further than at the look before. */
export function isAlone(now: SemiSync | null, before: SemiSync | null): boolean {
  if (now?.enabled !== true) return false;
  if (now.clients === 0) return true;
  return now.waiting > 0 && before !== null && before.waiting > 0 && now.acknowledged === before.acknowledged;
}

const isOpen = ({ state }: Peer): boolean => state.kind === "up" && state.facts.closedBy === null;

const isAcker = ({ state }: Peer): boolean =>
  state.kind === "up" &&
  state.facts.closedBy !== null &&
  state.facts.semiSync?.acknowledges === true &&
  state.facts.channels.some(({ io }) => io === "running");

/** First it follows, then it is received from; both only when nothing stands against it. */
function attach(facts: TendingFacts, memory: TendingMemory): Tending | null {
  const { own } = facts;
  for (const { address, state } of facts.peers) {
    if (state.kind !== "up" || state.facts.closedBy === null) continue;
    const peer: Peer = { address, state };
    if (isClean(facts, state.facts, memory.read.get(address)) !== true) continue;
    const theirs = followerChannel(facts, state.facts);
    // Nobody bars a channel by hand: it was the writer once, and follows now.
    const wanted = memory.returned.has(address) || theirs?.barred !== undefined;
    const starts = wanted && newerToOlder(own.version, state.facts.version) === null;
    if (starts && theirs !== null && stands(theirs) && lostOf(facts, peer, state.facts) === null) {
      return { kind: "follow", channel: theirs.channel, peer: address };
    }
    const left = channelsFrom(facts, peer).find(stands);
    if (left !== undefined && newerToOlder(state.facts.version, own.version) === null) {
      return { kind: "resume", channel: left.channel, peer: address };
    }
  }
  return null;
}

/** `read` is undefined where its binary log was not read. */
function isClean({ own }: TendingFacts, theirs: MemberFacts, read: string | null | undefined): boolean | null {
  return hasNothingExtra(own, theirs) ?? (read === undefined ? null : read === null);
}

/** Peers that are there, and of which only their binary log can tell whether they have too many. */
export const toBeRead = (facts: TendingFacts): readonly string[] =>
  facts.peers.flatMap((peer) =>
    peer.state.kind === "up" &&
    !isOpen(peer) &&
    channelsFrom(facts, peer).some(stands) &&
    hasNothingExtra(facts.own, peer.state.facts) === null
      ? [peer.address]
      : [],
  );

/** Also with its applier at work: the peer may have come back while a claim was stopping the receiver from it. One that ended for good does not. */
export function stands(channel: ChannelFacts): boolean {
  const { io, sql, ioError, sqlError } = channel;
  return io === "stopped" && sqlError === null && (sql === "stopped" || ioError === null || hasGivenUp(channel));
}

/**
 * Whether everything the peer ever executed is here as well. A position is not enough: behind its last transaction, which came from here,
 * an older one of its own may hide that nobody else has. Null where file and position alone cannot tell.
 */
export function hasNothingExtra(own: MemberFacts, peer: MemberFacts): boolean | null {
  const [ours, theirs] = [own.gtids, peer.gtids];
  if (ours.product === "mariadb" && theirs.product === "mariadb") return mariadbContains(ours, theirs.binlogState);
  if (ours.product === "mysql" && theirs.product === "mysql" && ours.on && theirs.on) {
    return mysqlContains(ours.executed, theirs.executed);
  }
  return null;
}

export function tendingTrouble(facts: TendingFacts, { read }: TendingMemory = NOTHING_SEEN): TendingTrouble | null {
  for (const peer of facts.peers) {
    if (peer.state.kind !== "up") continue;
    const found = troubleOf(facts, peer, peer.state.facts, read.get(peer.address));
    if (found !== null) return found;
  }
  return modeTrouble(facts);
}

/** A topology that contradicts the file. */
function modeTrouble({ own, peers, replication }: TendingFacts): TendingTrouble | null {
  if (replication !== "gtid" && replication !== "position") return null;
  const servers = [
    { server: "this server", channels: own.channels },
    ...peers.flatMap(({ address, state }) =>
      state.kind === "up" ? [{ server: address, channels: state.facts.channels }] : [],
    ),
  ];
  for (const { server, channels } of servers) {
    const other = channels.find(({ gtid }) => gtid !== (replication === "gtid"));
    if (other !== undefined) return { kind: "mode", server, source: other.source, wanted: replication };
  }
  return null;
}

function troubleOf(
  facts: TendingFacts,
  peer: Peer,
  theirs: MemberFacts,
  read: string | null | undefined,
): TendingTrouble | null {
  const { address } = peer;
  if (isOpen(peer)) return { kind: "both-open", peer: address };
  // Without a ring whoever returns is compared, and told, where it is attached.
  if (facts.ring === false) return null;
  const lost = lostOf(facts, peer, theirs);
  if (lost !== null) return { kind: "lost", peer: address, lost };
  const broken = channelsFrom(facts, peer).find(
    ({ io, ioError }) => io === "stopped" && ioError?.number === FATAL_DUMP,
  );
  if (broken?.ioError) return { kind: "broken", peer: address, detail: broken.ioError.text };
  if (!channelsFrom(facts, peer).some(stands)) return null;
  const clean = isClean(facts, theirs, read);
  if (clean === true) {
    const newer = newerToOlder(theirs.version, facts.own.version);
    return newer === null ? null : { kind: "newer", peer: address, detail: newer };
  }
  if (clean === null) {
    const detail = "without GTIDs it cannot be told whether it has transactions that nobody else has";
    return { kind: "errant", peer: address, detail };
  }
  const detail =
    typeof read === "string"
      ? `its binary log holds what this server lacks, or cannot tell: ${read}`
      : `it has transactions that this server lacks: ${extraInWords(facts.own, theirs)}`;
  return { kind: "errant", peer: address, detail };
}

/** It answers, and nothing is received from it because it may have what nobody else has. */
export function isQuarantined(facts: Pick<TakeoverFacts, "own" | "peers">, peer: Peer): boolean {
  if (peer.state.kind !== "up" || !channelsFrom(facts, peer).some(stands)) return false;
  return hasNothingExtra(facts.own, peer.state.facts) !== true;
}

function extraInWords({ gtids: ours }: MemberFacts, { gtids: theirs }: MemberFacts): string {
  if (ours.product === "mariadb" && theirs.product === "mariadb") {
    return mariadbExtra(ours, theirs.binlogState) ?? `its gtid_binlog_state is ${theirs.binlogState}`;
  }
  if (ours.product === "mysql" && theirs.product === "mysql") {
    return mysqlExtra(ours.executed, theirs.executed) ?? `it has executed ${theirs.executed}`;
  }
  return "it is of another product";
}

export function tendingInWords(one: Tending): string {
  if (one.kind === "stop-events") return `switch the event scheduler of ${one.peer} off: events run at the writer`;
  if (one.kind === "unwanted") return `stop receiving from ${one.peer}: ring no`;
  if (one.kind === "resume") return `receive from ${one.peer} again: it has nothing that this server lacks`;
  if (one.kind === "leave") return `receive nothing from ${one.peer}, which is gone, until it has been compared`;
  if (one.kind === "follow")
    return `start replication on ${one.peer}, which has come back: it receives from this server`;
  if (one.kind === "bar") {
    const name = `"${BAR}${one.user}"`;
    return `receive nothing from ${one.peer} after a start of this server either: its channel, executed up to ${one.at}, logs in as ${name} until it has been compared`;
  }
  if (one.kind === "halt") return `stop the channel from ${one.peer}, which is barred and has started with this server`;
  if (one.kind === "part")
    return `stop replication on ${one.peer}: it lacks what it had committed itself (${one.lost})`;
  return one.wanted
    ? "commits wait for an acknowledgement again (semi-sync on)"
    : "degraded: no acker, commits are on this server alone (semi-sync off)";
}

export function troubleOfTending(one: TendingTrouble): string {
  switch (one.kind) {
    case "both-open":
      return `BOTH OPEN: ${one.peer} takes writes as well; nothing is received from it and nothing is changed`;
    case "errant":
      return `${one.peer} stays quarantined, nothing is received from it: ${one.detail}`;
    case "mode": {
      const does = one.wanted === "gtid" ? "by file and position" : "by GTID";
      return `${one.server} follows ${one.source} ${does}, and the file says \`replication ${one.wanted}\``;
    }
    case "lost":
      return `${one.peer} stays quarantined: it has lost what it had committed itself (${one.lost}), and replication skips that; make it anew`;
    case "broken":
      return `nothing is received from ${one.peer} (error ${FATAL_DUMP}: ${one.detail}): \`holdfast rejoin\` compares it and begins anew`;
    case "newer":
      return `nothing is received from ${one.peer}: it would be received ${one.detail}`;
  }
}
