/** The commands with MHA's names: their options, help and exit codes. Each is loaded when it is called. */
import { type CommandSpec, helpText, type OptionSpec, type Options, parseOptions } from "../core/mha/options.ts";
import { type MhaEnvironment, MhaError, wordsOf } from "./environment.ts";

export interface MhaCommand extends CommandSpec {
  readonly run: (env: MhaEnvironment, options: Options) => Promise<number>;
}

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
