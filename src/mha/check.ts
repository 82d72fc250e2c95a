/**
 * What must be in order before a failover could work: asked by masterha_check_repl, and by the manager before it begins to monitor.
 */
import type { MhaConfig } from "../core/mha/config.ts";
import { unfitFor } from "../core/mha/election.ts";
import type { ReplicationFacts } from "../core/mha/facts.ts";
import { ipFailoverStatus, shownWords, shutdownStatus } from "../core/mha/scripts.ts";
import { filterProblem, missingServer, type Topology, treeInWords } from "../core/mha/topology.ts";
import { checkSshBetween } from "./check-ssh.ts";
import { Cluster } from "./cluster.ts";
import { type MhaEnvironment, MhaError } from "./environment.ts";
import type { MhaLog } from "./log.ts";
import { endInWords, runScript } from "./programs.ts";
import { userName } from "./ssh.ts";

export interface CheckOptions {
  readonly skipSsh: boolean;
  readonly ignoreFail: boolean;
  /** Seconds of lag that are in order; null: replication is not looked at. */
  readonly health: number | null;
}

export interface CheckContext {
  readonly env: MhaEnvironment;
  readonly log: MhaLog;
  readonly config: MhaConfig;
}

/** Throws with what is wrong. The cluster's connections stay open. */
export async function checkServers(
  context: CheckContext,
  options: CheckOptions,
): Promise<{ readonly cluster: Cluster; readonly topology: Topology }> {
  const { env, log, config } = context;
  const cluster = new Cluster(env.sql, config, log);
  try {
    const topology = await cluster.read();
    cluster.tell(topology);
    cluster.warnAbout(topology);
    if (topology.master.facts === null) log.warning("MySQL master is not currently alive!");
    else log.info(`Current Alive Master: ${cluster.of(topology.master).name}`);
    checkRules(config, topology, log);
    await cluster.checkReplicationUsers(topology);
    await checkShells(context, topology, options);
    const missing = missingServer(topology, options.ignoreFail);
    if (missing !== null) throw new MhaError(missing);
    log.lines(["", ...treeInWords(topology), ""]);
    if (options.health !== null) checkHealth(topology, cluster, { limit: options.health, log });
    await checkScripts(context, topology);
    return { cluster, topology };
  } catch (error) {
    cluster.close();
    throw error;
  }
}

function checkRules(config: MhaConfig, topology: Topology, log: MhaLog): void {
  log.info("Checking replication filtering settings..");
  const filters = config.application.checkFilter ? filterProblem(topology) : null;
  if (filters !== null)
    throw new MhaError(`${filters}. Slave configurations is not valid; check_repl_filter=0 allows it`);
  log.info(" Replication filtering check ok.");
  const { slaves } = topology;
  if (slaves.every((one) => unfitFor(one, slaves, false) !== null)) {
    throw new MhaError("None of slaves can be master. Check no_master in the configuration and log_bin of the servers");
  }
}

/** With GTIDs nothing of a failover needs ssh. */
async function checkShells({ log }: CheckContext, topology: Topology, { skipSsh }: CheckOptions): Promise<void> {
  if (topology.mode === "gtid") {
    log.info("GTID (with auto-pos) is supported. SSH is not needed and not checked.");
    return;
  }
  log.info("GTID (with auto-pos) is not supported");
  if (skipSsh) return;
  const servers = topology.alive.map(({ server }) => server).filter((server) => !server.skipInitSshCheck);
  await checkSshBetween(servers, log);
}

/** Seconds_Behind_Master within the limit, both threads running. */
export function checkHealth(
  { slaves }: Topology,
  cluster: Cluster,
  { limit, log }: { readonly limit: number; readonly log: MhaLog },
): void {
  for (const one of slaves) {
    log.info(`Checking replication health on ${one.server.hostname}..`);
    const problem = one.facts.replication === null ? "it is no replica" : healthProblem(one.facts.replication, limit);
    if (problem !== null) throw new MhaError(`${cluster.of(one).name}: ${problem}`);
    log.info(" ok.");
  }
}

function healthProblem({ io, sql, lag, ioError, sqlError }: ReplicationFacts, limit: number): string | null {
  const because = (error: string | null): string => (error === null ? "" : `: ${error}`);
  if (io !== "running") return `Slave IO thread is not running${because(ioError)}`;
  if (sql !== "running") return `Slave SQL thread is not running${because(sqlError)}`;
  if (lag === null) return "Failed to get Seconds_Behind_Master";
  return lag > limit ? `Slave is currently behind ${lag} seconds (--seconds_behind_master ${limit})` : null;
}

async function checkScripts({ log, config }: CheckContext, { master }: Topology): Promise<void> {
  const setting = { sshUser: userName() };
  const { ipFailover, shutdown } = config.application.scripts;
  const calls = [
    ["master_ip_failover_script", ipFailover, ipFailoverStatus(master.server, setting)],
    ["shutdown_script", shutdown, shutdownStatus(master.server, setting)],
  ] as const;
  for (const [name, script, words] of calls) {
    if (script === null) {
      log.warning(`${name} is not defined.`);
      continue;
    }
    log.info(`Checking ${name} status:`);
    log.info(`  ${shownWords([...script, ...words])}`);
    const result = await runScript([...script, ...words], log, { timeoutMillis: 60_000 });
    if (result.code !== 0) throw new MhaError(`${name} --command=status ended with return code ${endInWords(result)}`);
    log.info(" OK.");
  }
}
