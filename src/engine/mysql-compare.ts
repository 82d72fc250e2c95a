/** Compares a server that has returned with the writer: by GTIDs of either product, or by what its binary log holds behind a position. */
import type { LoggedTransaction } from "../core/mysql/binlog.ts";
import { comparisonOf, lostTail } from "../core/mysql/errant.ts";
import { mariadbExtra, mysqlExtra } from "../core/mysql/gtid.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import { channelFrom, type Extra, type RejoinFacts, type Returned } from "../core/mysql/rejoin.ts";
import { findExtra } from "./mysql-binlog.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface Two {
  readonly writer: Returned & { readonly member: MysqlMember };
  readonly server: Returned & { readonly member: MysqlMember };
}

export interface Looked {
  readonly facts: RejoinFacts;
  readonly found: readonly LoggedTransaction[];
  readonly missing: string | null;
}

const ORDER_MILLIS = 10_000;

/**
 * Before the server's data go: everything that is in its binary log alone, also where the writer's position says that it was passed over, and where
 * the server has lost something besides.
 */
export async function compareForExport(two: Two, pair: boolean): Promise<Looked> {
  const looked = await compare(await withoutPassedOver(two), pair, false);
  const { extra } = looked.facts;
  return extra.kind === "unknown" && looked.missing === null ? { ...looked, missing: extra.why } : looked;
}

/** MariaDB's gtid_slave_pos can be set by hand, as after an error: what is not in the writer's own binary log, which holds all that it executed, is not there. */
async function withoutPassedOver(two: Two): Promise<Two> {
  const { writer } = two;
  const { gtids, version } = writer.facts;
  if (gtids.product !== "mariadb" || version.product !== "mariadb") return two;
  const rows = await writer.member.order("SELECT @@global.log_slave_updates AS value", ORDER_MILLIS);
  if (!rows.ok || rows.value[0]?.value !== "1") return two;
  return { ...two, writer: { ...writer, facts: { ...writer.facts, gtids: { ...gtids, slavePos: "" } } } };
}

/** `pair`: nobody else is in the group. */
export const compareTwo = (two: Two, pair: boolean): Promise<Looked> => compare(two, pair, true);

async function compare(two: Two, pair: boolean, lostEndsIt: boolean): Promise<Looked> {
  const { writer, server } = two;
  const channel = channelFrom(writer.facts, server, { pair });
  const comparison = comparisonOf(writer.facts, server.facts, channel);
  const held = server.facts.gtids.product === "mysql" ? server.facts.gtids.executed : "";
  const purged = await value(writer.member, writer.facts, "SELECT @@global.gtid_purged AS value");
  const lost = lostTail({ writer: writer.facts, server: server.facts, channel });
  const base = {
    writer: { address: writer.address, facts: writer.facts },
    server: { address: server.address, facts: server.facts },
    lost,
    purged: purged === null ? "" : (mysqlExtra(held, purged) ?? ""),
    pair,
  };
  if (comparison.kind === "impossible") {
    return { facts: { ...base, extra: { kind: "unknown", why: comparison.why } }, found: [], missing: null };
  }
  if ((comparison.kind === "set" && comparison.extra === "") || (comparison.kind === "state" && !comparison.extra)) {
    return { facts: { ...base, extra: { kind: "none" } }, found: [], missing: null };
  }
  if (lost !== null && lostEndsIt) return { facts: { ...base, extra: { kind: "none" } }, found: [], missing: null };
  const read = await findExtra(server.member, comparison, writer.facts);
  if (!read.ok) return { facts: { ...base, extra: unread(two, read.error) }, found: [], missing: read.error };
  const { transactions, missing } = read.value;
  const extra = extraInWords(two, transactions);
  return { facts: { ...base, extra }, found: transactions, missing };
}

/** MySQL alone has these variables. */
async function value(member: MysqlMember, { version }: MemberFacts, statement: string): Promise<string | null> {
  if (version.product !== "mysql") return null;
  const rows = await member.order(statement, ORDER_MILLIS);
  return rows.ok ? ((rows.value[0]?.value ?? null)?.replaceAll(/\s/g, "") ?? null) : null;
}

function gtidsTooMany({ writer, server }: Two): string | null {
  const [ours, theirs] = [writer.facts.gtids, server.facts.gtids];
  if (ours.product === "mariadb" && theirs.product === "mariadb") return mariadbExtra(ours, theirs.binlogState);
  if (ours.product === "mysql" && theirs.product === "mysql" && ours.on)
    return mysqlExtra(ours.executed, theirs.executed);
  return null;
}

/** Known by GTIDs to be too many, and not to be read. */
function unread(two: Two, why: string): Extra {
  const what = gtidsTooMany(two);
  return what === null || what === "" ? { kind: "unknown", why } : { kind: "some", what, count: null };
}

function extraInWords(two: Two, found: readonly LoggedTransaction[]): Extra {
  const known = gtidsTooMany(two);
  const [first, last] = [found[0], found.at(-1)];
  if (known !== null && known !== "") return { kind: "some", what: known, count: found.length };
  if (first === undefined || last === undefined) return { kind: "none" };
  const what = `${first.file}:${first.from} to ${last.file}:${last.to}`;
  return { kind: "some", what, count: found.length };
}
