/**
 * Facts to a verdict: what makes the check fail for everybody, what only for an instance that is not MASTER, and what is merely worth
 * saying. As MASTER only the own server decides: that its peer is dead, and replication from it stands, must not take it away.
 */
import type { Counts } from "../database/config.ts";
import type { Trouble } from "../database/trouble.ts";
import { type Finding, type Verdict, verdictOf } from "../database/verdict.ts";
import type { MysqlRules } from "./config.ts";
import { lostItsSource, type MysqlFacts, type ReplicaFacts } from "./facts.ts";
import { isDiskFull } from "./failure.ts";

/** From worst to least: the first that counts is named. */
export function judgeFacts(facts: MysqlFacts, rules: MysqlRules): Verdict {
  const findings = [
    ...disksFull(facts, rules),
    ...closed(facts, rules),
    ...crowded(facts, rules),
    ...facts.replicas.flatMap((replica) => replicaFindings(replica, rules)),
    ...blind(facts, rules),
  ];
  return verdictOf(findings, false);
}

/** The server could not be asked. With `on_max_connections ignore` one that refuses us for that is alive (as MHA has it). */
export function judgeTrouble(trouble: Trouble, rules: MysqlRules): Verdict {
  const counts = trouble.kind === "connections" ? rules.maxConnections : "fail";
  return verdictOf([{ trouble, counts }], trouble.kind === "dead");
}

function disksFull({ disks }: MysqlFacts, { minDiskFree }: MysqlRules): readonly Finding[] {
  return disks
    .filter(({ freeMib }) => freeMib < minDiskFree)
    .map(({ path, freeMib }) => ({ trouble: { kind: "disk-full", path, freeMib }, counts: "fail" }));
}

function closed({ closedBy }: MysqlFacts, { readOnly }: MysqlRules): readonly Finding[] {
  return closedBy === null ? [] : [{ trouble: { kind: "read-only", variable: closedBy }, counts: readOnly }];
}

function crowded({ connections }: MysqlFacts, { maxConnections }: MysqlRules): readonly Finding[] {
  if (connections === null || connections.used < connections.limit) return [];
  return [{ trouble: { kind: "connections", ...connections, detail: "" }, counts: maxConnections }];
}

function blind({ blindFor }: MysqlFacts, { brokenReplication, lag }: MysqlRules): readonly Finding[] {
  if (blindFor === null) return [];
  const counts = stronger(brokenReplication, lag);
  return [{ trouble: { kind: "grants", ...blindFor }, counts }];
}

const STRENGTH: Readonly<Record<Counts, number>> = { ignore: 0, standby: 1, fail: 2 };
const stronger = (one: Counts, other: Counts): Counts => (STRENGTH[one] >= STRENGTH[other] ? one : other);

function replicaFindings(replica: ReplicaFacts, rules: MysqlRules): readonly Finding[] {
  const { channel, lag } = replica;
  // An applier that stopped because the disk is full takes no writes of clients either.
  const full = replica.sqlError !== null && isDiskFull(replica.sqlError.number, replica.sqlError.text);
  if (full) return [{ trouble: { kind: "disk-full", path: null, freeMib: 0 }, counts: "fail" }];
  const broken = brokenBy(replica);
  if (broken !== null) {
    const counts = rules.managed === true && standsWithoutError(replica) ? "ignore" : rules.brokenReplication;
    return [{ trouble: { kind: "replication", channel, detail: broken }, counts }];
  }
  if (lag === null || lag <= rules.maxLag) return [];
  return [{ trouble: { kind: "lagging", channel, seconds: lag, limit: rules.maxLag }, counts: rules.lag }];
}

const standsWithoutError = ({ ioError, sqlError }: ReplicaFacts): boolean =>
  sqlError === null && (ioError === null || lostItsSource(ioError));

/** A source that cannot be reached breaks nothing: that is when a standby is needed. */
function brokenBy({ io, sql, ioError, sqlError, source }: ReplicaFacts): string | null {
  if (sql === "stopped") {
    return sqlError === null ? "the SQL thread is stopped" : `SQL thread: error ${sqlError.number}: ${sqlError.text}`;
  }
  if (io !== "stopped") return null;
  return ioError === null
    ? `the I/O thread from ${source} is stopped`
    : `I/O thread from ${source}: error ${ioError.number}: ${ioError.text}`;
}
