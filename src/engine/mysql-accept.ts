/**
 * Counts transactions of a returned server as done on the writer, without doing them: by an operator's order only, who knows that the data
 * are equal. With MySQL's GTIDs the writer commits an empty transaction under each of them; by file and position it goes on receiving behind
 * them. MariaDB's positions have no room for a transaction that was passed over.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { LoggedTransaction } from "../core/mysql/binlog.ts";
import { replicaOrder, sourceOrder } from "../core/mysql/orders.ts";
import { channelFrom } from "../core/mysql/rejoin.ts";
import type { Looked, Two } from "./mysql-compare.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

const ORDER_MILLIS = 10_000;
const GTID = /^[\da-f-]{36}(?::[a-z_]\w{0,31})?:\d{1,19}$/i;

export async function countAsDone(two: Two, { facts, found, missing }: Looked): Promise<Result<void, string>> {
  const { writer } = two;
  const { gtids } = writer.facts;
  if (gtids.product === "mariadb") {
    return err("MariaDB cannot count a transaction as done that it has not: make the server anew (--reseed)");
  }
  if (gtids.on) {
    return missing === null ? await commitEmpty(writer.member, found) : err(`not all of them are known: ${missing}`);
  }
  const channel = channelFrom(writer.facts, two.server, facts);
  const end = two.server.facts.end;
  if (channel === null || end === null) return err(`${writer.address} does not receive from ${two.server.address}`);
  const [, host = "", port = "3306"] = /^(.*):(\d+)$/.exec(channel.source) ?? [];
  const { version } = writer.facts;
  return await inOrder(writer.member, [
    replicaOrder(version, "STOP", { channel: channel.channel, thread: null }),
    sourceOrder(version, channel, { host, port: Number(port), at: end }),
  ]);
}

async function commitEmpty(member: MysqlMember, found: readonly LoggedTransaction[]): Promise<Result<void, string>> {
  for (const { gtid } of found) {
    if (gtid === null || !GTID.test(gtid)) return err(`${gtid} is no GTID`);
    const done = await inOrder(member, [`SET @@SESSION.gtid_next = '${gtid}'`, "BEGIN", "COMMIT"]);
    const automatic = await inOrder(member, ["SET @@SESSION.gtid_next = 'AUTOMATIC'"]);
    if (done.ok && automatic.ok) continue;
    // Nothing else may run in a session that still has the GTID.
    member.close();
    return done.ok ? automatic : done;
  }
  return ok(undefined);
}

async function inOrder(member: MysqlMember, statements: readonly string[]): Promise<Result<void, string>> {
  for (const statement of statements) {
    const done = await member.order(statement, ORDER_MILLIS);
    if (!done.ok) return err(`${statement.split(" ").slice(0, 3).join(" ")}: ${failureInWords(done.error)}`);
  }
  return ok(undefined);
}
