/**
 * What is set on a server of a group that matters when it has to take over, or has had to: read once, by `holdfast doctor`. The rules are
 * settings-rules.ts.
 */
import type { SqlRow } from "./facts.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { GRANTS_STATEMENT, privilegesOf } from "./privileges.ts";
import type { ServerVersion } from "./version.ts";

const NAMES = [
  "server_id",
  "log_bin",
  "log_bin_basename",
  "log_slave_updates",
  "log_replica_updates",
  "binlog_format",
  "gtid_mode",
  "enforce_gtid_consistency",
  "gtid_strict_mode",
  "gtid_domain_id",
  "sync_binlog",
  "innodb_flush_log_at_trx_commit",
  "relay_log_recovery",
  "skip_slave_start",
  "skip_replica_start",
  "slave_net_timeout",
  "replica_net_timeout",
  "auto_increment_increment",
  "auto_increment_offset",
  "event_scheduler",
  "lower_case_table_names",
  "rpl_semi_sync_master_timeout",
  "rpl_semi_sync_source_timeout",
  "rpl_semi_sync_master_wait_point",
  "rpl_semi_sync_source_wait_point",
  "rpl_semi_sync_slave_enabled",
  "rpl_semi_sync_replica_enabled",
] as const;

/** In this order; the answers go into settingsOf in this order. */
export const DOCTOR_STATEMENTS: readonly string[] = [
  `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${NAMES.map((name) => `'${name}'`).join(", ")})`,
  "SELECT UNIX_TIMESTAMP(SYSDATE(6)) AS clock",
  GRANTS_STATEMENT,
];

export interface ServerSettings {
  /** HOST:PORT as in the file. */
  readonly address: string;
  readonly role: "own" | "peer" | "replica";
  readonly version: ServerVersion;
  readonly closedBy: string | null;
  readonly channels: readonly ChannelFacts[];
  /** By lower-case name; what the server does not know is not there. */
  readonly variables: ReadonlyMap<string, string>;
  /** Seconds that its clock is ahead of this host's. */
  readonly clockAhead: number;
  /** Privileges of the daemons' account on *.*, in capitals; null when the server does not say. */
  readonly privileges: ReadonlySet<string> | null;
}

export function settingsOf(
  who: Pick<ServerSettings, "address" | "role">,
  { version, closedBy, channels }: MemberFacts,
  answers: readonly (readonly SqlRow[] | null)[],
  hostSeconds: number,
): ServerSettings {
  const [variables, clock, grants] = answers;
  const seconds = Number(clock?.[0]?.clock ?? Number.NaN);
  return {
    ...who,
    version,
    closedBy,
    channels,
    variables: new Map((variables ?? []).map((row) => [(row.Variable_name ?? "").toLowerCase(), row.Value ?? ""])),
    clockAhead: Number.isFinite(seconds) ? seconds - hostSeconds : 0,
    privileges: grants === null || grants === undefined ? null : privilegesOf(grants),
  };
}
