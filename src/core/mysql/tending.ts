/**
 * What a server that takes writes needs afterwards: acknowledgements from whoever is there to give them, and replication from a peer that
 * has come back, so that the next takeover finds two servers again. Nothing here closes or opens anything.
 */
import { mariadbContains, mariadbExtra, mysqlContains, mysqlExtra } from "./gtid.ts";
import type { ChannelFacts, MemberFacts, SemiSync } from "./member.ts";
import { channelsFrom, type Peer, type TakeoverFacts } from "./takeover.ts";

export type TendingFacts = Pick<TakeoverFacts, "own" | "peers" | "gateway" | "eventsFollow" | "replication">;

export type Tending =
  | { readonly kind: "acknowledgements"; readonly word: "master" | "source"; readonly wanted: boolean }
  /** Both threads of a channel that a takeover left standing. */
  | { readonly kind: "resume"; readonly channel: string; readonly peer: string }
  /** Of a server that is not the writer. */
  | { readonly kind: "stop-events"; readonly peer: string };

/** What is wrong and stays so until somebody acts. */
export type TendingTrouble =
  | { readonly kind: "both-open"; readonly peer: string }
  | { readonly kind: "errant"; readonly peer: string; readonly detail: string }
  /** A channel that counts otherwise than the file says. */
  | { readonly kind: "mode"; readonly server: string; readonly source: string; readonly wanted: "gtid" | "position" };

/** A writer without an acker goes on alone after this; milliseconds. */
export const ALONE_MILLIS = 3_000;

export function decideTending(facts: TendingFacts, aloneMillis: number): Tending | null {
  return acknowledgements(facts, aloneMillis) ?? resume(facts) ?? stopEvents(facts);
}

function stopEvents({ peers, eventsFollow }: TendingFacts): Tending | null {
  if (eventsFollow !== true) return null;
  const peer = peers.find((one) => one.state.kind === "up" && !isOpen(one) && one.state.facts.scheduler === "on");
  return peer === undefined ? null : { kind: "stop-events", peer: peer.address };
}

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

function resume(facts: TendingFacts): Tending | null {
  for (const peer of facts.peers) {
    if (peer.state.kind !== "up" || isOpen(peer)) continue;
    const left = channelsFrom(facts, peer).find(stands);
    if (left !== undefined && hasNothingExtra(facts.own, peer.state.facts) === true) {
      return { kind: "resume", channel: left.channel, peer: peer.address };
    }
  }
  return null;
}

const stands = ({ io, sql, sqlError }: ChannelFacts): boolean =>
  io === "stopped" && sql === "stopped" && sqlError === null;

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

export function tendingTrouble(facts: TendingFacts): TendingTrouble | null {
  for (const peer of facts.peers) {
    if (peer.state.kind !== "up") continue;
    if (isOpen(peer)) return { kind: "both-open", peer: peer.address };
    const errant = errantTrouble(facts, peer, peer.state.facts);
    if (errant !== null) return errant;
  }
  return modeTrouble(facts);
}

function errantTrouble(facts: TendingFacts, peer: Peer, theirs: MemberFacts): TendingTrouble | null {
  if (!channelsFrom(facts, peer).some(stands)) return null;
  const nothing = hasNothingExtra(facts.own, theirs);
  if (nothing === true) return null;
  const detail =
    nothing === null
      ? "without GTIDs it cannot be told whether it has transactions that nobody else has"
      : `it has transactions that this server lacks: ${extraInWords(facts.own, theirs)}`;
  return { kind: "errant", peer: peer.address, detail };
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
  if (one.kind === "resume") return `receive from ${one.peer} again: it has nothing that this server lacks`;
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
  }
}
