/**
 * A replica that has stopped with an error: which transaction it stands at, and how that one is passed over, in each product's way. Skipping
 * leaves the replica without what the transaction did, so an operator sees it first and orders exactly this one.
 */
import { type BinlogEvent, transactionsOf } from "./binlog.ts";
import { coordinates, coordinatesInWords } from "./coordinates.ts";
import type { SqlRow } from "./facts.ts";
import { mysqlContains } from "./gtid.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { replicaOrder, sourceOrder } from "./orders.ts";
import { atLeast } from "./version.ts";

export interface Failing {
  readonly channel: ChannelFacts;
  /** Its GTID, or where it begins in the source's binary log: what an operator's order has to repeat. */
  readonly transaction: string;
  readonly gtid: string | null;
  /** Behind it, in the source's binary log; null when its end has not been received into this relay log. */
  readonly end: number | null;
  readonly events: readonly BinlogEvent[];
}

/** Where its relay log stands, from the row of the replica status; null when the server does not say. */
export function relayPlace(row: SqlRow): { readonly file: string; readonly offset: number } | null {
  return coordinates(row.Relay_Log_File, row.Relay_Log_Pos);
}

export function relayEventsStatement(
  place: { readonly file: string; readonly offset: number },
  channel: string,
): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  const of = channel === "" ? "" : ` FOR CHANNEL ${quoted(channel)}`;
  return `SHOW RELAYLOG EVENTS IN ${quoted(place.file)} FROM ${place.offset} LIMIT ${MOST_EVENTS}${of}`;
}

const MOST_EVENTS = 500;

/** The first transaction from there on that the replica has not executed: with several workers those before it may be done already. */
export function failingOf(
  events: readonly BinlogEvent[],
  channel: ChannelFacts,
  { gtids }: MemberFacts,
): Failing | null {
  const groups = transactionsOf("", events);
  const group = groups.find(
    ({ gtid }) => !(gtids.product === "mysql" && gtids.on && gtid !== null && mysqlContains(gtids.executed, gtid)),
  );
  if (group === undefined || channel.executed === null) return null;
  const first = events.findIndex(({ from }) => from === group.from);
  const next = events.findIndex((event, at) => at > first && /^(gtid|anonymous_gtid)/i.test(event.type));
  const own = events.slice(first, next < 0 ? undefined : next);
  const place = coordinatesInWords(channel.executed);
  const last = own.at(-1);
  const ends = last !== undefined && (next >= 0 || TERMINAL.test(last.type) || /^COMMIT\b/i.test(last.info));
  return {
    channel,
    transaction: group.gtid ?? place,
    gtid: group.gtid,
    end: ends ? last.to : null,
    events: own,
  };
}

const TERMINAL = /^(xid|xa_prepare)/i;

/** The statements, in order; an error says why it must not be done so. */
export function skipOrders(
  { channel, gtid, end }: Failing,
  { version, gtids }: MemberFacts,
): { readonly statements: readonly string[] } | { readonly refused: string } {
  const only = (verb: "START" | "STOP", thread: "SQL_THREAD" | null): string =>
    replicaOrder(version, verb, { channel: channel.channel, thread });
  if (gtids.product === "mysql" && gtids.on) {
    if (gtid === null) return { refused: "the transaction has no GTID, and GTIDs are on" };
    const empty = [`SET @@SESSION.gtid_next = '${gtid}'`, "BEGIN", "COMMIT", "SET @@SESSION.gtid_next = 'AUTOMATIC'"];
    return { statements: [...empty, only("START", "SQL_THREAD")] };
  }
  if (gtids.product === "mysql") {
    const word = atLeast(version, 8, 0, 26) ? "replica" : "slave";
    return { statements: [`SET GLOBAL sql_${word}_skip_counter = 1`, only("START", "SQL_THREAD")] };
  }
  // sql_slave_skip_counter needs SUPER there. What is set instead makes the relay log be received anew, so the source must be there.
  if (channel.io !== "running") {
    return {
      refused: "its source does not answer, and MariaDB would throw away what it has received; start the source first",
    };
  }
  if (channel.gtid) {
    if (gtid === null) return { refused: "the transaction has no GTID, and replication uses them" };
    const position = `SET GLOBAL gtid_slave_pos = '${withGtid(gtids.slavePos, gtid)}'`;
    return { statements: [only("STOP", null), position, only("START", null)] };
  }
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(channel.source) ?? [];
  if (end === null || channel.executed === null)
    return { refused: "the end of the transaction has not been received yet" };
  const at = { file: channel.executed.file, offset: end };
  const beyond = sourceOrder(version, channel.channel, { host, port: Number(port), at });
  return { statements: [only("STOP", null), beyond, only("START", null)] };
}

/** A position of MariaDB with that transaction as the last of its domain. */
function withGtid(position: string, gtid: string): string {
  const domain = (one: string): string => one.trim().split("-")[0] ?? "";
  const others = position.split(",").filter((one) => one.trim() !== "" && domain(one) !== domain(gtid));
  return [...others, gtid].join(",");
}
