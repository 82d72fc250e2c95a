/**
 * Every parameter of MHA 0.58: what kind of value it has, where it may stand and what Holdfast does with it. The one table behind the
 * parser, its messages and docs/mha.md.
 */

export type ParameterKind = "flag" | "number" | "text" | "command" | "ping-type" | "log-level";

export interface Parameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** Null: there is none. */
  readonly standard: string | null;
  /** A server's own value only: what stands in [server default] does not reach it. */
  readonly own: boolean;
  readonly meaning: string;
}

const of = (name: string, kind: ParameterKind, standard: string | null, meaning: string): Parameter => ({
  name,
  kind,
  standard,
  own: false,
  meaning,
});
const own = (name: string, kind: ParameterKind, standard: string | null, meaning: string): Parameter => ({
  ...of(name, kind, standard, meaning),
  own: true,
});

export const PARAMETERS: readonly Parameter[] = [
  own("hostname", "text", null, "name or address of the database server; must be given in every server block"),
  own("ip", "text", null, "its address; without it the name is looked up when the file is read"),
  of("port", "number", "3306", "port of the database server"),
  own("ssh_host", "text", null, "name or address for ssh; without it `hostname`"),
  own("ssh_ip", "text", null, "address for ssh; without it that of `ssh_host`"),
  of("ssh_port", "number", "22", "port of the ssh server"),
  of("ssh_user", "text", null, "system user for ssh; without it the one that runs the command"),
  of("ssh_connection_timeout", "number", "5", "seconds for an ssh login"),
  of("ssh_options", "text", null, "further options of the ssh client, for example `-i KEY`"),
  own("node_label", "text", null, "a name that is shown behind the host"),
  own("candidate_master", "flag", "0", "1: preferred as new master"),
  own("no_master", "flag", "0", "1: never becomes master"),
  own("ignore_fail", "flag", "0", "1: a failover goes on although this server is dead or its replication is broken"),
  own("skip_init_ssh_check", "flag", "0", "1: masterha_check_repl and the start of monitoring do not ask it by ssh"),
  of("skip_reset_slave", "flag", "0", "1: the new master keeps its own replication settings"),
  of("user", "text", "root", "account of the manager on every server"),
  of("password", "text", "", "its password"),
  of("repl_user", "text", null, "account that replicas log in with; without it the one that they use"),
  of("repl_password", "text", null, "its password; without it replicas keep the one that they use"),
  of("disable_log_bin", "flag", "0", "1: what is applied to a replica during recovery is not in its own binary log"),
  of("master_pid_file", "text", null, "handed to shutdown_script"),
  of("handle_raw_binlog", "flag", "1", "differences are kept as binary log, which 1 asks for; 0 (as text) is refused"),
  of("remote_workdir", "text", "/var/tmp", "directory on the database hosts for files of a failover"),
  of(
    "master_binlog_dir",
    "text",
    "/var/lib/mysql,/var/log/mysql",
    "where the master's binary logs lie, several by commas",
  ),
  of("log_level", "log-level", "info", "debug, info, warning or error"),
  of("manager_workdir", "text", "/var/tmp", "directory of the manager's status and guard files"),
  of("manager_log", "text", null, "the manager's log; without it standard output"),
  of("check_repl_delay", "flag", "1", "0: a candidate may be far behind in executing"),
  of("check_repl_filter", "flag", "1", "0: filters of replication may differ"),
  of("latest_priority", "flag", "1", "0: the order in the file decides, not who has received most"),
  of("multi_tier_slave", "flag", "0", "1: replicas of replicas are left alone instead of being an error"),
  of("ping_interval", "number", "3", "seconds between two looks at the master"),
  of(
    "ping_type",
    "ping-type",
    "SELECT",
    "SELECT (kept connection), CONNECT (a new one each time) or INSERT (also writes)",
  ),
  of("secondary_check_script", "command", null, "asked whether the master is dead from other hosts as well"),
  of("master_ip_failover_script", "command", null, "takes the writer's address away and gives it, in a failover"),
  of("master_ip_online_change_script", "command", null, "stops and starts writing, in an online switch"),
  of("shutdown_script", "command", null, "makes sure that the dead master stays down"),
  of("report_script", "command", null, "gets the report of a failover"),
  of("init_conf_load_script", "command", null, "prints further name=value lines, for example passwords"),
  of("client_bindir", "text", null, "directory of mysqlbinlog and mysql"),
  of("client_libdir", "text", null, "directory of the libraries that these need"),
  of("use_gtid_auto_pos", "flag", "1", "0: file and position, although GTIDs are there, unless replicas use them"),
];

export const PARAMETER: ReadonlyMap<string, Parameter> = new Map(PARAMETERS.map((one) => [one.name, one]));

const PING_TYPES = ["SELECT", "CONNECT", "INSERT"] as const;
export type PingType = (typeof PING_TYPES)[number];
const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
/** Characters that only a shell would understand. */
const SHELL = /[`|&;<>$()]/;

/** Why the value cannot be; null when it can. */
export function valueProblem({ name, kind }: Parameter, value: string): string | null {
  switch (kind) {
    case "flag":
      if (name === "handle_raw_binlog" && value === "0") {
        return "handle_raw_binlog=0 is not done: differences are always kept as binary log; take the line out";
      }
      return /^\d+$/.test(value) ? null : `${name} is 0 or 1`;
    case "number":
      return /^[1-9]\d{0,8}$/.test(value) ? null : `${name} must be positive integer`;
    case "ping-type":
      return (PING_TYPES as readonly string[]).includes(value.toUpperCase())
        ? null
        : `${name} is SELECT, CONNECT or INSERT`;
    case "log-level":
      return (LOG_LEVELS as readonly string[]).includes(value.toLowerCase())
        ? null
        : `${name} is debug, info, warning or error`;
    case "command":
      return SHELL.test(value.replace(/'[^']*'/g, ""))
        ? `${name} is started without a shell; put pipes, variables and several commands into a script and name that`
        : null;
    case "text":
      return null;
  }
}
