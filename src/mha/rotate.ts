/**
 * Online switch: a live master hands over to one of its replicas. Writing stops for as long as the new master needs for the rest, and at most
 * for a stated time (write-stop.ts).
 */
import { hostInfo } from "../core/mha/config.ts";
import { chooseMaster, comparePositions, unfitFor } from "../core/mha/election.ts";
import { demoteStatements, FLUSH_STATEMENT } from "../core/mha/orders.ts";
import { busyThreads, threadInWords } from "../core/mha/threads.ts";
import { type Alive, missingServer, type Topology, treeInWords } from "../core/mha/topology.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { coordinatesInWords } from "../core/mysql/coordinates.ts";
import { OPEN_STATEMENT, SESSIONS_STATEMENT } from "../core/mysql/orders.ts";
import { checkHealth } from "./check.ts";
import { Cluster } from "./cluster.ts";
import { Database } from "./database.ts";
import { MhaError, pause, wordsOf } from "./environment.ts";
import { confirmMaster, removeBlock } from "./guard.ts";
import { executedBy, pointAt, type RecoveryContext, replicates, type Target, tellNewPosition } from "./recovery.ts";
import { type Pair, type SwitchContext, WRITE_STOP_MILLIS, WriteStop } from "./write-stop.ts";

interface Plan extends Pair {
  readonly topology: Topology;
}

export class Rotation {
  readonly #context: SwitchContext;
  readonly #cluster: Cluster;
  readonly #writing: WriteStop;

  constructor(context: SwitchContext) {
    this.#context = context;
    this.#cluster = new Cluster(context.env.sql, context.config, context.log);
    this.#writing = new WriteStop(context, this.#cluster);
  }

  async run(): Promise<0 | 1 | 10> {
    const { log, options } = this.#context;
    try {
      log.info("Starting online master switch..");
      log.info("* Phase 1: Configuration Check Phase..");
      const plan = await this.#check();
      log.info("** Phase 1: Configuration Check Phase completed.");
      if (options.checkOnly) {
        log.info("--check_only is set. Nothing is changed.");
        return 0;
      }
      return await this.#switch(plan);
    } catch (error) {
      if (error instanceof MhaError && error.quiet) log.info(error.message);
      else log.error(`Got ERROR: ${wordsOf(error)}`);
      return 1;
    } finally {
      this.#cluster.close();
    }
  }

  async #check(): Promise<Plan> {
    const { log, options } = this.#context;
    const topology = await this.#cluster.read();
    this.#cluster.tell(topology);
    const missing = missingServer(topology, false);
    if (missing !== null)
      throw new MhaError(`Switching master should not be started if one or more servers is down. ${missing}`);
    const { master } = topology;
    if (master.facts === null) throw new MhaError(`${hostInfo(master.server)} is dead; use --master_state=dead`);
    const orig: Alive = { ...master, facts: master.facts };
    await this.#cluster.checkReplicationUsers(topology);
    await this.#flushTables(orig);
    await this.#takeLocks(orig, topology);
    checkHealth(topology, this.#cluster, { limit: options.behindLimit, log });
    await this.#refuseBusy(orig, { limit: options.updatesLimit + 1, updates: true });
    const winner = await this.#choose(topology);
    await this.#refuseBusy(winner, { limit: options.runningLimit, updates: false });
    return { topology, orig, winner };
  }

  async #flushTables(orig: Alive): Promise<void> {
    const { env, log, options } = this.#context;
    const name = hostInfo(orig.server);
    const asked =
      options.flush === "ask" && options.interactive
        ? !/^n/i.test(
            await env.ask(
              `It is better to execute FLUSH NO_WRITE_TO_BINLOG TABLES on the master before switching. Is it ok to execute on ${name}? (YES/no): `,
            ),
          )
        : options.flush !== "no";
    if (!asked) {
      log.info("Skipping executing FLUSH NO_WRITE_TO_BINLOG TABLES.");
      return;
    }
    log.info("Executing FLUSH NO_WRITE_TO_BINLOG TABLES. This may take long..");
    await this.#cluster.of(orig).order(FLUSH_STATEMENT, { what: "FLUSH TABLES", timeoutMillis: 600_000 });
  }

  async #takeLocks(orig: Alive, { slaves }: Topology): Promise<void> {
    this.#context.log.info("Checking MHA is not monitoring or doing failover..");
    if (!(await this.#cluster.of(orig).lock("monitor", 0))) {
      throw new MhaError(`A manager monitors ${hostInfo(orig.server)}. End it with masterha_stop and try again`);
    }
    for (const slave of slaves) {
      if (await this.#cluster.of(slave).lock("failover", 0)) continue;
      throw new MhaError(
        `Getting advisory lock failed on ${hostInfo(slave.server)}. A failover or purge_relay_logs runs there`,
      );
    }
  }

  async #refuseBusy(
    one: Alive,
    { limit, updates }: { readonly limit: number; readonly updates: boolean },
  ): Promise<void> {
    const rows = await this.#cluster.of(one).order(SESSIONS_STATEMENT, { what: "SHOW PROCESSLIST" });
    const busy = busyThreads(rows, { seconds: limit, updates });
    if (busy.length === 0) return;
    throw new MhaError(
      `${busy.length} ${updates ? "update" : "running"} thread(s) on ${hostInfo(one.server)} have been running for ${limit} s or longer: ${busy.slice(0, 10).map(threadInWords).join("; ")}`,
    );
  }

  async #choose(topology: Topology): Promise<Alive> {
    const { env, log, config, options } = this.#context;
    // All of them have received everything.
    const choice = chooseMaster(topology.slaves, {
      named: options.newMaster,
      checkDelay: false,
      latestPriority: config.application.latestPriority,
    });
    if (!choice.ok) throw new MhaError(choice.error);
    let { winner } = choice.value;
    log.lines(["From:", ...treeInWords(topology), "", "To:", `${hostInfo(winner.server)} (new master)`]);
    for (const one of topology.slaves) if (one !== winner) log.info(` +--${hostInfo(one.server)}`);
    if (options.origStays) log.info(` +--${hostInfo(topology.master.server)}`);
    if (options.interactive && !options.checkOnly) {
      winner = await confirmMaster(env.ask, { from: topology.master.server, winner, slaves: topology.slaves });
    }
    const reason = unfitFor(winner, topology.slaves, false);
    if (reason !== null) throw new MhaError(`Server ${hostInfo(winner.server)} must not be new master: ${reason}`);
    return winner;
  }

  async #switch(plan: Plan): Promise<0 | 10> {
    const { log, env } = this.#context;
    const { orig, winner, topology } = plan;
    const recovery: RecoveryContext = { cluster: this.#cluster, log, mode: topology.mode };
    log.info("* Phase 2: Rejecting updates Phase..");
    // The table lock's own session: a script may end all others, and closing it gives the lock back.
    const lock = new Database(env.sql, orig.server);
    const began = performance.now();
    let target: Target;
    let end: Coordinates;
    try {
      end = await this.#writing.stop(plan, lock);
      await this.#reaches(winner, end, began + WRITE_STOP_MILLIS);
      const next = this.#cluster.of(winner);
      target = { master: winner, at: await next.end(), gtids: await executedBy(next) };
      tellNewPosition(recovery, target);
    } catch (error) {
      await this.#writing.takeBack(plan, lock);
      throw error;
    }
    await this.#open(plan, lock);
    log.info(`Writing stood for ${Math.round(performance.now() - began)} ms.`);
    const all = await this.#switchSlaves(recovery, { plan, target, end });
    lock.close();
    const stays = !this.#context.options.origStays || (await this.#demote(recovery, plan, target));
    return this.#finish(plan, all && stays);
  }

  async #reaches(replica: Alive, end: Coordinates, until: number): Promise<void> {
    const database = this.#cluster.of(replica);
    for (;;) {
      const { executed, sql, io, sqlError, ioError } = await database.replication();
      if (executed !== null && comparePositions(executed, end) >= 0) return;
      if (sql === "stopped" || io === "stopped")
        throw new MhaError(`${database.name} does not get on: ${sqlError ?? ioError ?? "a thread is stopped"}`);
      if (performance.now() > until)
        throw new MhaError(`${database.name} has not reached ${coordinatesInWords(end)} in time`);
      await pause(5);
    }
  }

  async #open(plan: Plan, lock: Database): Promise<void> {
    try {
      await this.#writing.startScript(plan);
    } catch (error) {
      await this.#writing.takeBack(plan, lock);
      throw error;
    }
    this.#context.log.info(`Setting read_only=0 on ${hostInfo(plan.winner.server)}..`);
    await this.#cluster.of(plan.winner).order(OPEN_STATEMENT, { what: "SET GLOBAL read_only=0" });
  }

  async #switchSlaves(
    recovery: RecoveryContext,
    { plan, target, end }: { readonly plan: Plan; readonly target: Target; readonly end: Coordinates },
  ): Promise<boolean> {
    const { log } = this.#context;
    log.info("* Switching slaves in parallel..");
    const others = plan.topology.slaves.filter((one) => one !== plan.winner);
    const outcomes = await Promise.all(
      others.map(async (one) => {
        const name = hostInfo(one.server);
        try {
          await this.#reaches(one, end, Number.POSITIVE_INFINITY);
          await pointAt(recovery, one, target);
          await replicates(this.#cluster.of(one));
          log.info(`-- Slave switch on host ${name} succeeded.`);
          return true;
        } catch (error) {
          log.error(`-- Slave switch on host ${name} failed: ${wordsOf(error)}`);
          return false;
        }
      }),
    );
    return outcomes.every((outcome) => outcome);
  }

  /** The old master follows the new one; it has no transaction that the new one lacks. */
  async #demote(recovery: RecoveryContext, { orig }: Plan, target: Target): Promise<boolean> {
    const { log } = this.#context;
    log.info("Starting orig master as a new slave..");
    try {
      const database = this.#cluster.of(orig);
      if (!database.isOpen) await database.open();
      for (const statement of demoteStatements(database.version, recovery.mode, await executedBy(database))) {
        await database.order(statement, { what: "preparing the orig master as a replica" });
      }
      await pointAt(
        recovery,
        { ...orig, facts: { ...orig.facts, replication: target.master.facts.replication } },
        target,
      );
      await replicates(database);
      return true;
    } catch (error) {
      log.error(` ${wordsOf(error)}`);
      return false;
    }
  }

  async #finish({ orig, winner }: Plan, all: boolean): Promise<0 | 10> {
    const { log, options } = this.#context;
    let good = all;
    if (all) {
      log.info("All new slave servers switched successfully.");
      log.info("* Phase 5: New master cleanup phase..");
      if (winner.server.skipResetSlave) log.info("Skipping RESET SLAVE on the new master.");
      else {
        await this.#cluster
          .of(winner)
          .forgetSource(winner.facts.replication?.channel ?? "")
          .catch((error: unknown) => {
            log.error(wordsOf(error));
            good = false;
          });
      }
    }
    if (!good) {
      log.error(`Switching master to ${hostInfo(winner.server)} done, but switching slaves partially failed.`);
      return 10;
    }
    log.info(`Switching master to ${hostInfo(winner.server)} completed successfully.`);
    if (options.removeOrig && !options.origStays) {
      removeBlock(options.conf, orig.server.id);
      log.info(`Deleted ${orig.server.id} entry from ${options.conf} .`);
    }
    return 0;
  }
}
