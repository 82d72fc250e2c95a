/**
 * Looks at the master until it is down for certain: over a kept connection whose end is noticed at once, confirmed from other routes and by
 * what the replicas see. What counts as down is core/mha/ping.ts's.
 */
import type { MhaConfig } from "../core/mha/config.ts";
import { PING_INSERT } from "../core/mha/orders.ts";
import { PING_START, type PingAnswer, ping } from "../core/mha/ping.ts";
import { secondaryCall, secondaryCheck, shownWords } from "../core/mha/scripts.ts";
import type { Seen, Topology } from "../core/mha/topology.ts";
import type { SqlFailure } from "../core/mysql/failure.ts";
import { isNobody } from "../core/mysql/failure.ts";
import type { Cluster } from "./cluster.ts";
import { aliveError, Database, failureWords } from "./database.ts";
import { type MhaEnvironment, MhaError, pause } from "./environment.ts";
import type { ManagerFiles } from "./files.ts";
import type { MhaLog } from "./log.ts";
import { runScript } from "./programs.ts";
import { ReplicaView } from "./replica-view.ts";
import { type MasterShell, userName } from "./ssh.ts";

export interface MonitorContext {
  readonly env: MhaEnvironment;
  readonly log: MhaLog;
  readonly files: ManagerFiles;
  readonly cluster: Cluster;
  readonly shell: MasterShell;
}

export interface DeadMaster {
  readonly master: Seen;
  /** Whether its host answers by ssh: asked since the first failure, waited for by whoever needs it. */
  readonly ssh: Promise<boolean>;
}

export class Monitor {
  readonly #context: MonitorContext;
  readonly #config: MhaConfig;
  readonly #topology: Topology;
  readonly #database: Database;
  #wake = new AbortController();
  #answered = false;

  constructor(context: MonitorContext, topology: Topology) {
    this.#context = context;
    this.#config = context.cluster.config;
    this.#topology = topology;
    this.#database = new Database(context.env.sql, topology.master.server);
    this.#database.onLost(() => this.#wake.abort());
  }

  /** Resolves when the master is dead; null when the command is to end. Throws when somebody else monitors the same master. */
  async untilDead(): Promise<DeadMaster | null> {
    const { log, env } = this.#context;
    const millis = this.#config.application.pingInterval * 1000;
    log.info(`Set master ping interval ${this.#config.application.pingInterval} seconds.`);
    if (this.#config.application.scripts.secondaryCheck === null) {
      log.warning(
        "secondary_check_script is not defined: only this host and the replicas say whether the master is alive.",
      );
    }
    log.info(`Starting ping health check on ${this.#database.name}..`);
    let state = PING_START;
    let suspicion: Suspicion | null = null;
    while (!env.ended.aborted) {
      const began = performance.now();
      const answer = await this.#look(millis);
      const step = ping(state, answer, millis);
      state = step.state;
      if (step.verdict === "up") {
        suspicion?.drop();
        suspicion = null;
        if (answer.kind === "answered") this.#tellUp();
      } else {
        this.#answered = false;
        suspicion ??= this.#suspect();
      }
      if (step.verdict === "down" && suspicion !== null) {
        const certain = await suspicion.confirm(answer.kind === "refused");
        if (certain !== null) return certain;
        suspicion.drop();
        suspicion = null;
        state = PING_START;
      }
      // The interval is from look to look: one that waited in vain has taken its time already.
      await this.#wait(Math.max(0, step.wait < millis ? step.wait : millis - (performance.now() - began)));
    }
    this.close();
    return null;
  }

  close(): void {
    this.#database.onLost(() => undefined);
    this.#database.close();
  }

  #wait(millis: number): Promise<void> {
    this.#wake = new AbortController();
    if (this.#answered && !this.#database.isOpen) return Promise.resolve();
    return pause(millis, AbortSignal.any([this.#wake.signal, this.#context.env.ended]));
  }

  #tellUp(): void {
    const { log, files } = this.#context;
    if (this.#answered) {
      files.touchStatus();
      return;
    }
    this.#answered = true;
    files.setStatus("PING_OK");
    log.info(`Ping(${this.#config.application.pingType}) succeeded, ${this.#database.name} is being watched..`);
  }

  #suspect(): Suspicion {
    this.#context.files.setStatus("PING_FAILING");
    return new Suspicion(this.#context, this.#topology);
  }

  async #look(millis: number): Promise<PingAnswer> {
    const wasOpen = this.#database.isOpen;
    if (!wasOpen) {
      if (this.#answered) {
        this.#answered = false;
        this.#context.log.warning(`The connection to ${this.#database.name} has ended.`);
        return { kind: "lost" };
      }
      const opened = await this.#database.open(millis);
      if (!opened.ok) return this.#failed(opened.error);
      const locked = await this.#database.query("SELECT 1 AS value", millis);
      if (!locked.ok) return this.#failed(locked.error);
      await this.#takeLock(millis);
    }
    const { pingType } = this.#config.application;
    if (pingType === "CONNECT") return this.#connectOnce(millis);
    const statements = pingType === "INSERT" ? PING_INSERT : ["SELECT 1 AS Value"];
    for (const statement of statements) {
      const answer = await this.#database.query(statement, millis);
      if (!answer.ok) return this.#failed(answer.error);
    }
    return { kind: "answered" };
  }

  async #takeLock(millis: number): Promise<void> {
    const free = await this.#database.lock("monitor", Math.ceil(millis / 1000) * 2).catch(() => true);
    if (free) return;
    throw new MhaError(
      `The advisory lock on ${this.#database.name} is held by somebody else: another manager monitors this master. Stop one of them`,
    );
  }

  async #connectOnce(millis: number): Promise<PingAnswer> {
    const database = new Database(this.#context.env.sql, this.#topology.master.server);
    const opened = await database.open(millis);
    const asked = opened.ok ? await database.query("SELECT 1 AS Value", millis) : opened;
    database.close();
    return asked.ok ? { kind: "answered" } : this.#failed(asked.error);
  }

  #failed(failure: SqlFailure): PingAnswer {
    const { log } = this.#context;
    const code = aliveError(failure);
    if (code !== null) {
      log.info(`Got MySQL error ${code}, which only a server that is alive gives. Monitoring goes on.`);
      return { kind: "alive", code };
    }
    log.warning(
      `Ping(${this.#config.application.pingType}) failed on ${this.#database.name}: ${failureWords(failure)}`,
    );
    return isNobody(failure) ? { kind: "refused" } : { kind: "failed" };
  }
}

/** From the first failure on: what other routes and the replicas say, asked while the master is looked at again. */
class Suspicion {
  readonly #context: MonitorContext;
  readonly #topology: Topology;
  readonly #stop = new AbortController();
  readonly #secondary: Promise<number | null>;
  readonly #ssh: Promise<boolean>;
  readonly #view: ReplicaView;

  constructor(context: MonitorContext, topology: Topology) {
    this.#context = context;
    this.#topology = topology;
    this.#view = new ReplicaView(context.env.sql, topology.slaves);
    this.#secondary = this.#askSecondary();
    this.#ssh = context.shell.reachable();
  }

  drop(): void {
    this.#stop.abort();
    this.#view.close();
  }

  /** Null: it is not certain, and monitoring goes on. */
  async confirm(refused: boolean): Promise<DeadMaster | null> {
    const { log } = this.#context;
    const code = await this.#secondary;
    if (code === 2)
      log.warning("A host of the secondary check cannot be reached: this looks like a network problem. No failover.");
    else if (code === 3) log.warning("Master is reachable from at least one of the other hosts. No failover.");
    else if (code !== 0 && code !== null) log.error(`The secondary check ended with ${code}. No failover.`);
    if (code !== 0 && code !== null) return null;
    const still = await this.#view.stillServed(refused);
    if (still !== null) {
      log.warning(`Master is reachable from slave ${still}: its connection is alive. No failover.`);
      return null;
    }
    this.#view.close();
    const { master } = this.#topology;
    log.warning(`Master ${this.#context.cluster.of(master).name} is not reachable!`);
    return { master, ssh: this.#ssh };
  }

  async #askSecondary(): Promise<number | null> {
    const { log, cluster, env } = this.#context;
    const { scripts, pingType } = cluster.config.application;
    if (scripts.secondaryCheck === null) return null;
    const { server } = this.#topology.master;
    const words = secondaryCheck(server, pingType, { sshUser: userName() });
    const call = secondaryCall(scripts.secondaryCheck, words, { self: env.self, password: server.password });
    log.info(`Executing secondary network check script: ${shownWords([...scripts.secondaryCheck, ...words])}`);
    const result = await runScript(call.argv, log, {
      env: call.env,
      signal: this.#stop.signal,
      timeoutMillis: 60_000,
    });
    return result.code ?? 1;
  }
}
