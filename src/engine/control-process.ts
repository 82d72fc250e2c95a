/**
 * The control process without a kernel under it: joins checks, hooks and the keeper's supervision, carries out reload
 * and stop. It owns the configuration in force. It reads no files and takes no signals: main/control.ts does.
 */

import type { Diagnostic, HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { instant, micros, seconds } from "../core/lib/units.ts";
import type { Standings } from "../core/link/messages.ts";
import { NO_STANDINGS } from "../core/link/messages.ts";
import type { KeyPorts } from "../ports/digest.ts";
import type { FifoPort } from "../ports/fifo.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperLauncher } from "../ports/keeper-process.ts";
import type { Mailer } from "../ports/mailer.ts";
import { PLAIN_POLICY, type Spawner } from "../ports/spawner.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import type { FileWatchPort, ProcessWatchPort } from "../ports/watches.ts";
import { type BalancingOptions, createBalancing } from "./balancing.ts";
import { type CheckEngine, createCheckEngine, scriptPolicy } from "./check-engine.ts";
import type { ServerChecks } from "./checkers/server-checks.ts";
import { REAP_LIMIT } from "./command-run.ts";
import { isRival, originOf, setupOf, tellHooks } from "./control-messages.ts";
import { createDaemonScripts, type DaemonScripts } from "./daemon-scripts.ts";
import { createDatabases, type DatabaseOptions, type Databases } from "./databases.ts";
import { depart } from "./departure.ts";
import type { EventBus } from "./event-bus.ts";
import { createFileEngine, type FileEngine } from "./file-engine.ts";
import { createHookEngine, type HookEngine } from "./hook-engine.ts";
import type { LeftKeeper } from "./keeper-leaving.ts";
import { createKeeperSupervisor, type KeeperSupervisor } from "./keeper-supervisor.ts";
import type { Lvs } from "./lvs/lvs.ts";
import { createNotifier, type Notifier } from "./notifier.ts";
import type { Part } from "./part.ts";
import { createProcessEngine, type ProcessEngine } from "./process-engine.ts";
import { missingInterfaces, reloadChanges } from "./reload-plan.ts";
import { createShortageTeller } from "./shortage-teller.ts";
import { delayStart } from "./startup-delay.ts";
import { stopLimit } from "./stop-limit.ts";

/** After everything was killed: then the daemon ends, whatever is left waiting in the kernel. */
export const LAST_LIMIT = micros(REAP_LIMIT + seconds(1));

export interface ParsedConfig {
  readonly config: HoldfastConfig;
  readonly diagnostics: readonly Diagnostic[];
  /** Why it must not be used, in a sentence; null when it may. */
  readonly unusable: string | null;
}

export interface ControlProcessOptions extends DatabaseOptions, BalancingOptions {
  readonly timers: Timers;
  readonly spawner: Spawner;
  readonly launcher: KeeperLauncher;
  readonly guard: GuardPort;
  readonly files: FileWatchPort;
  readonly processes: ProcessWatchPort;
  readonly keys: KeyPorts;
  readonly bus: EventBus;
  readonly fifos: FifoPort;
  readonly mailer: Mailer;
  /** Milliseconds since the epoch, for the date of a mail. */
  readonly wallMillis: () => number;
  readonly parse: () => ParsedConfig;
  /** Null when the host does not say. */
  readonly hasInterface: (name: string) => boolean | null;
  /** A new configuration is in force. */
  readonly onConfig: (config: HoldfastConfig, diagnostics: readonly Diagnostic[]) => void;
  /** The keeper runs already: no startup_script, no delay. */
  readonly resumes?: boolean;
  /** The daemon must end. */
  readonly onFatal: (reason: string) => void;
}

export interface ReloadReport {
  readonly outcome: "applied" | "unchanged" | "refused" | "would-apply";
  readonly changes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly detail: string;
}

export interface ControlProcess {
  readonly checks: CheckEngine;
  readonly hooks: HookEngine;
  readonly keeper: KeeperSupervisor;
  readonly notifier: Notifier;
  readonly databases: Databases;
  readonly lvs: Lvs;
  /** Checks of real servers. */
  readonly servers: ServerChecks;
  /** What tracked files and processes stand at. */
  trackers(): Pick<Standings, "files" | "processes">;
  start(parsed: ParsedConfig): void;
  /** Resolves when startup_script has ended, if there is one. */
  begun(): Promise<void>;
  reload(dryRun: boolean): Promise<ReloadReport>;
  /**
   * Releases in order, runs the last hooks, and resolves when nothing of ours is left; at the latest LAST_LIMIT after
   * hurry(), which it calls itself when the stop takes too long.
   */
  stop(signal: string): Promise<void>;
  /** No more waiting for gates and hooks. */
  hurry(): void;
  /** Ends all but the keeper, for a program that begins anew in this process (departure.ts); a string says why not. dryRun: null when it could. */
  leave(dryRun: boolean): Promise<LeftKeeper | string | null>;
}

export function createControlProcess(options: ControlProcessOptions): ControlProcess {
  return new Control(options);
}

class Control implements ControlProcess {
  readonly checks: CheckEngine;
  readonly hooks: HookEngine;
  readonly keeper: KeeperSupervisor;
  readonly notifier: Notifier;
  readonly databases: Databases;
  readonly lvs: Lvs;
  readonly servers: ServerChecks;
  readonly #files: FileEngine;
  readonly #processes: ProcessEngine;
  /** In the order in which they hear of a configuration; the checks last, because they start programs. */
  readonly #parts: readonly Part[];
  readonly #options: ControlProcessOptions;
  #config: HoldfastConfig | null = null;
  #startTimer: Timer | null = null;
  /** Resolves when the reload that runs has ended. */
  #reloading: Promise<void> | null = null;
  #nextReload: Promise<ReloadReport> | null = null;
  readonly #scripts: DaemonScripts;
  /** startup_script runs. */
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  /** Ends the wait of #stop, whatever it waits for. */
  #giveUp: () => void = () => undefined;
  #lastTimer: Timer | null = null;

  constructor(options: ControlProcessOptions) {
    this.#options = options;
    const { bus, timers, spawner } = options;
    const onShortage = createShortageTeller((body) => bus.publish("parent", body));
    const tools = { timers, spawner, onShortage };
    this.#scripts = createDaemonScripts(tools, {
      publish: (body) => bus.publish("parent", body),
      policy: () => (this.#config === null ? PLAIN_POLICY : scriptPolicy(this.#config)),
    });
    this.hooks = createHookEngine({
      tools,
      publish: (body) => bus.publish("vrrp", body),
      answer: (answer) => this.databases.answer(answer),
      stopping: () => this.#stopping !== null,
    });
    this.notifier = createNotifier({
      timers,
      spawner,
      fifos: options.fifos,
      mailer: options.mailer,
      wallMillis: options.wallMillis,
      publish: (body) => bus.publish("vrrp", body),
      stopping: () => this.#stopping !== null,
    });
    this.checks = createCheckEngine({
      tools,
      publish: (body) => bus.publish("vrrp", body),
      tell: (scripts, succeeded) => this.keeper.tellStandings({ ...NO_STANDINGS, scripts }, succeeded),
      stateOf: (instance) => this.hooks.stateOf(instance),
    });
    this.#files = createFileEngine({
      port: options.files,
      timers,
      publish: (body) => bus.publish("vrrp", body),
      tell: (files) => {
        this.keeper.tellStandings({ ...NO_STANDINGS, files }, []);
        this.servers.files(files);
      },
    });
    this.#processes = createProcessEngine({
      port: options.processes,
      timers,
      publish: (body) => bus.publish("vrrp", body),
      tell: (processes) => this.keeper.tellStandings({ ...NO_STANDINGS, processes }, []),
    });
    this.databases = createDatabases(options, {
      tell: (servers) => this.keeper.tellStandings({ ...NO_STANDINGS, ...servers }, []),
      answer: (answer) => this.keeper.answerGate(answer),
      next: (question) => this.hooks.ask(question),
      withdraw: (instance, gate) => this.hooks.cancel(instance, gate),
      order: (order) => this.keeper.order(order),
    });
    const { lvs, servers } = createBalancing(options, tools, (told) => this.notifier.server(told));
    this.lvs = lvs;
    this.servers = servers;
    this.#parts = [this.#files, this.#processes, this.databases, this.lvs, this.servers, this.checks];
    this.keeper = createKeeperSupervisor({
      timers,
      launcher: options.launcher,
      guard: options.guard,
      keys: options.keys,
      publish: (body, at) => bus.publish(originOf(body.kind), body, at === undefined ? undefined : instant(at)),
      onMessage: (message) => {
        if (message.type === "ask-gate") this.databases.ask(message);
        else if (message.type === "cancel-gate") {
          this.databases.cancel(message.instance, message.gate);
          this.hooks.cancel(message.instance, message.gate);
        } else this.#tell(message.body);
      },
      settings: () => this.#config?.global.keeper ?? null,
      standings: () => ({
        scripts: this.checks.standings(),
        ...this.trackers(),
        ...this.databases.standings(),
      }),
      onLost: () => {
        this.databases.cancelAll();
        this.hooks.cancelAll();
      },
      onFatal: options.onFatal,
    });
  }

  trackers(): Pick<Standings, "files" | "processes"> {
    return { files: this.#files.standings(), processes: this.#processes.standings() };
  }

  /** Hooks first: the specific one, then `notify`, then the pipes, as keepalived. */
  #tell(body: HoldfastEventBody): void {
    tellHooks(this.hooks, body);
    if (body.kind === "vrrp" && body.report.kind === "state") {
      for (const part of this.#parts) part.entered?.(body.instance, body.report.to);
    }
    if (isRival(body)) this.databases.rival(body.instance);
    if (body.kind === "vrrp") this.notifier.report(body.instance, body.report);
    else if (body.kind === "sync-group") this.notifier.group(body.group, body.to);
  }

  start({ config, diagnostics }: ParsedConfig): void {
    this.#config = config;
    this.hooks.configure(config);
    this.notifier.configure(config);
    this.#options.onConfig(config, diagnostics);
    const script = config.global.startupScript;
    if (script === null || this.#options.resumes === true) this.#begin();
    else this.#starting = this.#scripts.run("startup_script", script).then(() => this.#begin());
  }

  /** After startup_script, however it ended. */
  #begin(): void {
    this.#starting = null;
    const config = this.#config;
    if (config === null || this.#stopping !== null) return;
    // Before the keeper runs: a file and a process are known at once.
    for (const part of this.#parts) part.configure(config);
    const guarded = this.databases.guard(config);
    if (guarded === null) this.#beginKeeper(config);
    else this.#starting = guarded.then(() => this.#beginKeeper(config));
  }

  #beginKeeper(config: HoldfastConfig): void {
    this.#starting = null;
    if (this.#stopping !== null) return;
    if (this.#options.resumes === true) this.#startKeeper();
    else this.#startTimer = delayStart(this.#options, config.global, () => this.#startKeeper());
  }

  #startKeeper(): void {
    if (this.#config === null) return;
    this.keeper.start(setupOf(this.#config), (error) => {
      if (error !== null) this.#options.onFatal(`the keeper refuses the configuration: ${error}`);
    });
  }

  begun(): Promise<void> {
    return this.#starting ?? Promise.resolve();
  }

  /** One at a time: what is asked for meanwhile is one more reload afterwards, because the file may have changed again. */
  reload(dryRun: boolean): Promise<ReloadReport> {
    if (dryRun) return this.#reload(true);
    if (this.#reloading === null) return this.#beginReload();
    this.#nextReload ??= this.#reloading.then(() => {
      this.#nextReload = null;
      return this.#beginReload();
    });
    return this.#nextReload;
  }

  #beginReload(): Promise<ReloadReport> {
    const report = this.#reload(false);
    const end = (): void => {
      this.#reloading = null;
    };
    this.#reloading = report.then(end, end);
    return report;
  }

  async #reload(dryRun: boolean): Promise<ReloadReport> {
    // startup_script prepares what the new file may need as well.
    await this.#starting;
    // Before anything is said of the file, as with keepalived.
    if (!dryRun) this.#options.bus.publish("parent", { kind: "reload-begun" });
    const parsed = this.#options.parse();
    const { config, diagnostics, unusable } = parsed;
    const before = this.#config;
    if (unusable !== null || before === null) {
      return this.#reloaded(
        { outcome: "refused", changes: [], diagnostics, detail: unusable ?? "not started yet" },
        dryRun,
      );
    }
    const changes = reloadChanges(before, config);
    if (changes.length === 0) {
      if (!dryRun) this.#options.onConfig(config, diagnostics);
      return this.#reloaded({ outcome: "unchanged", changes, diagnostics, detail: "nothing has changed" }, dryRun);
    }
    const missing = missingInterfaces(before, config, this.#options.hasInterface);
    if (missing[0] !== undefined) {
      const found = { changes: [], diagnostics: [...diagnostics, ...missing] };
      return this.#reloaded({ outcome: "refused", ...found, detail: inWords(missing[0]) }, dryRun);
    }
    const detail = changes.join("; ");
    if (dryRun) return { outcome: "would-apply", changes, diagnostics, detail };
    const error = await this.#apply(parsed);
    if (error !== null) return this.#reloaded({ outcome: "refused", changes, diagnostics, detail: error }, false);
    return this.#reloaded({ outcome: "applied", changes, diagnostics, detail }, false);
  }

  stop(signal: string): Promise<void> {
    this.#stopping ??= this.#stop(signal);
    return this.#stopping;
  }

  leave(dryRun: boolean): Promise<LeftKeeper | string | null> {
    const { hooks, notifier, checks, keeper } = this;
    const busy = this.#stopping !== null || this.#starting !== null || this.#reloading !== null;
    const all = { config: busy ? null : this.#config, keeper, parts: this.#parts, hooks, notifier, checks };
    return depart(all, this.#options.timers, dryRun);
  }

  hurry(): void {
    this.keeper.kill();
    this.hooks.kill();
    this.notifier.kill();
    this.#scripts.kill();
    this.checks.kill();
    this.#lastTimer ??= this.#options.timers.schedule(LAST_LIMIT, () => this.#giveUp());
  }

  /** The keeper decides: with its error nothing has changed here either. */
  #apply({ config, diagnostics }: ParsedConfig): Promise<string | null> {
    const before = JSON.stringify(this.#config?.global.keeper);
    return new Promise((resolve) => {
      this.keeper.configure(setupOf(config), (error) => {
        if (error === null) {
          // In this very turn: the next line of the keeper may ask for a gate of the new configuration.
          this.#config = config;
          if (before !== JSON.stringify(config.global.keeper)) this.keeper.tellSettings();
          this.hooks.configure(config);
          this.notifier.configure(config);
          for (const part of this.#parts) part.configure(config);
          this.#options.onConfig(config, diagnostics);
        }
        resolve(error);
      });
    });
  }

  #reloaded(report: ReloadReport, dryRun: boolean): ReloadReport {
    const { outcome, detail } = report;
    if (!dryRun && outcome !== "would-apply") this.#options.bus.publish("parent", { kind: "reload", outcome, detail });
    return report;
  }

  async #stop(signal: string): Promise<void> {
    const { bus, timers } = this.#options;
    bus.publish("parent", { kind: "stopping", signal });
    this.#startTimer?.cancel();
    const givenUp = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
    });
    const limit = timers.schedule(stopLimit(this.#config), () => this.hurry());
    await Promise.race([this.#settle(), givenUp]);
    limit.cancel();
    this.#lastTimer?.cancel();
  }

  async #settle(): Promise<void> {
    this.#scripts.endStartup();
    await this.#starting;
    const ended = this.#parts.map((part) => part.stop());
    await this.keeper.stop();
    await Promise.all(this.#parts.map((part) => part.stopped?.()));
    // Only now are all reports in: the last hooks are queued.
    await Promise.all([this.hooks.idle(), this.notifier.close()]);
    await Promise.all(ended);
    const script = this.#config?.global.shutdownScript ?? null;
    if (script !== null) await this.#scripts.run("shutdown_script", script);
  }
}

const inWords = ({ message, remedy }: Diagnostic): string => `${message}; ${remedy}`;
