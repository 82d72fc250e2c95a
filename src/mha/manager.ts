/**
 * masterha_manager and masterha_master_monitor: checks the servers, monitors the master, and fails over when it is dead. Ends after one
 * failover, as MHA's does, unless it is started by something that starts it again.
 */
import type { MhaConfig } from "../core/mha/config.ts";
import type { Options } from "../core/mha/options.ts";
import { missingServer } from "../core/mha/topology.ts";
import { checkServers } from "./check.ts";
import { Cluster } from "./cluster.ts";
import { type MhaEnvironment, MhaError, pause, wordsOf } from "./environment.ts";
import { Failover } from "./failover.ts";
import type { FailoverOptions } from "./failover-context.ts";
import { ManagerFiles } from "./files.ts";
import { type MhaLog, openLog } from "./log.ts";
import { type DeadMaster, Monitor } from "./monitor.ts";
import { type ConfigPlace, GLOBAL_CONF, loadConfig } from "./settings.ts";
import { MasterShell } from "./ssh.ts";

/** The master is dead, for who only monitors. */
const MASTER_DEAD = 20;

export function placeOf(options: Options): ConfigPlace {
  const conf = options.text("conf");
  if (conf === null) throw new MhaError("--conf=<server_config_file> must be set.");
  return { conf, globalConf: options.text("global_conf") ?? GLOBAL_CONF };
}

interface Start {
  readonly place: ConfigPlace;
  readonly config: MhaConfig;
  readonly log: MhaLog;
  readonly files: ManagerFiles;
}

export async function runManager(
  env: MhaEnvironment,
  options: Options,
  { failsOver }: { readonly failsOver: boolean },
): Promise<number> {
  const start = await begin(env, options);
  const { log, files } = start;
  env.ended.addEventListener("abort", () => log.info("Got terminate signal. Exit."));
  const outcome = await monitorOnce(env, options, start);
  if (outcome.kind === "ended") {
    files.dropStatus();
    return 1;
  }
  if (outcome.kind === "error") return endOnError(env, options, start);
  log.info("Got exit code 20 (Master dead).");
  if (!failsOver || options.flag("monitor_only")) {
    files.dropStatus();
    await outcome.shell.close();
    return MASTER_DEAD;
  }
  return failOver(env, options, { ...start, dead: outcome.dead, shell: outcome.shell });
}

async function begin(env: MhaEnvironment, options: Options): Promise<Start> {
  const place = placeOf(options);
  const config = await loadConfig(place);
  const file = options.text("manager_log") ?? config.application.log;
  const log = openLog(env.out, file, config.application.logLevel);
  log.info(`Holdfast ${env.version} in the place of MHA. Configuration: ${place.conf}, ${place.globalConf}.`);
  const files = new ManagerFiles(place.conf, options.text("manager_workdir") ?? config.application.workdir);
  if (files.statusExists) {
    log.warning(
      `${files.paths.status} already exists: an earlier manager was killed, or another one runs for the same application. It is replaced.`,
    );
  }
  return { place, config, log, files };
}

type Outcome =
  | { readonly kind: "dead"; readonly dead: DeadMaster; readonly shell: MasterShell }
  | { readonly kind: "ended" }
  | { readonly kind: "error" };

async function monitorOnce(env: MhaEnvironment, options: Options, { config, log, files }: Start): Promise<Outcome> {
  let shell: MasterShell | null = null;
  try {
    files.setStatus("INITIALIZING_MONITOR");
    const { cluster, topology } = await checkServers(
      { env, log, config },
      { skipSsh: options.flag("skip_check_ssh"), ignoreFail: options.flag("ignore_fail_on_start"), health: null },
    );
    files.master = topology.master.server.hostname;
    cluster.close();
    shell = new MasterShell(topology.master.server);
    const reachable = await shell.open();
    log.info(
      `SSH to the master's host: ${reachable ? "reachable" : "NOT reachable; what only its disk has could not be saved"}.`,
    );
    const monitor = new Monitor({ env, log, files, cluster, shell }, topology);
    const dead = await monitor.untilDead();
    monitor.close();
    if (dead === null) {
      await shell.close();
      return { kind: "ended" };
    }
    if (env.ended.aborted) return { kind: "ended" };
    files.setStatus("PING_FAILED");
    return await confirmDead(env, { config, log, dead, shell });
  } catch (error) {
    await shell?.close();
    log.error(wordsOf(error));
    return { kind: env.ended.aborted ? "ended" : "error" };
  }
}

/** Everybody else is asked again: a failover that could not work is better refused now. */
async function confirmDead(
  env: MhaEnvironment,
  {
    config,
    log,
    dead,
    shell,
  }: { readonly config: MhaConfig; readonly log: MhaLog; readonly dead: DeadMaster; readonly shell: MasterShell },
): Promise<Outcome> {
  const cluster = new Cluster(env.sql, config, log);
  try {
    const topology = await cluster.read(dead.master.server);
    if (topology.master.server.id !== dead.master.server.id) {
      throw new MhaError(
        `${cluster.of(dead.master).name} failed, but the replicas follow ${cluster.of(topology.master).name}. Check replication`,
      );
    }
    const missing = missingServer(topology, true);
    if (missing !== null) throw new MhaError(missing);
    log.info("Master is down!");
    return { kind: "dead", dead, shell };
  } finally {
    cluster.close();
  }
}

async function failOver(
  env: MhaEnvironment,
  options: Options,
  context: Start & { readonly dead: DeadMaster; readonly shell: MasterShell },
): Promise<number> {
  const { place, log, files, dead, shell } = context;
  // What somebody has changed since monitoring began counts.
  const config = await loadConfig(place);
  files.setStatus("FAILOVER_RUNNING");
  const failover = new Failover(
    { env, log, files, config, shell, options: failoverOptions(options, place.conf, false) },
    dead.master.server,
    dead.ssh,
  );
  env.ended.addEventListener("abort", () => {
    failover.interrupted();
    files.dropStatus();
    process.exit(1);
  });
  const code = await failover.run();
  await shell.close();
  return code === 0 ? 0 : afterFailure(env, options, { log, files, code });
}

export async function afterFailure(
  env: MhaEnvironment,
  options: Options,
  { log, files, code }: { readonly log: MhaLog; readonly files: ManagerFiles; readonly code: number },
): Promise<number> {
  files.setStatus("FAILOVER_ERROR");
  const seconds = options.number("wait_on_failover_error") ?? 0;
  if (seconds > 0) {
    log.info(`Waiting for ${seconds} seconds for error exit..`);
    await pause(seconds * 1000, env.ended);
  }
  files.dropStatus();
  return code;
}

async function endOnError(env: MhaEnvironment, options: Options, { log, files }: Start): Promise<number> {
  files.setStatus("CONFIG_ERROR");
  log.info("Got exit code 1 (Not master dead).");
  const seconds = options.number("wait_on_monitor_error") ?? 0;
  if (seconds > 0) {
    log.info(`Waiting for ${seconds} seconds for error exit..`);
    await pause(seconds * 1000, env.ended);
  }
  files.dropStatus();
  return 1;
}

/** Eight hours, as MHA has it. */
const LAST_FAILOVER_MINUTE = 480;

export function failoverOptions(options: Options, conf: string, interactive: boolean): FailoverOptions {
  const host = options.text("new_master_host");
  return {
    conf,
    interactive,
    newMaster: host === null ? null : { host, port: options.number("new_master_port") ?? 3306 },
    lastFailoverMinute: options.number("last_failover_minute") ?? LAST_FAILOVER_MINUTE,
    ignoreLastFailover: options.flag("ignore_last_failover"),
    removeDeadMasterConf: options.flag("remove_dead_master_conf"),
    skipSaveMasterBinlog: options.flag("skip_save_master_binlog"),
    skipChangeMaster: options.flag("skip_change_master"),
    skipDisableReadOnly: options.flag("skip_disable_read_only"),
    waitUntilGtidInSync: options.number("wait_until_gtid_in_sync") !== 0,
    ignoreBinlogServerError: options.flag("ignore_binlog_server_error"),
  };
}
