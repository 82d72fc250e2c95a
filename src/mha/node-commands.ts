/** The commands of MHA's node package: their options, help and exit codes. */
import type { CommandSpec, Options } from "../core/mha/options.ts";
import type { MhaEnvironment } from "./environment.ts";

export interface MhaCommand extends CommandSpec {
  readonly run: (env: MhaEnvironment, options: Options) => Promise<number>;
}

export const NODE_COMMANDS: readonly MhaCommand[] = [
  {
    name: "purge_relay_logs",
    purpose: "deletes executed relay logs where relay_log_purge=0 keeps them",
    options: [
      { name: "user", kind: "text", help: "account (root)" },
      { name: "password", kind: "text", help: "its password" },
      { name: "host", kind: "text", help: "this host's server (127.0.0.1)" },
      { name: "port", kind: "number", help: "its port (3306)" },
      { name: "socket", kind: "text", help: "its Unix socket instead" },
      { name: "workdir", kind: "text", help: "accepted: nothing is linked" },
      { name: "relay_log_info", kind: "text", help: "accepted: the server is asked" },
      { name: "defaults_file", kind: "text", help: "accepted: user and password are options" },
      { name: "use_hardlink", kind: "number", help: "accepted: open files do the same" },
      { name: "disable_relay_log_purge", kind: "flag", help: "turn relay_log_purge off first" },
    ],
    exits: [
      [0, "done, or nothing to do"],
      [1, "failed"],
    ],
    example: "purge_relay_logs --user=root --password=... --disable_relay_log_purge",
    run: async (env, options) => (await import("./node-tools.ts")).purgeRelayLogs(env, options),
  },
  {
    name: "save_binary_logs",
    purpose: "saves the transactions behind a position of this host's binary log",
    options: [
      { name: "command", kind: "text", help: "test or save" },
      { name: "start_file", kind: "text", help: "binary log to begin in" },
      { name: "start_pos", kind: "number", help: "position in it (4)" },
      { name: "binlog_dir", kind: "text", help: "its directory; several by commas" },
      { name: "binlog_prefix", kind: "text", help: "test: any log of that name will do" },
      { name: "output_file", kind: "text", help: "what is written" },
      { name: "manager_version", kind: "text", help: "accepted" },
      { name: "oldest_version", kind: "text", help: "accepted" },
      { name: "handle_raw_binlog", kind: "number", help: "accepted: always a binary log" },
      { name: "disable_log_bin", kind: "number", help: "accepted: a matter of applying" },
      { name: "skip_filter", kind: "number", help: "accepted: nothing is filtered" },
      { name: "debug", kind: "flag", help: "accepted" },
    ],
    exits: [
      [0, "saved"],
      [1, "failed"],
      [10, "nothing is behind that position"],
    ],
    example:
      "save_binary_logs --command=save --start_file=mysqld-bin.000002 --start_pos=245 --binlog_dir=/var/lib/mysql --output_file=/tmp/tail.binlog",
    run: async (env, options) => (await import("./node-tools.ts")).saveBinaryLogs(env, options),
  },
  {
    name: "apply_diff_relay_logs",
    purpose: "finds in this host's relay logs what another replica lacks, and applies such files",
    options: [
      { name: "command", kind: "text", help: "test, find, generate or apply" },
      { name: "relay_dir", kind: "text", aliases: ["datadir"], help: "directory of the relay logs" },
      { name: "current_relay_log", kind: "text", help: "one of them" },
      { name: "target_mlf", kind: "text", help: "master's log that the other replica has executed up to" },
      { name: "target_rmlp", kind: "number", help: "position in it" },
      { name: "diff_file_readtolatest", kind: "text", help: "generate: what is written" },
      { name: "apply_files", kind: "text", help: "apply: files, divided by commas" },
      { name: "slave_host", kind: "text", help: "apply: server (127.0.0.1)" },
      { name: "slave_ip", kind: "text", help: "apply: its address" },
      { name: "slave_port", kind: "number", help: "apply: its port (3306)" },
      { name: "slave_user", kind: "text", help: "apply: account (root)" },
      { name: "slave_pass", kind: "text", help: "apply: its password" },
      { name: "disable_log_bin", kind: "number", help: "apply: 1: not into its own binary log" },
      { name: "client_bindir", kind: "text", help: "directory of mysqlbinlog and mysql" },
      { name: "client_libdir", kind: "text", help: "directory of their libraries" },
      { name: "workdir", kind: "text", help: "directory for files (/var/tmp)" },
      { name: "manager_version", kind: "text", help: "accepted" },
      { name: "target_version", kind: "text", help: "accepted" },
      { name: "timestamp", kind: "text", help: "accepted" },
      { name: "debug", kind: "flag", help: "accepted" },
    ],
    exits: [
      [0, "done"],
      [1, "failed"],
    ],
    example:
      "apply_diff_relay_logs --command=apply --apply_files=/var/tmp/diff.binlog --slave_user=root --slave_pass=...",
    run: async (env, options) => (await import("./node-tools.ts")).applyDiffRelayLogs(env, options),
  },
];
