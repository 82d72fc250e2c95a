/**
 * Whether a MySQL or MariaDB server belongs behind a service: facts of one look to a finding. A server that was out must have caught up
 * (rejoin_lag) before it comes back, so that it does not flap at the limit.
 */
import type { ReplicaFacts } from "../mysql/facts.ts";
import type { MysqlChecker } from "./checkers.ts";
import { type Finding, OK } from "./findings.ts";

export interface MysqlLook {
  /** Variable that closes the server for writes; null: it is open. */
  readonly closedBy: string | null;
  readonly replicas: readonly ReplicaFacts[];
  /** The privilege that was missing to see them. */
  readonly blindFor: string | null;
  /** Seconds by the heartbeat table; null: none is configured, or it is empty. */
  readonly heartbeatLag: number | null;
}

export interface MysqlJudgement {
  readonly finding: Finding;
  /** Part of the weight that the lag leaves, above 0 up to 1. */
  readonly share: number;
}

const trouble = (text: string): MysqlJudgement => ({ finding: { kind: "trouble", text }, share: 1 });

export function judgeMysql(
  checker: Pick<MysqlChecker, "role" | "maxLag" | "rejoinLag" | "heartbeatTable" | "lagWeight">,
  look: MysqlLook,
  wasUp: boolean,
): MysqlJudgement {
  const { role } = checker;
  const wrong = wrongRole(role, look);
  if (wrong !== null) return trouble(wrong);
  if (role === "writer") return { finding: OK, share: 1 };
  if (look.blindFor !== null) return trouble(`the account may not see replication: GRANT ${look.blindFor}`);
  const broken = look.replicas.map(brokenReplica).find((text) => text !== null);
  if (broken !== undefined && broken !== null) return trouble(broken);
  return judgeLag(checker, look, wasUp);
}

function wrongRole(role: MysqlChecker["role"], { closedBy, replicas, blindFor }: MysqlLook): string | null {
  if (role === "writer") return closedBy === null ? null : `it takes no writes (${closedBy})`;
  if (role === "any") return null;
  if (closedBy === null) return "it takes writes, so it is no replica (read_only is off)";
  return replicas.length === 0 && blindFor === null ? "it replicates from nobody" : null;
}

/** A source that cannot be reached breaks no replica: what it has is still read. */
function brokenReplica({ channel, io, sql, ioError, sqlError, source }: ReplicaFacts): string | null {
  const of = channel === "" ? "" : ` of channel ${channel}`;
  if (sql === "stopped")
    return `its SQL thread${of} is stopped${sqlError === null ? "" : ` (error ${sqlError.number})`}`;
  if (io !== "stopped") return null;
  return `its I/O thread${of} from ${source} is stopped${ioError === null ? "" : ` (error ${ioError.number})`}`;
}

function judgeLag(
  { maxLag, rejoinLag, heartbeatTable, lagWeight }: Parameters<typeof judgeMysql>[0],
  { replicas, heartbeatLag }: MysqlLook,
  wasUp: boolean,
): MysqlJudgement {
  if (maxLag === null) return { finding: OK, share: 1 };
  if (heartbeatTable === null && replicas.length === 0) return { finding: OK, share: 1 };
  const lags = heartbeatTable === null ? replicas.map(({ lag }) => lag) : [heartbeatLag];
  if (lags.includes(null)) {
    return trouble(heartbeatTable === null ? "its lag is not known" : `there is no heartbeat in ${heartbeatTable}`);
  }
  const lag = Math.max(0, ...(lags as readonly number[]));
  const limit = wasUp ? maxLag : (rejoinLag ?? maxLag);
  if (lag > limit) {
    const of = wasUp ? `max_lag is ${maxLag}` : `it comes back at ${limit}`;
    return trouble(`it lags ${Math.round(lag)} s behind, and ${of}`);
  }
  return { finding: OK, share: lagWeight && maxLag > 0 ? Math.max(Number.EPSILON, 1 - lag / maxLag) : 1 };
}
