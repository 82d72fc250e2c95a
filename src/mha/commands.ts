/** The commands with MHA's names: their options, help and exit codes. Each is loaded when it is called. */
import { helpText, type OptionSpec, parseOptions } from "../core/mha/options.ts";
import { type MhaEnvironment, MhaError, wordsOf } from "./environment.ts";
import { type MhaCommand, NODE_COMMANDS } from "./node-commands.ts";

const CONF: readonly OptionSpec[] = [
  { name: "conf", kind: "text", help: "the application's configuration file; must be given" },
  { name: "global_conf", kind: "text", help: "defaults of all applications (/etc/masterha_default.cnf)" },
];
const PLACE: readonly OptionSpec[] = [
  { name: "manager_workdir", kind: "text", aliases: ["workdir"], help: "directory of status and guard files" },
  { name: "manager_log", kind: "text", aliases: ["log_output"], help: "the log; without it standard output" },
];
const MONITOR: readonly OptionSpec[] = [
  { name: "ignore_fail_on_start", kind: "flag", help: "begin although a server with ignore_fail is dead" },
  { name: "skip_check_ssh", kind: "flag", aliases: ["skip_ssh_check"], help: "begin without looking at ssh" },
  { name: "wait_on_monitor_error", kind: "number", help: "seconds before the end after an error of monitoring (0)" },
  { name: "monitor_only", kind: "flag", help: "end with 20 when the master is dead, without a failover" },
  { name: "interactive", kind: "number", help: "accepted: a manager asks nothing" },
];
const FAILOVER: readonly OptionSpec[] = [
  { name: "last_failover_minute", kind: "number", help: "no failover so soon after another; minutes (480)" },
  { name: "ignore_last_failover", kind: "flag", help: "fail over although the last one is recent or has failed" },
  { name: "wait_on_failover_error", kind: "number", help: "seconds before the end after a failed failover (0)" },
  {
    name: "remove_dead_master_conf",
    kind: "flag",
    aliases: ["remove_orig_master_conf"],
    help: "take the old master's block out of the file",
  },
  { name: "skip_save_master_binlog", kind: "flag", help: "leave the dead master's disk alone" },
  { name: "skip_change_master", kind: "flag", help: "apply what is missing, attach nobody" },
  { name: "skip_disable_read_only", kind: "flag", help: "leave read_only on the new master as it is" },
  { name: "wait_until_gtid_in_sync", kind: "number", help: "0: do not wait for replicas to catch up (1)" },
  { name: "ignore_binlog_server_error", kind: "flag", help: "go on when a [binlog] server fails" },
];

const STATUS_PLACE: readonly OptionSpec[] = [
  ...CONF,
  { name: "app", kind: "text", help: "name of the application, where there is no --conf" },
  { name: "status_dir", kind: "text", aliases: ["manager_workdir", "workdir"], help: "directory of the status file" },
  { name: "manager_log", kind: "text", aliases: ["log_output"], help: "the log to name" },
  { name: "ping_limit", kind: "number", help: "seconds after which PING_OK is not believed (10)" },
];

const EXIT_BASIC = [
  [0, "done"],
  [1, "failed or refused; the log says why"],
] as const;

export const COMMANDS: readonly MhaCommand[] = [
  {
    name: "masterha_manager",
    purpose: "monitors the master of one application and fails over once it is dead",
    options: [...CONF, ...PLACE, ...MONITOR, ...FAILOVER],
    exits: [
      [0, "the master died and the failover succeeded"],
      [1, "monitoring or failover could not go on; the log says why"],
      [10, "failover done, but not every replica follows the new master"],
      [20, "the master is dead (with --monitor_only)"],
    ],
    example: "masterha_manager --conf=/etc/mha/app1.cnf --ignore_last_failover",
    run: async (env, options) => (await import("./manager.ts")).runManager(env, options, { failsOver: true }),
  },
  {
    name: "masterha_master_monitor",
    purpose: "monitors the master of one application and ends when it is dead",
    options: [...CONF, ...PLACE, ...MONITOR],
    exits: [
      [1, "monitoring could not go on, or was ended"],
      [20, "the master is dead"],
    ],
    example: "masterha_master_monitor --conf=/etc/mha/app1.cnf",
    run: async (env, options) => (await import("./manager.ts")).runManager(env, options, { failsOver: false }),
  },
  {
    name: "masterha_check_repl",
    purpose: "says whether a failover could work now",
    options: [
      ...CONF,
      { name: "seconds_behind_master", kind: "number", help: "lag that is in order; seconds (30)" },
      { name: "skip_check_ssh", kind: "flag", aliases: ["skip_ssh_check"], help: "without looking at ssh" },
      { name: "ignore_fail_on_start", kind: "flag", help: "a server with ignore_fail may be dead" },
    ],
    exits: EXIT_BASIC,
    example: "masterha_check_repl --conf=/etc/mha/app1.cnf",
    run: async (env, options) => (await import("./check-commands.ts")).checkRepl(env, options),
  },
  {
    name: "masterha_check_ssh",
    purpose: "logs in to every database host as a failover would",
    options: CONF,
    exits: [
      [0, "all hosts answer"],
      [1, "one does not; the log says which"],
    ],
    example: "masterha_check_ssh --conf=/etc/mha/app1.cnf",
    run: async (env, options) => (await import("./check-commands.ts")).checkSsh(env, options),
  },
  {
    name: "masterha_check_status",
    purpose: "says what the manager of an application is doing",
    options: STATUS_PLACE,
    exits: [
      [0, "PING_OK"],
      [1, "the status could not be read"],
      [2, "NOT_RUNNING"],
      [10, "INITIALIZING_MONITOR"],
      [20, "PING_FAILING"],
      [21, "PING_FAILED"],
      [30, "RETRYING_MONITOR"],
      [31, "CONFIG_ERROR"],
      [32, "TIMESTAMP_OLD"],
      [50, "FAILOVER_RUNNING"],
      [51, "FAILOVER_ERROR"],
    ],
    example: "masterha_check_status --conf=/etc/mha/app1.cnf",
    run: async (env, options) => (await import("./status-commands.ts")).checkStatus(env, options),
  },
  {
    name: "masterha_stop",
    purpose: "ends the manager of an application",
    options: [
      ...STATUS_PLACE,
      { name: "abort", kind: "flag", help: "also during a failover, and with SIGKILL if need be" },
      { name: "abort_timeout", kind: "number", help: "seconds it may take (5)" },
    ],
    exits: [
      [0, "it has ended, or did not run"],
      [1, "it runs on"],
    ],
    example: "masterha_stop --conf=/etc/mha/app1.cnf",
    run: async (env, options) => (await import("./status-commands.ts")).stopManager(env, options),
  },
  {
    name: "masterha_master_switch",
    purpose: "fails over a dead master by hand, or switches a live one",
    options: [
      ...CONF,
      ...PLACE,
      ...FAILOVER,
      { name: "master_state", kind: "text", help: "dead or alive; must be given" },
      { name: "interactive", kind: "number", help: "0: ask nothing (1)" },
      { name: "dead_master_host", kind: "text", help: "the dead master; must be given for it" },
      { name: "dead_master_ip", kind: "text", help: "its address; looked up" },
      { name: "dead_master_port", kind: "number", help: "its port (3306)" },
      { name: "ssh_reachable", kind: "number", help: "whether its host answers: 0, 1, or 2 for trying (2)" },
      { name: "new_master_host", kind: "text", help: "who is to become master; chosen by the rules" },
      { name: "new_master_port", kind: "number", help: "its port (3306)" },
      { name: "check_only", kind: "flag", help: "alive: check, change nothing" },
      {
        name: "orig_master_is_new_slave",
        kind: "flag",
        help: "alive: the old master becomes a replica of the new one",
      },
      { name: "running_updates_limit", kind: "number", help: "alive: seconds a write may have been running (1)" },
      { name: "running_seconds_limit", kind: "number", help: "alive: seconds a statement on the new master may (10)" },
      { name: "seconds_behind_master", kind: "number", help: "alive: lag that is in order (30)" },
      { name: "skip_lock_all_tables", kind: "flag", help: "alive: no FLUSH TABLES WITH READ LOCK" },
      { name: "flush_tables", kind: "number", help: "alive: FLUSH TABLES before: 0 no, 1 yes, 2 ask (2)" },
    ],
    exits: [...EXIT_BASIC, [10, "done, but not every replica follows the new master"]],
    example:
      "masterha_master_switch --master_state=alive --conf=/etc/mha/app1.cnf --orig_master_is_new_slave --interactive=0",
    run: async (env, options) => (await import("./switch-command.ts")).masterSwitch(env, options),
  },
  {
    name: "masterha_conf_host",
    purpose: "adds a server to a configuration file, or removes it",
    options: [
      { name: "command", kind: "text", help: "add or delete" },
      { name: "conf", kind: "text", help: "the configuration file" },
      { name: "hostname", kind: "text", help: "the server's name" },
      { name: "block", kind: "text", help: "name of the block (server_HOSTNAME)" },
      { name: "params", kind: "text", help: "further lines, divided by semicolons" },
    ],
    exits: EXIT_BASIC,
    example:
      'masterha_conf_host --command=add --conf=/etc/mha/app1.cnf --hostname=db4 --params="no_master=1;ignore_fail=1"',
    run: async (env, options) => (await import("./conf-host.ts")).confHost(env, options),
  },
  {
    name: "masterha_secondary_check",
    purpose: "asks other hosts by ssh whether they reach the master",
    options: [
      { name: "secondary_host", kind: "list", aliases: ["s"], help: "a host to ask; may come several times" },
      { name: "user", kind: "text", help: "user for ssh (root)" },
      { name: "port", kind: "text", help: "port of ssh (22)" },
      { name: "options", kind: "text", help: "options of the ssh client, instead of the usual ones" },
      { name: "master_host", kind: "text", help: "the master; must be given" },
      { name: "master_ip", kind: "text", help: "its address" },
      { name: "master_port", kind: "number", help: "its port (3306)" },
      { name: "master_user", kind: "text", help: "account for ping_type INSERT" },
      { name: "master_password", kind: "text", help: "its password" },
      { name: "ping_type", kind: "text", help: "INSERT: who cannot write does not reach it" },
      { name: "timeout", kind: "number", help: "seconds for each step (5)" },
    ],
    exits: [
      [0, "no host reaches the master"],
      [1, "called in a wrong way"],
      [2, "a host could not be asked"],
      [3, "a host reaches the master"],
    ],
    example: "masterha_secondary_check -s remote1 -s remote2 --user=mha --master_host=db1 --master_port=3306",
    run: async (env, options) => (await import("./secondary-check.ts")).secondaryCheck(env, options),
  },
  ...NODE_COMMANDS,
];

/** The command of that name: "masterha_manager", and "manager" behind `holdfast mha`. */
export const commandNamed = (name: string): MhaCommand | undefined =>
  COMMANDS.find((command) => command.name === name || command.name === `masterha_${name}`);

/** What `holdfast mha` shows. */
export const overview = (): string =>
  [
    "Usage: holdfast mha COMMAND OPTIONS, or by its own name",
    "",
    ...COMMANDS.map(({ name, purpose }) => `  ${name.padEnd(26)}${purpose}`),
    "",
    "holdfast mha COMMAND --help shows its options. The names may be written without masterha_.",
    "",
  ].join("\n");

export async function runMha(name: string, args: readonly string[], env: MhaEnvironment): Promise<number> {
  const command = commandNamed(name);
  if (command === undefined) {
    env.out(`holdfast mha: no command ${name}; there are ${COMMANDS.map((one) => one.name).join(", ")}\n`);
    return 1;
  }
  const options = parseOptions(command, args);
  if (!options.ok) {
    env.out(`${command.name}: ${options.error}; see ${command.name} --help\n`);
    return 1;
  }
  if (options.value.flag("help")) {
    env.out(helpText(command));
    return 0;
  }
  if (options.value.flag("version")) {
    env.out(`${command.name} of Holdfast ${env.version}, in the place of MHA 0.58.\n`);
    return 0;
  }
  try {
    return await command.run(env, options.value);
  } catch (error) {
    if (!(error instanceof MhaError)) throw error;
    env.out(`${command.name}: ${wordsOf(error)}\n`);
    return 1;
  }
}
