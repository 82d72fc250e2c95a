/**
 * Replicas that follow a server of the group: once their source is gone, or in quarantine, they are pointed at the writer. With GTIDs that
 * is exact wherever a replica stands. In classic mode it is only where replica and writer had executed the same of the old source when the
 * writer was opened: then the position recorded before its first write is where the replica goes on. Anything else is left as it is and told.
 */
import { type Coordinates, coordinatesInWords, reaches } from "./coordinates.ts";
import { mariadbContains } from "./gtid.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import type { Opening } from "./opening.ts";
import { channelsFrom, type Peer, type TakeoverFacts } from "./takeover.ts";
import { hasNothingExtra, isQuarantined } from "./tending.ts";

export interface ReplicaScene extends Pick<TakeoverFacts, "own" | "peers"> {
  readonly opening: Opening | null;
  /** Hosts that are the address itself: whoever follows those moves with it. */
  readonly virtualHosts: readonly string[];
  /** It is a peer, which is there to acknowledge. */
  readonly mayAcknowledge?: boolean;
}

export type ReplicaDecision =
  /** `at` in the writer's coordinates; null: the replica's GTIDs say where it goes on. */
  | { readonly kind: "repoint"; readonly channel: string; readonly at: Coordinates | null; readonly from: string }
  /** To a place that has to be found in the writer's log by what the replica has executed last, and that is not behind `notBehind`. */
  | {
      readonly kind: "map";
      readonly channel: string;
      readonly from: string;
      readonly why: string;
      readonly notBehind: Coordinates | null;
    }
  | { readonly kind: "trouble"; readonly detail: string }
  | { readonly kind: "fine" };

const FINE: ReplicaDecision = { kind: "fine" };
const trouble = (detail: string): ReplicaDecision => ({ kind: "trouble", detail });

export function decideReplica(scene: ReplicaScene, replica: MemberFacts): ReplicaDecision {
  if (replica.closedBy === null) return trouble("it is open for writes");
  const { own } = scene;
  const following = replica.channels.find(({ sourceId }) => sourceId === own.serverId);
  if (following !== undefined) return settled(scene, following, replica);
  for (const peer of scene.peers) {
    const channel = replica.channels.find((one) => followsPeer(scene, one, peer));
    if (channel === undefined) continue;
    return isLost(scene, peer) ? moveAway(scene, replica, { channel, peer }) : settled(scene, channel, replica);
  }
  const [other] = replica.channels;
  if (other === undefined) return trouble("it replicates from nobody");
  return settled(scene, other, replica);
}

/** Nothing has to be done, but something may have to be known. */
function settled({ mayAcknowledge }: ReplicaScene, channel: ChannelFacts, { semiSync }: MemberFacts): ReplicaDecision {
  const state = stateOf(channel);
  if (state.kind === "trouble" || semiSync?.acknowledges !== true || mayAcknowledge === true) return state;
  return trouble(
    "it acknowledges commits (semi-sync), and what only a replica has is lost at a takeover: leave that to the peers",
  );
}

function stateOf({ source, sqlError, ioError, io, sql }: ChannelFacts): ReplicaDecision {
  if (sql === "stopped" && sqlError !== null) {
    return trouble(`its SQL thread has stopped with error ${sqlError.number}: ${sqlError.text}`);
  }
  if (io === "stopped" && ioError !== null) {
    return trouble(`it does not receive from ${source} (error ${ioError.number}: ${ioError.text})`);
  }
  return FINE;
}

/** By the address in the file, or by the number of the server that answered there. */
function followsPeer(scene: ReplicaScene, channel: ChannelFacts, peer: Peer): boolean {
  if (scene.virtualHosts.some((host) => channel.source.startsWith(`${host}:`))) return false;
  if (channel.source === peer.address) return true;
  const ids = channelsFrom(scene, peer).map(({ sourceId }) => sourceId);
  if (peer.state.kind === "up") ids.push(peer.state.facts.serverId);
  return channel.sourceId !== "" && channel.sourceId !== "0" && ids.includes(channel.sourceId);
}

/** Nothing comes from it any more, or nothing that counts. A peer that is back in the ring passes everything on. */
const isLost = (scene: ReplicaScene, peer: Peer): boolean =>
  peer.state.kind === "down" || peer.state.kind === "silent" || isQuarantined(scene, peer);

function moveAway(
  scene: ReplicaScene,
  replica: MemberFacts,
  { channel, peer }: { readonly channel: ChannelFacts; readonly peer: Peer },
): ReplicaDecision {
  const { sqlError } = channel;
  if (channel.sql === "stopped" && sqlError !== null) return stateOf(channel);
  if (channel.gtid) {
    if (!writerHasAll(scene.own, replica))
      return trouble("it has transactions that the writer lacks, and is left as it is");
    return { kind: "repoint", channel: channel.channel, at: null, from: channel.source };
  }
  return byPosition(scene, channel, peer);
}

function writerHasAll(own: MemberFacts, replica: MemberFacts): boolean {
  if (hasNothingExtra(own, replica) !== true) return false;
  const [ours, theirs] = [own.gtids, replica.gtids];
  // What a replica without a binary log has executed is only there.
  return ours.product !== "mariadb" || theirs.product !== "mariadb" || mariadbContains(ours, theirs.slavePos);
}

function byPosition({ opening }: ReplicaScene, channel: ChannelFacts, peer: Peer): ReplicaDecision {
  const origin = opening?.get(peer.address);
  const { executed, received } = channel;
  if (executed === null || received === null) return trouble("it does not say how far it is");
  const map = { kind: "map", channel: channel.channel, from: channel.source } as const;
  if (origin === undefined) {
    // What it has received may be nowhere else.
    if (channel.drained !== true) return trouble("it still executes what it has received");
    return { ...map, why: "what the writer had executed when it was opened is not known", notBehind: null };
  }
  const { executed: ours, position } = origin;
  const words = `it has executed ${coordinatesInWords(executed)} of ${peer.address}, the writer ${coordinatesInWords(ours)}`;
  if (reaches(ours, executed) !== true) return trouble(`${words}: it has more, and is left as it is`);
  if (reaches(executed, ours) === true) {
    return { kind: "repoint", channel: channel.channel, at: position, from: channel.source };
  }
  // What it has received it will execute; what it has not is only in the writer's own log, at another place.
  if (reaches(received, ours) === true) return FINE;
  return { ...map, why: `${words}, and the rest will not come`, notBehind: position };
}

export function repointInWords(
  replica: string,
  { from, at }: { readonly from: string; readonly at: Coordinates | null },
): string {
  const where = at === null ? "by GTID" : `from ${coordinatesInWords(at)} on`;
  return `point ${replica} at this server, ${where} (it followed ${from})`;
}
