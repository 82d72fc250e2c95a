/**
 * Without a ring the writer receives from nobody, and a server that has returned receives from the writer: by the channel that it has, or by a new
 * one. In classic mode a new one begins at the position that was noted before the writer's first write, which is right for a server that has
 * nothing of its own since and nothing of the writer's either: one that was attached before and has lost its channel would execute all of it again.
 */
import { type Coordinates, coordinatesInWords } from "./coordinates.ts";
import type { ChannelFacts } from "./member.ts";
import type { Opening } from "./opening.ts";
import { channelFrom, type RejoinFacts, refusesRejoin } from "./rejoin.ts";

export type AttachDecision =
  | { readonly kind: "fine" }
  /** The channel is there and stands. */
  | { readonly kind: "start"; readonly channel: string }
  /** A new one; null: its GTIDs say where. */
  | { readonly kind: "create"; readonly at: Coordinates | null }
  | { readonly kind: "refuse"; readonly reason: string };

export interface AttachScene {
  readonly facts: RejoinFacts;
  readonly opening: Opening | null;
  readonly replication: "gtid" | "position" | "auto";
  /** By GTID it takes back what it has lost, instead of skipping what carries its own number: MariaDB with semi-sync and strict GTIDs. */
  readonly takesBackOwn: boolean;
  /** It has received from the noted position on before. */
  readonly attachedBefore: boolean;
}

export function decideAttach(scene: AttachScene): AttachDecision {
  const { facts, replication, takesBackOwn } = scene;
  const channel = channelFrom(facts.server.facts, facts.writer, { pair: false });
  if (channel !== null && channel.io !== "stopped" && channel.sql === "running") return { kind: "fine" };
  const gtid = channel === null ? byGtid(facts, replication) : channel.gtid;
  const refused = refusesRejoin(gtid && takesBackOwn ? { ...facts, lost: null } : facts);
  if (refused !== null) return { kind: "refuse", reason: refused };
  if (channel !== null) return startOf(channel);
  return gtid ? { kind: "create", at: null } : fromTheOpening(scene);
}

function startOf({ channel, sqlError, ioError }: ChannelFacts): AttachDecision {
  const error = sqlError ?? ioError;
  if (error !== null && (sqlError !== null || error.number === FATAL_DUMP)) {
    return { kind: "refuse", reason: `its replication has stopped with error ${error.number}: ${error.text}` };
  }
  return { kind: "start", channel };
}

function fromTheOpening({ facts, opening, attachedBefore }: AttachScene): AttachDecision {
  const origin = opening?.get(facts.server.address);
  if (origin === undefined) {
    return { kind: "refuse", reason: "classic mode, and the position before the writer's first write is not known" };
  }
  return attachedBefore ? { kind: "refuse", reason: CHANNEL_GONE } : { kind: "create", at: origin.position };
}

const FATAL_DUMP = 1236;
const CHANNEL_GONE =
  "its channel from this server was removed, and in classic mode nothing else says how far it had executed: point it by hand, or make it anew";

/** Where the file leaves it open: as the writer followed it, or by GTID when both have them. */
function byGtid({ writer, server }: RejoinFacts, replication: AttachScene["replication"]): boolean {
  if (replication !== "auto") return replication === "gtid";
  const before = channelFrom(writer.facts, server, { pair: true });
  if (before !== null) return before.gtid;
  const [ours, theirs] = [writer.facts.gtids, server.facts.gtids];
  return ours.product === "mariadb" || (ours.on && theirs.product === "mysql" && theirs.on);
}

export function attachInWords(server: string, decision: Extract<AttachDecision, { kind: "start" | "create" }>): string {
  if (decision.kind === "start") return `start replication on ${server}: it receives from this server`;
  const where = decision.at === null ? "by GTID" : `from ${coordinatesInWords(decision.at)} on`;
  return `attach ${server} to this server, ${where}`;
}
