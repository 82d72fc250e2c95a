/** Tracked database servers for `status` and `explain`: the engine's account with the words of core, and who tracks which. */
import type { HoldfastConfig } from "../core/config/model.ts";
import { lengthInWords } from "../core/events/explain.ts";
import { sameTrouble, troubleInWords } from "../core/mysql/trouble.ts";
import type { MysqlStatus } from "../engine/mysql-engine.ts";
import type { ExplainLine, MysqlView } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";

export function mysqlView(
  status: MysqlStatus,
  config: HoldfastConfig | null,
  wallTime: (monotonic: number) => number,
): MysqlView {
  const { name, server, version, standing, trouble, since, lookedAt, intervalMillis } = status;
  return {
    name,
    server,
    version,
    standing,
    trouble: trouble === null ? null : troubleInWords(trouble),
    cause: trouble,
    remarks: [
      ...(status.group ?? []),
      ...(status.remark == null ? [] : [status.remark]),
      ...status.findings
        .filter((finding) => !sameTrouble(finding.trouble, trouble))
        .map((finding) => troubleInWords(finding.trouble)),
    ],
    since: since === null ? null : wallTime(since),
    lookedAt: lookedAt === null ? null : wallTime(lookedAt),
    intervalMillis,
    replicas: status.replicas.map(({ channel, source, io, sql, lag }) => ({
      channel,
      source,
      io,
      sql,
      lagSeconds: lag,
    })),
    trackedBy: trackersOf(name, config),
  };
}

function trackersOf(name: string, config: HoldfastConfig | null): MysqlView["trackedBy"] {
  return (config?.instances ?? []).flatMap(({ vrrp }) => {
    const tracked = vrrp.trackMysql.find(({ key }) => key === name);
    return tracked === undefined ? [] : [{ instance: vrrp.name, weight: tracked.weight }];
  });
}

/** Why a server fails, since when, and what was known of it; null when the daemon has no account of it. */
export function mysqlLines({ status, clockText, config }: ExplainInput, name: string): ExplainLine[] | null {
  const view = status.mysql.find((one) => one.name === name);
  if (view === undefined || view.trouble === null) return null;
  const since =
    view.since === null ? "" : ` since ${clockText(view.since)} (${lengthInWords(status.now - view.since)})`;
  const version = view.version === null ? "" : `, ${view.version}`;
  const looked = view.lookedAt === null ? "" : `, last ${lengthInWords(status.now - view.lookedAt)} ago`;
  return [
    { depth: 1, text: `mysql ${name} fails${since}: ${view.trouble}` },
    { depth: 2, text: `it is looked at every ${lengthInWords(view.intervalMillis)}${looked}` },
    { depth: 2, text: `the server is ${view.server}${version}` },
    ...loginLines(view, config),
    ...view.replicas.map((replica) => ({ depth: 2, text: replicaText(replica) })),
    ...view.remarks.map((text) => ({ depth: 2, text: `besides: ${text}` })),
  ];
}

/** Which file the daemon logs in with, where that may be what is wrong. */
function loginLines({ name, cause }: MysqlView, config: HoldfastConfig | null): ExplainLine[] {
  if (cause?.kind !== "denied" && cause?.kind !== "setup" && cause?.kind !== "grants") return [];
  const block = config?.mysql.find((one) => one.name === name);
  if (block === undefined) return [];
  const text =
    block.credentials === null
      ? "no credentials file is named: it logs in as the user that runs the daemon, without a password"
      : `it logs in with ${block.credentials}, which is read anew at every connection`;
  return [{ depth: 2, text }];
}

function replicaText({ channel, source, io, sql, lagSeconds }: MysqlView["replicas"][number]): string {
  const name = channel === "" ? "" : ` (channel ${channel})`;
  const lag = lagSeconds === null ? "lag unknown" : `lag ${lagSeconds} s`;
  return `it replicates from ${source}${name}: I/O thread ${io}, SQL thread ${sql}, ${lag}`;
}
