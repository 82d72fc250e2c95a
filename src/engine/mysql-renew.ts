/**
 * The writer receives again from a server whose binary log does not reach back to where the writer's channel stands: it was made anew, or its
 * logs are purged. Only for a server that has nothing the writer lacks: then everything it has is the writer's own echo, and its present end is
 * as good a place as any.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import type { ChannelFacts, MemberFacts } from "../core/mysql/member.ts";
import { demoteOrder, replicaOrder, sourceOrder } from "../core/mysql/orders.ts";
import type { Two } from "./mysql-compare.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

const ORDER_MILLIS = 10_000;
/** The writer may be under load: the server must have what the writer had when it was asked. */
const WAIT_SECONDS = 20;

export async function renewBackEdge({ writer, server }: Two, channel: ChannelFacts): Promise<Result<void, string>> {
  const { version } = writer.facts;
  const order = (verb: "START" | "STOP"): string =>
    replicaOrder(version, verb, { channel: channel.channel, thread: null });
  const stopped = await inOrder(writer.member, [order("STOP")]);
  if (!stopped.ok) return stopped;
  const moved = channel.gtid
    ? await byGtid({ writer, server }, channel)
    : await byPosition({ writer, server }, channel);
  return moved.ok ? await inOrder(writer.member, [order("START")]) : moved;
}

/**
 * MariaDB: gtid_slave_pos becomes what the writer itself has, and the channel is started when the server has that much: it refuses a position
 * that it does not know yet, and would not be asked again.
 */
async function byGtid({ writer, server }: Two, { channel }: ChannelFacts): Promise<Result<void, string>> {
  const demoted = await inOrder(writer.member, [demoteOrder(channel)]);
  if (!demoted.ok) return demoted;
  const asked = await writer.member.order("SELECT @@global.gtid_slave_pos AS position", ORDER_MILLIS);
  if (!asked.ok) return err(failureInWords(asked.error));
  const position = asked.value[0]?.position ?? "";
  if (!/^[\d,\s-]*$/.test(position)) return err(`${position} is no position`);
  const wait = `SELECT MASTER_GTID_WAIT('${position}', ${WAIT_SECONDS}) AS done`;
  const reached = await server.member.order(wait, (WAIT_SECONDS + 5) * 1_000);
  if (!reached.ok) return err(failureInWords(reached.error));
  return reached.value[0]?.done === "0"
    ? ok(undefined)
    : err(`${server.address} has not reached ${position} in ${WAIT_SECONDS} s`);
}

/** From where its log ends now, while it is closed. */
async function byPosition({ writer, server }: Two, channel: ChannelFacts): Promise<Result<void, string>> {
  const facts: Result<MemberFacts, unknown> = await server.member.facts();
  if (!facts.ok || facts.value.end === null) return err(`${server.address} does not say where its binary log ends`);
  if (facts.value.closedBy === null) return err(`${server.address} is open for writes`);
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(channel.source) ?? [];
  const at = facts.value.end;
  return await inOrder(writer.member, [sourceOrder(writer.facts.version, channel, { host, port: Number(port), at })]);
}

async function inOrder(member: MysqlMember, statements: readonly string[]): Promise<Result<void, string>> {
  for (const statement of statements) {
    const done = await member.order(statement, ORDER_MILLIS);
    if (!done.ok) return err(`${statement.split(" ").slice(0, 3).join(" ")}: ${failureInWords(done.error)}`);
  }
  return ok(undefined);
}
