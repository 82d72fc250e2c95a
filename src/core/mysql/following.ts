/**
 * A standby and its writer: when it is proved that nothing can have been acknowledged without it, so that it may open alone should the
 * writer die, and when it may receive again from a writer that it had left.
 */
import { type Coordinates, reaches } from "./coordinates.ts";
import { mysqlExtra } from "./gtid.ts";
import type { MemberFacts, MemberGtids } from "./member.ts";
import type { SeenChannel } from "./orders.ts";
import { newerToOlder } from "./rejoin.ts";
import { channelsFrom, hasEverything, lostTo, type Peer, type TakeoverFacts } from "./takeover.ts";
import { hasNothingExtra, stands } from "./tending.ts";

export type FollowingFacts = Pick<TakeoverFacts, "own" | "peers">;

/**
 * It receives, it has what the writer had a moment ago and has lost nothing of its own, and the writer's commits wait for an acknowledgement where they can. Without
 * the middle part a standby that was cut off while the writer went on alone would count as soon as its receiver connects; a receiver that
 * merely says "running" does so for slave_net_timeout after its cable was pulled.
 */
export function provesFollowing(facts: FollowingFacts): boolean {
  const up = facts.peers.flatMap((peer) => (peer.state.kind === "up" ? [{ peer, theirs: peer.state.facts }] : []));
  const followed = up.filter(({ peer, theirs }) => follows(facts, peer, theirs));
  const passedOver = up.some((one) => one.theirs.closedBy === null && !followed.includes(one));
  return followed.length > 0 && !passedOver;
}

function follows(facts: FollowingFacts, peer: Peer, theirs: MemberFacts): boolean {
  const alone = theirs.closedBy === null && theirs.semiSync !== null && !theirs.semiSync.enabled;
  if (alone && facts.own.semiSync?.acknowledges === true) return false;
  if (lostTo(facts.own, theirs) !== null) return false;
  const channels = channelsFrom(facts, peer).filter(({ io }) => io === "running");
  if (channels.length === 0) return false;
  return hasEverything(facts, peer, theirs) || channels.some(({ received }) => covers(received, theirs.end));
}

const covers = (received: Coordinates | null, end: Coordinates | null): boolean =>
  end === null || (received !== null && reaches(received, end) === true);

export interface LeftChannel {
  readonly channel: SeenChannel;
  readonly peer: string;
}

/**
 * The channel from a peer that is open, which stands without an error, while this server has nothing that the peer lacks and has lost nothing
 * of its own: whoever has left it did so for a takeover of its own, and is a standby now.
 */
export function channelToResume(facts: FollowingFacts): LeftChannel | null {
  for (const peer of facts.peers) {
    if (peer.state.kind !== "up" || peer.state.facts.closedBy !== null) continue;
    const writer = peer.state.facts;
    const left = channelsFrom(facts, peer).find(stands);
    if (left === undefined || hasNothingExtra(writer, facts.own) !== true) continue;
    if (newerToOlder(writer.version, facts.own.version) !== null) continue;
    if (lostTo(facts.own, writer) !== null) continue;
    return { channel: left, peer: peer.address };
  }
  return null;
}

/**
 * Whether somebody else was the writer since this one was opened, and what they wrote can come here: a peer that is received from is open, has
 * what only a writer can have made, or such a thing has arrived since. Where nothing is received, or this server has committed what
 * nobody acknowledged, both have gone their own ways: closing this one as well would help nobody. `opened`: what this server had then; null
 * when that is not known.
 */
export function isOutrun(facts: FollowingFacts, opened: MemberGtids | null): boolean {
  const { own } = facts;
  const ahead = (theirs: MemberFacts): boolean => theirs.closedBy === null || hasNothingExtra(own, theirs) === false;
  const peers = facts.peers.flatMap((peer) => (peer.state.kind === "up" ? [{ peer, theirs: peer.state.facts }] : []));
  if (own.semiSync?.enabled !== true && peers.some(({ theirs }) => hasNothingExtra(theirs, own) === false))
    return false;
  const elsewhere = peers.some(
    ({ peer, theirs }) =>
      channelsFrom(facts, peer).some(({ io, sql }) => io !== "stopped" && sql === "running") && ahead(theirs),
  );
  return elsewhere || (opened !== null && hasGrownElsewhere(opened, own));
}

/** Transactions of other servers that have come in since. */
function hasGrownElsewhere(before: MemberGtids, { gtids: now, serverId }: MemberFacts): boolean {
  if (before.product === "mariadb" && now.product === "mariadb") {
    const had = mariadbNumbers(before.binlogState);
    return [...mariadbNumbers(now.binlogState)].some(
      ([source, number]) => !source.endsWith(`-${serverId}`) && number > (had.get(source) ?? 0n),
    );
  }
  if (before.product !== "mysql" || now.product !== "mysql" || now.uuid === undefined || now.uuid === "") return false;
  const own = now.uuid.toLowerCase();
  const extra = mysqlExtra(before.executed, now.executed) ?? "";
  return extra.split(",").some((part) => part !== "" && !part.startsWith(own));
}

/** Number by `domain-server`. */
function mariadbNumbers(state: string): ReadonlyMap<string, bigint> {
  const parts = state.split(",").flatMap((part) => {
    const match = /^\s*(\d+-\d+)-(\d+)\s*$/.exec(part);
    return match === null ? [] : [[match[1] ?? "", BigInt(match[2] ?? "0")] as const];
  });
  return new Map(parts);
}
