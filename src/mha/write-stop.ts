/**
 * The part of an online switch in which nobody may write: the old master is closed, and until the new one is open every failure opens the old one
 * again, unless both could then take writes.
 */
import type { MhaConfig } from "../core/mha/config.ts";
import { hostInfo } from "../core/mha/config.ts";
import { comparePositions } from "../core/mha/election.ts";
import { LOCK_STATEMENT } from "../core/mha/orders.ts";
import { onlineChange, shownWords } from "../core/mha/scripts.ts";
import type { Alive } from "../core/mha/topology.ts";
import { type Coordinates, coordinatesInWords } from "../core/mysql/coordinates.ts";
import { closeStatement, OPEN_STATEMENT } from "../core/mysql/orders.ts";
import type { Cluster } from "./cluster.ts";
import type { Database } from "./database.ts";
import { type MhaEnvironment, MhaError, pause, wordsOf } from "./environment.ts";
import { isYes } from "./guard.ts";
import type { MhaLog } from "./log.ts";
import { endInWords, runScript } from "./programs.ts";
import { userName } from "./ssh.ts";

export interface SwitchOptions {
  readonly conf: string;
  readonly interactive: boolean;
  readonly checkOnly: boolean;
  readonly newMaster: { readonly host: string; readonly port: number } | null;
  readonly origStays: boolean;
  /** Seconds an update may have been running on the old master. */
  readonly updatesLimit: number;
  /** Seconds anything may have been running on the new master. */
  readonly runningLimit: number;
  readonly behindLimit: number;
  readonly skipLock: boolean;
  readonly removeOrig: boolean;
  readonly flush: "yes" | "no" | "ask";
}

export interface SwitchContext {
  readonly env: MhaEnvironment;
  readonly log: MhaLog;
  readonly config: MhaConfig;
  readonly options: SwitchOptions;
}

/** The longest that writing may stand before the old master is opened again; milliseconds. */
export const WRITE_STOP_MILLIS = 10_000;
/** For the lock that every running statement must let go; seconds. */
const LOCK_WAIT_SECONDS = 5;
/** With this exit code a script asks to go on in spite of it. */
const GO_ON = 10;

export interface Pair {
  readonly orig: Alive;
  readonly winner: Alive;
}

export class WriteStop {
  readonly #context: SwitchContext;
  readonly #cluster: Cluster;
  readonly #setting: { readonly sshUser: string; readonly staysAsReplica: boolean };
  #wasOpen = false;
  #stopped = false;
  #scriptStopped = false;
  /** A script was told to open the new master, and may have done so whatever it said. */
  #scriptStarted = false;

  constructor(context: SwitchContext, cluster: Cluster) {
    this.#context = context;
    this.#cluster = cluster;
    this.#setting = { sshUser: userName(), staysAsReplica: context.options.origStays };
  }

  /** From here on nobody writes; where the old master's log ends then. */
  async stop({ orig, winner }: Pair, lock: Database): Promise<Coordinates> {
    const { log, env, config, options } = this.#context;
    const database = this.#cluster.of(orig);
    this.#wasOpen = !orig.facts.readOnly;
    this.#stopped = true;
    const { ipOnlineChange } = config.application.scripts;
    if (ipOnlineChange !== null) {
      await database.unlock("monitor");
      this.#scriptStopped = true;
      await this.#script("stop", ipOnlineChange, { orig, winner });
    } else if (options.interactive) {
      const answer = await env.ask(
        "master_ip_online_change_script is not defined. If you do not disable writes on the current master manually, applications keep writing on the current master. Is it ok to proceed? (yes/NO): ",
      );
      if (!isYes(answer)) throw new MhaError("Not typed yes. Stopping.", { quiet: true });
    } else log.warning("master_ip_online_change_script is not defined. The address of the writer is not moved.");
    const opened = await lock.open();
    if (!opened.ok) throw new MhaError(`${lock.name} cannot be connected to any more`);
    await lock.order(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`, { what: "SET lock_wait_timeout" });
    // It stays closed behind the lock, too: whoever waits there must not write once the lock is gone.
    await lock.order(closeStatement(lock.version), {
      what: "SET GLOBAL read_only=1",
      timeoutMillis: WRITE_STOP_MILLIS,
    });
    if (options.skipLock) log.info("Skipping locking all tables.");
    else {
      log.info("Locking all tables on the orig master to reject updates from everybody (including root):");
      await lock.order(LOCK_STATEMENT, {
        what: "FLUSH TABLES WITH READ LOCK",
        timeoutMillis: (LOCK_WAIT_SECONDS + 2) * 1000,
      });
    }
    const end = await lock.end();
    const again = await this.#settled(lock, end);
    log.info(`Orig master binlog:pos is ${coordinatesInWords(again)}.`);
    return again;
  }

  /** Without the lock somebody who may write in spite of read_only could go on. */
  async #settled(lock: Database, first: Coordinates): Promise<Coordinates> {
    if (!this.#context.options.skipLock) return first;
    await pause(500);
    const second = await lock.end();
    if (comparePositions(first, second) === 0) return second;
    throw new MhaError(
      "The orig master's binary log still grows: somebody writes in spite of read_only. Leave --skip_lock_all_tables away",
    );
  }

  async #script(command: "stop" | "start", script: readonly string[], { orig, winner }: Pair): Promise<void> {
    const { log } = this.#context;
    const words = [...script, ...onlineChange(command, { orig: orig.server, next: winner.server }, this.#setting)];
    log.info(`Executing master ip online change script (${command}):`);
    log.info(`  ${shownWords(words)}`);
    const result = await runScript(words, log, { timeoutMillis: 60_000 });
    if (result.code === GO_ON) log.warning("It ended with 10. Proceeding.");
    else if (result.code !== 0)
      throw new MhaError(`master_ip_online_change_script ended with return code ${endInWords(result)}`);
  }

  /** Tells the script to move the address to the new master. */
  async startScript(pair: Pair): Promise<void> {
    const { ipOnlineChange } = this.#context.config.application.scripts;
    if (ipOnlineChange === null) return;
    this.#scriptStarted = true;
    await this.#script("start", ipOnlineChange, pair);
  }

  /** The new master was not opened: the old one goes on. */
  async takeBack({ orig, winner }: Pair, lock: Database): Promise<void> {
    const { log, config } = this.#context;
    if (!this.#stopped) return;
    log.warning(`Taking the switch back: ${hostInfo(orig.server)} stays master.`);
    lock.close();
    const { ipOnlineChange } = config.application.scripts;
    try {
      if (this.#scriptStarted) await this.#closeNew(winner);
      const database = this.#cluster.of(orig);
      if (!database.isOpen) await database.open();
      if (this.#wasOpen) await database.order(OPEN_STATEMENT, { what: "SET GLOBAL read_only=0" });
      if (this.#scriptStopped && ipOnlineChange !== null)
        await this.#script("start", ipOnlineChange, { orig: winner, winner: orig });
      log.info(` ${hostInfo(orig.server)} takes writes again.`);
    } catch (error) {
      log.error(
        `Taking it back failed: ${wordsOf(error)}. Open ${hostInfo(orig.server)} by hand: SET GLOBAL read_only=0`,
      );
    }
  }

  /** Two that take writes are worse than none: without its answer the old master stays closed. */
  async #closeNew({ server, facts }: Alive): Promise<void> {
    const database = this.#cluster.of({ server });
    if (!facts.readOnly) return;
    try {
      if (!database.isOpen) await database.open();
      await database.order(closeStatement(database.version), {
        what: "SET GLOBAL read_only=1",
        timeoutMillis: WRITE_STOP_MILLIS,
      });
    } catch (error) {
      throw new MhaError(`${hostInfo(server)} may be open and cannot be closed (${wordsOf(error)}). Close it first`);
    }
  }
}
