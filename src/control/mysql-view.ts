/** Tracked MySQL and MariaDB servers for `status` and `explain`. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { MysqlStatus } from "../engine/mysql-engine.ts";
import type { ExplainLine, MysqlView } from "./contract/types.ts";
import { databaseLines, databaseView, type ViewContext } from "./database-view.ts";
import type { ExplainInput } from "./explain-input.ts";

export const mysqlView = (status: MysqlStatus, context: ViewContext): MysqlView => ({
  ...databaseView("mysql", status, status.version, context),
  replicas: status.replicas.map(({ channel, source, io, sql, lag }) => ({ channel, source, io, sql, lagSeconds: lag })),
});

/** Null when the daemon has no account of it. */
export function mysqlLines(input: ExplainInput, name: string): ExplainLine[] | null {
  const view = input.status.mysql.find((one) => one.name === name);
  if (view === undefined || view.trouble === null) return null;
  return databaseLines("mysql", view, input, [...loginLines(view, input.config), ...view.replicas.map(replicaText)]);
}

/** Which file the daemon logs in with, where that may be what is wrong. */
function loginLines({ name, cause }: MysqlView, config: HoldfastConfig | null): readonly string[] {
  if (cause?.kind !== "denied" && cause?.kind !== "setup" && cause?.kind !== "grants") return [];
  const block = config?.mysql.find((one) => one.name === name);
  if (block === undefined) return [];
  return [
    block.credentials === null
      ? "no credentials file is named: it logs in as the user that runs the daemon, without a password"
      : `it logs in with ${block.credentials}, which is read anew at every connection`,
  ];
}

function replicaText({ channel, source, io, sql, lagSeconds }: MysqlView["replicas"][number]): string {
  const name = channel === "" ? "" : ` (channel ${channel})`;
  const lag = lagSeconds === null ? "lag unknown" : `lag ${lagSeconds} s`;
  return `it replicates from ${source}${name}: I/O thread ${io}, SQL thread ${sql}, ${lag}`;
}
