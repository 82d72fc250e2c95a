/** masterha_master_switch: for a dead master a failover by hand, for a live one the online switch. */
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import type { Options } from "../core/mha/options.ts";
import { type MhaEnvironment, MhaError } from "./environment.ts";
import { Failover } from "./failover.ts";
import { ManagerFiles } from "./files.ts";
import { openLog } from "./log.ts";
import { afterFailure, failoverOptions, placeOf } from "./manager.ts";
import { Rotation } from "./rotate.ts";
import { addressOf, loadConfig } from "./settings.ts";
import { MasterShell } from "./ssh.ts";

export async function masterSwitch(env: MhaEnvironment, options: Options): Promise<number> {
  switch (options.text("master_state")) {
    case "dead":
      return switchDead(env, options);
    case "alive":
      return switchAlive(env, options);
    default:
      throw new MhaError("--master_state=<dead|alive> must be set.");
  }
}

const isInteractive = (options: Options): boolean => options.number("interactive") !== 0;

async function switchDead(env: MhaEnvironment, options: Options): Promise<number> {
  const place = placeOf(options);
  const interactive = isInteractive(options);
  const config = await loadConfig(place);
  const dead = await deadServer(env, options, config.servers);
  const file = interactive ? null : (options.text("manager_log") ?? config.application.log);
  const log = openLog(env.out, file, config.application.logLevel);
  const files = new ManagerFiles(place.conf, options.text("manager_workdir") ?? config.application.workdir);
  files.master = dead.hostname;
  files.setStatus("FAILOVER_RUNNING");
  const shell = new MasterShell(dead);
  const told = options.number("ssh_reachable") ?? 2;
  const ssh = told === 2 ? await shell.open() : told === 1;
  const failover = new Failover(
    { env, log, files, config, shell, options: failoverOptions(options, place.conf, interactive) },
    dead,
    Promise.resolve(ssh),
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

async function deadServer(env: MhaEnvironment, options: Options, servers: readonly MhaServer[]): Promise<MhaServer> {
  const host = options.text("dead_master_host");
  if (host === null) throw new MhaError("--dead_master_host=<dead_master_hostname> must be set.");
  const ip = options.text("dead_master_ip") ?? (await addressOf(host));
  if (options.text("dead_master_ip") === null) env.out(`--dead_master_ip=<dead_master_ip> is not set. Using ${ip}.\n`);
  const port = options.number("dead_master_port") ?? 3306;
  if (options.number("dead_master_port") === null)
    env.out(`--dead_master_port=<dead_master_port> is not set. Using ${port}.\n`);
  const server = servers.find((one) => one.port === port && (one.hostname === host || one.ip === ip));
  if (server !== undefined) return server;
  throw new MhaError(`${host}:${port} is not in the configuration; it has ${servers.map(hostInfo).join(", ")}`);
}

async function switchAlive(env: MhaEnvironment, options: Options): Promise<number> {
  const place = placeOf(options);
  const config = await loadConfig(place);
  const log = openLog(env.out, null, config.application.logLevel);
  const host = options.text("new_master_host");
  const flush = options.number("flush_tables") ?? 2;
  return new Rotation({
    env,
    log,
    config,
    options: {
      conf: place.conf,
      interactive: isInteractive(options),
      checkOnly: options.flag("check_only"),
      newMaster: host === null ? null : { host, port: options.number("new_master_port") ?? 3306 },
      origStays: options.flag("orig_master_is_new_slave"),
      updatesLimit: options.number("running_updates_limit") ?? 1,
      runningLimit: options.number("running_seconds_limit") ?? 10,
      behindLimit: options.number("seconds_behind_master") ?? 30,
      skipLock: options.flag("skip_lock_all_tables"),
      removeOrig: options.flag("remove_dead_master_conf"),
      flush: flush === 0 ? "no" : flush === 1 ? "yes" : "ask",
    },
  }).run();
}
