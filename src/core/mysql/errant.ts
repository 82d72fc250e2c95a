/** Transactions that a returned server has and the writer lacks, or the other way round: which of those in a binary log they are. */
import type { LoggedTransaction } from "./binlog.ts";
import { type Coordinates, coordinatesInWords, reaches } from "./coordinates.ts";
import { type MariadbGtids, mariadbContains, mysqlContains, mysqlExtra } from "./gtid.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";

/** How the two are compared. */
export type Comparison =
  /** MySQL: GTID_SUBTRACT of the two sets; empty: nothing. */
  | { readonly kind: "set"; readonly extra: string }
  /** MariaDB: by the last number of every domain and server. */
  | { readonly kind: "state"; readonly extra: boolean }
  /** What the writer has executed of the server's binary log; what is behind it has to be read. */
  | { readonly kind: "position"; readonly after: Coordinates }
  | { readonly kind: "impossible"; readonly why: string };

/** `channel` is the writer's from that server; null: it has none. */
export function comparisonOf(writer: MemberFacts, server: MemberFacts, channel: ChannelFacts | null): Comparison {
  const [ours, theirs] = [writer.gtids, server.gtids];
  if (ours.product === "mariadb" && theirs.product === "mariadb") {
    return { kind: "state", extra: !mariadbContains(ours, theirs.binlogState) };
  }
  if (ours.product !== "mysql" || theirs.product !== "mysql") {
    return { kind: "impossible", why: "one is MySQL and the other MariaDB" };
  }
  if (ours.on && theirs.on) {
    const extra = mysqlExtra(ours.executed, theirs.executed);
    return extra === null ? { kind: "impossible", why: "their GTIDs are not understood" } : { kind: "set", extra };
  }
  return byPosition(server, channel);
}

function byPosition(server: MemberFacts, channel: ChannelFacts | null): Comparison {
  if (server.end === null) return { kind: "impossible", why: "it has no binary log, and GTIDs are off" };
  const after = channel?.executed ?? null;
  if (after === null) {
    const why =
      "without GTIDs only what the writer has executed of its binary log could tell, and the writer does not receive from it";
    return { kind: "impossible", why };
  }
  const ahead = reaches(server.end, after);
  if (ahead === null) {
    return {
      kind: "impossible",
      why: `its binary log is ${server.end.file} and the writer has received ${after.file}`,
    };
  }
  return { kind: "position", after };
}

/** Those of the server's transactions that the writer has not executed. */
export function extraOf(
  transactions: readonly LoggedTransaction[],
  comparison: Comparison,
  writer: MemberFacts,
): readonly LoggedTransaction[] {
  const { gtids } = writer;
  switch (comparison.kind) {
    case "set":
      return transactions.filter(({ gtid }) => gtid !== null && mysqlContains(comparison.extra, gtid));
    case "state":
      return transactions.filter(
        ({ gtid }) => gtid !== null && gtids.product === "mariadb" && !mariadbContains(gtids, gtid),
      );
    case "position":
      return transactions.filter(
        ({ file, from, serverId }) =>
          serverId !== writer.serverId && reaches({ file, offset: from }, comparison.after) === true,
      );
    case "impossible":
      return [];
  }
}

/** How many transactions a set stands for. */
export function countOf(set: string): bigint {
  let count = 0n;
  for (const [, first = "0", last] of set.matchAll(/:(\d+)(?:-(\d+))?/g))
    count += BigInt(last ?? first) - BigInt(first) + 1n;
  return count;
}

export interface TailScene {
  readonly writer: MemberFacts;
  readonly server: MemberFacts;
  /** The writer's from the returned server. */
  readonly channel: ChannelFacts | null;
}

/**
 * The writer has committed transactions of this server that it lost itself: it was restored, or lost its last second in a crash. Replication
 * does not bring them back, because a server skips whatever carries its own server_id. In words; null when nothing is lost.
 */
export function lostTail({ writer, server, channel }: TailScene): string | null {
  const [ours, theirs] = [writer.gtids, server.gtids];
  if (ours.product === "mysql" && theirs.product === "mysql" && ours.on && theirs.on) {
    const { uuid = "" } = theirs;
    if (uuid === "") return null;
    const missing = mysqlExtra(theirs.executed, ours.executed) ?? "";
    const own = missing.split(",").filter((part) => part.startsWith(uuid.toLowerCase()));
    return own.length === 0 ? null : own.join(",");
  }
  if (ours.product === "mariadb" && theirs.product === "mariadb") {
    if (takesItsOwn(server)) return null;
    return lostByNumber(ours.binlogState, theirs, server.serverId);
  }
  const executed = channel?.executed ?? null;
  if (executed === null || server.end === null || reaches(server.end, executed) !== false) return null;
  return `its binary log ends at ${coordinatesInWords(server.end)}, and the writer has executed it up to ${coordinatesInWords(executed)}`;
}

/** MariaDB with GTIDs and rpl_semi_sync_slave_enabled takes back what it has written itself and not in its log (sql/slave.cc, queue_event). */
const takesItsOwn = ({ semiSync, channels }: MemberFacts): boolean =>
  semiSync?.acknowledges === true && channels.some(({ gtid }) => gtid);

function lostByNumber(held: string, theirs: MariadbGtids, serverId: string): string | null {
  const lost = lastOf(held, serverId).filter(({ domain, sequence }) => {
    const logged = lastOf(theirs.binlogState, serverId).find((one) => one.domain === domain);
    // A copy of the writer has no log of its own yet; a position that is behind is what it lacks then.
    return sequence > (logged?.sequence ?? positionIn(theirs.slavePos, domain));
  });
  return lost.length === 0 ? null : lost.map(({ domain, sequence }) => `${domain}-${serverId}-${sequence}`).join(", ");
}

interface Last {
  readonly domain: string;
  readonly sequence: bigint;
}

function lastOf(state: string, serverId: string): readonly Last[] {
  return state.split(",").flatMap((entry) => {
    const [domain = "", server, sequence] = entry.trim().split("-");
    return server === serverId && /^\d+$/.test(sequence ?? "") ? [{ domain, sequence: BigInt(sequence ?? "0") }] : [];
  });
}

function positionIn(position: string, domain: string): bigint {
  const numbers = position.split(",").flatMap((entry) => {
    const [one, , sequence] = entry.trim().split("-");
    return one === domain && /^\d+$/.test(sequence ?? "") ? [BigInt(sequence ?? "0")] : [];
  });
  return numbers.sort((a, b) => (a < b ? -1 : 1)).at(-1) ?? 0n;
}
