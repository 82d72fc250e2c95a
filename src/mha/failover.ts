/**
 * The failover of MHA: what is checked before, who becomes master, how it gets what others have, how it is opened and who follows it. The
 * phases have MHA's numbers. From phase 2 on an error leaves the guard file of failed failovers behind.
 */
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { chooseMaster, comparePositions, latestSlaves, mostAdvanced, oldestSlaves } from "../core/mha/election.ts";
import { type Alive, filterProblem, missingServer, serverInWords, type Topology } from "../core/mha/topology.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { OPEN_STATEMENT } from "../core/mysql/orders.ts";
import { Cluster } from "./cluster.ts";
import { Database, failureWords } from "./database.ts";
import { Differences } from "./differences.ts";
import { MhaError, wordsOf } from "./environment.ts";
import type { FailoverContext } from "./failover-context.ts";
import { FailoverScripts } from "./failover-scripts.ts";
import { FailoverGuard } from "./guard.ts";
import {
  catchUpByGtid,
  executedBy,
  pointAt,
  type RecoveryContext,
  replicates,
  stopReceiving,
  type Target,
  tellNewPosition,
  waitForGtids,
} from "./recovery.ts";

/** Exit code of a failover: done, refused or failed, done but not everybody follows. */
export type FailoverCode = 0 | 1 | 10;

/** So long nobody may hold a replica's lock; seconds. */
const LOCK_SECONDS = 1;

export class Failover {
  readonly #context: FailoverContext;
  readonly #dead: MhaServer;
  readonly #cluster: Cluster;
  readonly #scripts: FailoverScripts;
  #differences: Differences | null = null;
  #begun = false;

  constructor(context: FailoverContext, dead: MhaServer, ssh: Promise<boolean>) {
    this.#context = context;
    this.#dead = dead;
    this.#scripts = new FailoverScripts(context, dead, ssh);
    this.#cluster = new Cluster(context.env.sql, context.config, context.log);
  }

  async run(): Promise<FailoverCode> {
    const { log, files } = this.#context;
    let code: FailoverCode = 1;
    try {
      code = await this.#phases();
      files.mark("complete");
      this.#begun = false;
    } catch (error) {
      if (error instanceof MhaError && error.quiet) log.info(error.message);
      else {
        log.error(`Got ERROR: ${wordsOf(error)}`);
        this.#scripts.tell(`Got Error so couldn't continue failover from here: ${wordsOf(error)}`);
      }
    } finally {
      this.#cluster.close();
    }
    await this.#scripts.send();
    if (code === 0) files.dropStatus();
    if (this.#begun) files.mark("error");
    return code;
  }

  /** Asked to end in the middle of it: whoever comes next must look first. */
  interrupted(): void {
    if (this.#begun) this.#context.files.mark("error");
  }

  async #phases(): Promise<FailoverCode> {
    const { log } = this.#context;
    log.info("Starting master failover.");
    log.info("* Phase 1: Configuration Check Phase..");
    const topology = await this.#check();
    log.info(`Starting ${topology.mode === "gtid" ? "GTID" : "Non-GTID"} based failover.`);
    log.info("** Phase 1: Configuration Check Phase completed.");
    const recovery: RecoveryContext = { cluster: this.#cluster, log, mode: topology.mode };
    log.info("* Phase 2: Dead Master Shutdown Phase..");
    this.#begun = true;
    this.#scripts.begin();
    await Promise.all([stopReceiving(recovery, topology.slaves), this.#scripts.shutDown()]);
    log.info("* Phase 2: Dead Master Shutdown Phase completed.");
    log.info("* Phase 3: Master Recovery Phase..");
    const slaves = await this.#receivedBy(topology.slaves);
    await this.#saveBinlog(recovery, slaves);
    const target = await this.#recoverMaster(recovery, slaves);
    log.info("* Phase 3: Master Recovery Phase completed.");
    log.info("* Phase 4: Slaves Recovery Phase..");
    const all = await this.#recoverSlaves(recovery, slaves, target);
    return this.#finish(topology, target, all);
  }

  async #check(): Promise<Topology> {
    const { log, config, options } = this.#context;
    // Asked even though it is dead: somebody may have started it again.
    const [topology] = await Promise.all([this.#cluster.read(this.#dead), this.#checkDeadOnce()]);
    this.#cluster.tell(topology);
    const { master } = topology;
    if (master.server.id !== this.#dead.id) {
      throw new MhaError(
        `Detected dead master ${hostInfo(master.server)} does not match with specified dead master ${hostInfo(this.#dead)}`,
      );
    }
    const missing = missingServer(topology, true);
    if (missing !== null) throw new MhaError(missing);
    const filters = config.application.checkFilter ? filterProblem(topology) : null;
    if (filters !== null) throw new MhaError(`${filters}. check_repl_filter=0 goes on in spite of it`);
    await new FailoverGuard(this.#context).check(hostInfo(this.#dead));
    for (const slave of topology.slaves) {
      if (await this.#cluster.of(slave).lock("failover", LOCK_SECONDS)) continue;
      throw new MhaError(
        `Getting advisory lock failed on ${hostInfo(slave.server)}. Another failover or purge_relay_logs runs there`,
      );
    }
    log.debug(`last_failover_minute is ${options.lastFailoverMinute}`);
    return topology;
  }

  /** With ping_type INSERT a server may answer and still be unfit. */
  async #checkDeadOnce(): Promise<void> {
    if (this.#context.config.application.pingType === "INSERT") return;
    const database = new Database(this.#context.env.sql, this.#dead);
    const opened = await database.open(1_000);
    database.close();
    const lives = opened.ok || opened.error.kind === "server";
    if (!lives)
      return this.#context.log.info(
        `Checking master reachability via MySQL(double check)... ok: ${failureWords(opened.error)}`,
      );
    throw new MhaError(`The master ${hostInfo(this.#dead)} is reachable via MySQL! Stop failover`);
  }

  /** The replicas with what they have now, when nothing comes any more. */
  async #receivedBy(slaves: readonly Alive[]): Promise<readonly Alive[]> {
    const { log } = this.#context;
    log.info("* Phase 3.1: Getting Latest Slaves Phase..");
    const now = await Promise.all(
      slaves.map(async (one) => ({
        ...one,
        facts: { ...one.facts, replication: await this.#cluster.of(one).replication() },
      })),
    );
    log.info("Latest slaves (they have received most):");
    for (const one of latestSlaves(now)) log.lines(serverInWords(one));
    log.info("Oldest slaves:");
    for (const one of oldestSlaves(now)) log.lines(serverInWords(one));
    return now;
  }

  async #saveBinlog(recovery: RecoveryContext, slaves: readonly Alive[]): Promise<void> {
    const { log, files, shell, options } = this.#context;
    log.info("* Phase 3.2: Saving Dead Master's Binlog Phase..");
    const usable = !(shell.isUseless || options.skipSaveMasterBinlog) && (await this.#scripts.hostAnswers());
    this.#differences = new Differences({
      ...recovery,
      dead: this.#dead,
      shell: usable ? shell : null,
      workdir: files.workdir,
      binlogServers: this.#context.config.binlogServers,
      ignoreBinlogServerError: options.ignoreBinlogServerError,
    });
    if (options.skipSaveMasterBinlog)
      log.info("Skipping saving the dead master's binary log (--skip_save_master_binlog).");
    else await this.#differences.saveTail(slaves);
  }

  async #recoverMaster(recovery: RecoveryContext, slaves: readonly Alive[]): Promise<Target> {
    const { log, config, options } = this.#context;
    log.info("* Phase 3.3: Determining New Master Phase..");
    const { checkDelay, latestPriority } = config.application;
    const choice = chooseMaster(slaves, { named: options.newMaster, checkDelay, latestPriority });
    if (!choice.ok) throw new MhaError(choice.error);
    let { winner } = choice.value;
    log.info(`New master is ${hostInfo(winner.server)} (${choice.value.because})`);
    if (options.interactive) winner = await new FailoverGuard(this.#context).confirm(this.#dead, winner, slaves);
    const freshest = mostAdvanced(slaves) ?? winner;
    log.info("* Phase 3.4: Master Log Apply Phase..");
    await this.#level(recovery, { winner, freshest, slaves });
    await this.#cluster.of(winner).thread("STOP", winner.facts.replication?.channel ?? "", null);
    const next = this.#cluster.of(winner);
    const target: Target = { master: winner, at: await next.end(), gtids: await executedBy(next) };
    tellNewPosition(recovery, target);
    this.#scripts.tell(`${hostInfo(winner.server)}: OK: Applying all logs succeeded.`);
    await this.#open(target);
    return target;
  }

  /** The new master gets everything that any replica has, then what only the dead one's disk has. */
  async #level(
    recovery: RecoveryContext,
    {
      winner,
      freshest,
      slaves,
    }: { readonly winner: Alive; readonly freshest: Alive; readonly slaves: readonly Alive[] },
  ): Promise<void> {
    const { log } = this.#context;
    const told = (text: string): void => log.info(text);
    const both = winner === freshest ? [winner] : [winner, freshest];
    const drained = await Promise.all(both.map((one) => this.#cluster.of(one).drain(told)));
    const [own = null, best = own] = drained.map(({ executed }) => executed);
    const isLatest = latestSlaves(slaves).includes(winner);
    if (recovery.mode === "gtid") {
      if (!isLatest) await catchUpByGtid(recovery, winner, freshest);
      if (best !== null) await this.#applyTail(winner, best);
    } else if (this.#differences?.hasTail === true && own !== null) await this.#applyTail(winner, own);
    else if (!isLatest && own !== null) await this.#differences?.levelWith(freshest, winner, own);
  }

  async #applyTail(winner: Alive, from: Coordinates): Promise<void> {
    const applied = (await this.#differences?.applyTail(winner, from)) ?? 0;
    if (applied > 0)
      this.#scripts.tell(`${hostInfo(winner.server)}: OK: ${applied} transactions from the dead master's binary log.`);
  }

  async #open({ master }: Target): Promise<void> {
    const { log, options } = this.#context;
    await this.#scripts.activate(master.server);
    if (!options.skipDisableReadOnly) {
      log.info(`Setting read_only=0 on ${hostInfo(master.server)}..`);
      await this.#cluster.of(master).order(OPEN_STATEMENT, { what: "SET GLOBAL read_only=0" });
    }
    this.#scripts.opened(master.server);
    log.info("** Finished master recovery successfully.");
  }

  async #recoverSlaves(recovery: RecoveryContext, slaves: readonly Alive[], target: Target): Promise<boolean> {
    const { log } = this.#context;
    log.info("* Phase 4.1: Starting Slaves in parallel..");
    const others = slaves.filter(({ server }) => server.id !== target.master.server.id);
    const outcomes = await Promise.all(
      others.map(async (one): Promise<boolean> => {
        const name = hostInfo(one.server);
        try {
          await this.#recoverSlave(recovery, one, { target, freshest: mostAdvanced(slaves) ?? target.master });
          this.#scripts.recovered(one.server);
          this.#scripts.tell(`${name}: OK: Slave started, replicating from ${hostInfo(target.master.server)}`);
          log.info(`-- Slave recovery on host ${name} succeeded.`);
          return true;
        } catch (error) {
          log.error(`-- Slave recovery on host ${name} failed: ${wordsOf(error)}`);
          this.#scripts.tell(`${name}: ERROR: Starting slave failed: ${wordsOf(error)}`);
          return false;
        }
      }),
    );
    return outcomes.every((outcome) => outcome);
  }

  async #recoverSlave(
    recovery: RecoveryContext,
    one: Alive,
    { target, freshest }: { readonly target: Target; readonly freshest: Alive },
  ): Promise<void> {
    const { log, options } = this.#context;
    const database = this.#cluster.of(one);
    const { executed } = await database.drain((text) => log.info(text));
    if (recovery.mode === "position" && executed !== null) {
      if (this.#differences?.hasTail === true) await this.#differences.applyTail(one, executed);
      else if (
        comparePositions(one.facts.replication?.received ?? null, freshest.facts.replication?.received ?? null) < 0
      ) {
        await this.#differences?.levelWith(freshest, one, executed);
      }
    }
    if (options.skipChangeMaster) {
      log.info(` Skipping CHANGE MASTER on ${hostInfo(one.server)} (--skip_change_master).`);
      return;
    }
    await pointAt(recovery, one, target);
    await replicates(database);
    if (recovery.mode === "gtid" && options.waitUntilGtidInSync)
      await waitForGtids(database, target.gtids, { needsIo: true });
  }

  async #finish(topology: Topology, { master }: Target, all: boolean): Promise<FailoverCode> {
    const { log } = this.#context;
    const name = hostInfo(master.server);
    let reset = true;
    if (all) {
      log.info("All new slave servers recovered successfully.");
      log.info("* Phase 5: New master cleanup phase..");
      reset = await this.#cleanUp(master);
    }
    const lost = [...topology.dead.filter(({ server }) => server.id !== this.#dead.id), ...topology.failed];
    for (const { server, facts } of lost) {
      const why = facts === null ? "Could not be reachable so couldn't recover." : "Slave failed so couldn't recover.";
      this.#scripts.tell(`${hostInfo(server)}: ERROR: ${why}`);
    }
    if (all && reset && lost.length === 0) {
      const message = `Master failover to ${name} completed successfully.`;
      this.#scripts.succeeded();
      log.info(message);
      this.#scripts.tell(message);
      if (this.#context.options.removeDeadMasterConf) new FailoverGuard(this.#context).removeBlock(this.#dead.id);
      return 0;
    }
    const message = `Master failover to ${name} done, but recovery on slave partially failed.`;
    log.error(message);
    this.#scripts.tell(message);
    return 10;
  }

  async #cleanUp(master: Alive): Promise<boolean> {
    const { log } = this.#context;
    const name = hostInfo(master.server);
    if (master.server.skipResetSlave) {
      log.info("Skipping RESET SLAVE on the new master.");
      return true;
    }
    try {
      await this.#cluster.of(master).forgetSource(master.facts.replication?.channel ?? "");
      this.#scripts.tell(`${name}: Resetting slave info succeeded.`);
      return true;
    } catch (error) {
      log.error(wordsOf(error));
      this.#scripts.tell(`${name}: Resetting slave info failed.`);
      return false;
    }
  }
}
