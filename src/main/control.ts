/**
 * Composition root of the control process: files, signals, log, pid file and kernel bound to the engine. Decides
 * nothing about VRRP; what can be tested without a kernel is in engine/control-process.ts.
 */
import { mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createMailer } from "../adapters/mail.ts";
import { createSqlPort } from "../adapters/mysql/client.ts";
import type { RunOptions } from "../cli/run-options.ts";
import { startControlPlane } from "../control/control-plane.ts";
import type { LoadedConfig } from "../core/config/load.ts";
import type { PlaceConfig } from "../core/config/model.ts";
import type { HoldfastEvent } from "../core/events/vocabulary.ts";
import { ok } from "../core/lib/result.ts";
import { type ControlProcess, createControlProcess, type ParsedConfig } from "../engine/control-process.ts";
import { createEventBus, type EventBus, type EventListener } from "../engine/event-bus.ts";
import { createServiceStatus } from "../engine/service-status.ts";
import { type Arena, createArena } from "../linux/arena.ts";
import { createBackgroundPoll } from "../linux/background-poll.ts";
import { checkCapabilities } from "../linux/capabilities.ts";
import { createWallClock } from "../linux/clock.ts";
import { hasInterface } from "../linux/config-source.ts";
import { createDatabaseHost } from "../linux/database-host.ts";
import { findSetpriv } from "../linux/death-signal.ts";
import { createDigestPort } from "../linux/digest.ts";
import { createFifoPort } from "../linux/fifo.ts";
import { createFileWatch } from "../linux/file-watch.ts";
import { createGatewayProbe } from "../linux/gateway.ts";
import { openGuardPort } from "../linux/guard-port.ts";
import { type PidFile, takePidFile } from "../linux/pid-file.ts";
import { createPositionFiles } from "../linux/position-file.ts";
import { allowCoreDumps, setProcessName } from "../linux/process.ts";
import { createProcessWatch } from "../linux/process-watch.ts";
import { openServiceManager } from "../linux/sd-notify.ts";
import { createSpawner } from "../linux/spawn.ts";
import { endStrayKeeper, forgetKeeper, noteKeeper } from "../linux/stray-keeper.ts";
import { createTimers } from "../linux/timers.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperLauncher } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";
import { awaitedPlane, withResolvers } from "./awaited-plane.ts";
import { hasErrors, load, logDiagnostics, readAgain, startedDespite, toParsed } from "./config-reading.ts";
import { reportToStarter } from "./daemonize.ts";
import { detachedEnvironment } from "./detached-mark.ts";
import { createDumper, type Dumper } from "./dumps.ts";
import type { KeeperAhead } from "./keeper-ahead.ts";
import { type LogWriter, openLog } from "./log-writer.ts";
import { moveIn, moveIntoNamespace } from "./place.ts";
import { createReloadSchedule } from "./reload-schedule.ts";
import { type TakenSignals, takeSignals } from "./signals.ts";

/** Exit codes as keepalived's: 1 fatal, 2 configuration, 6 no configuration. */
const EXIT = { ok: 0, fatal: 1, config: 2, noConfig: 6 } as const;

/** What the last lines of the journal and the API's connections may take at the end. */
const CLOSE_MILLIS = 2_000;

/** Beside a keeper that does not get going the API must be there all the same: it says what is wrong. */
const PLANE_WAITS_MILLIS = 2_000;

const NO_SETPRIV =
  "setpriv is missing: checks and hooks that run while this process is killed would live on and may act beside the new " +
  "master; install util-linux, then restart";

const NO_RESPAWN = "the keeper has ended, and -R (--dont-respawn) says not to start another";

const NO_REALTIME =
  "this Node cannot handle real-time signals: 36, 63 and 64 are ignored; use `holdfast dump` instead of them";

interface Daemon {
  readonly options: RunOptions;
  readonly version: string;
  readonly arena: Arena;
  readonly bus: EventBus;
  readonly log: LogWriter;
  readonly parsed: LoadedConfig;
  readonly guard: GuardPort;
  readonly launcher: KeeperLauncher;
  /** Tells a waiting starter; null is success. */
  readonly report: (problem: string | null) => void;
}

/** What run-daemon.ts has found out and begun. */
export interface Beginning {
  readonly version: string;
  readonly detached: boolean;
  readonly ahead: KeeperAhead;
}

export async function runControl(given: RunOptions, { version, detached, ahead }: Beginning): Promise<number> {
  const signals = takeSignals();
  const arena = createArena(4 * 1024 * 1024);
  const log = openLog(arena, given, detached);
  ahead.logTo((text) => log.line("vrrp", text.trimEnd()));
  const report = detached ? reportToStarter : () => undefined;
  const refuse = async (problem: string, code: number): Promise<number> => {
    log.line("parent", problem, "error");
    report(problem);
    await Promise.race([log.close(), setTimeout(CLOSE_MILLIS)]);
    return code;
  };
  const capable = checkCapabilities();
  const parsed = load(given);
  const place = placeOf(given, parsed);
  const lost = moveIntoNamespace(arena, place.netNamespace, detachedEnvironment(detached));
  if (lost !== null) return refuse(lost, EXIT.fatal);
  const options = moveIn(given, place, log);
  for (const notice of options.notices) log.line("parent", notice);
  for (const problem of options.problems) log.line("parent", problem, "warning");
  setUpProcess(options, parsed, { arena, log });
  if (!signals.realtime) log.line("parent", NO_REALTIME);
  logDiagnostics(log, parsed);
  const unfit = whyUnfit(parsed, options.file);
  if (unfit !== null) return refuse(unfit.problem, unfit.code);
  const despite = startedDespite(parsed);
  if (despite !== null) log.line("parent", despite, "warning");
  // A keeper without CAP_NET_ADMIN would only find out when it has won an election and cannot add the address.
  if (!capable.ok) return refuse(capable.error.message, EXIT.fatal);
  const pidFiles = takePidFiles(options);
  if (typeof pidFiles === "string") return refuse(pidFiles, EXIT.fatal);
  logEmptyPidFiles(log, pidFiles);
  try {
    const guard = openGuardPort(arena);
    if (!guard.ok) {
      const { what, errno } = guard.error;
      return refuse(`cannot ${what}: ${errno}; needs CAP_NET_RAW and CAP_NET_ADMIN (run as root)`, EXIT.fatal);
    }
    const timers = createTimers();
    const bus = createEventBus({
      clock: timers,
      wallMillis: Date.now,
      onListenerError: (error) => log.line("parent", String(error)),
    });
    bus.subscribe((event) => log.event(event));
    const stray = await endStrayKeeper(options.pidFile);
    if (stray !== null) log.line("parent", `Ended the keeper of an earlier run, pid ${stray}: it was frozen or slow`);
    bus.subscribe(({ body }) => {
      if (body.kind === "keeper-started") noteKeeper(options.pidFile, body.pid);
    });
    const launcher = ahead.launcher(parsed.config.global.processNames.keeper);
    const code = await serve(
      { options, version, arena, bus, log, parsed, guard: guard.value, launcher, report },
      signals,
    );
    forgetKeeper(options.pidFile);
    return code;
  } finally {
    for (const file of pidFiles) file.release();
  }
}

async function serve(daemon: Daemon, signals: TakenSignals): Promise<number> {
  const { options, version, arena, bus, log, parsed, guard, launcher, report } = daemon;
  const timers = createTimers();
  const umask = process.umask();
  const outcome: { fatal: string | null } = { fatal: null };
  const { promise: ended, resolve: end } = withResolvers();
  const replay = replaying(bus);
  let stopping = false;
  const plane = awaitedPlane();
  let current: Pick<ParsedConfig, "config" | "diagnostics"> = parsed;
  const poll = createBackgroundPoll(arena);
  const control = createControlProcess({
    timers,
    spawner: createSpawner(arena, setprivOrWarning(log)),
    files: createFileWatch(arena, poll),
    processes: createProcessWatch(arena, poll),
    launcher,
    guard,
    keys: { digests: createDigestPort(), wallClock: createWallClock(arena) },
    bus,
    fifos: createFifoPort(arena),
    ...services(plane.flush),
    wallMillis: Date.now,
    parse: () => readAgain(options, current.config.global.reload, log),
    hasInterface,
    onConfig: (config, diagnostics) => {
      current = { config, diagnostics };
      schedule.configure(config.global.reload);
      plane.opened?.readModel.setConfig(config, diagnostics);
    },
    onFatal: (reason) => fail(reason),
  });
  const service = startService({ arena, bus, timers }, control);
  const schedule = createReloadSchedule({
    reload: () => void service.reload(false),
    say: (text) => log.line("parent", text),
  });
  if (options.dontRespawn) bus.subscribe(({ body }) => body.kind === "keeper-lost" && !stopping && fail(NO_RESPAWN));
  function fail(reason: string): void {
    outcome.fatal ??= reason;
    stop("fatal");
  }
  function stop(signal: string): void {
    // The second order means: now.
    if (stopping) control.hurry();
    else service.stopping();
    stopping = true;
    void control.stop(signal).then(end);
  }
  const dumper = createDumper({ control, log, config: () => current.config, umask, arena, now: () => timers.now() });
  signals.give({
    stop,
    reload: () => {
      log.reopen();
      void service.reload(false);
    },
    dump: (kind) => void dumper.dump(kind),
  });
  control.keeper.setLogLevel(log.level);
  const instances = parsed.config.instances.map(({ vrrp }) => vrrp.name);
  bus.publish("parent", { kind: "daemon-started", version, file: options.file, pid: process.pid, instances });
  // Loading the API takes a processor that the keeper needs more in its run-up.
  const underWay = keeperSpeaks(bus);
  if (!stopping) control.start(toParsed(options, parsed));
  await Promise.race([underWay, ended]);
  const opening = startPlane(daemon, { control, dumper, reload: service.reload, events: replay }).then((opened) => {
    plane.set(opened);
    opened.readModel.setConfig(current.config, current.diagnostics);
  });
  // A state directory on a dead file system must not keep the daemon from ending.
  await Promise.race([opening, ended]);
  report(null);
  await Promise.race([control.begun(), ended]);
  if (!stopping) service.ready();
  if (options.dumpConfig) await dumper.log();
  await ended;
  service.close();
  schedule.close();
  if (outcome.fatal !== null) log.line("parent", outcome.fatal, "error");
  bus.publish("parent", { kind: "stopped" });
  await Promise.race([Promise.all([plane.opened?.close(), log.close()]), setTimeout(CLOSE_MILLIS)]);
  return outcome.fatal === null ? EXIT.ok : EXIT.fatal;
}

/** What speaks to programs elsewhere. */
const services = (flush: () => Promise<boolean>) => ({
  mailer: createMailer(),
  sql: createSqlPort(),
  databases: createDatabaseHost(),
  takeover: { gateway: createGatewayProbe(), positions: createPositionFiles(), flush },
});

/** What the service manager hears; without one nobody listens. */
function startService(
  { arena, bus, timers }: Pick<Daemon, "arena" | "bus"> & { readonly timers: Timers },
  control: ControlProcess,
) {
  const { tell, watchdogMillis } = openServiceManager(arena, process.env, process.pid);
  const keeper = () => control.keeper.state().condition;
  const service = createServiceStatus({ timers, tell, watchdogMillis, keeper, pid: process.pid });
  bus.subscribe(({ body }) => service.hear(body));
  const reload: ControlProcess["reload"] = async (dryRun) => {
    if (!dryRun) service.reloading();
    const report = await control.reload(dryRun);
    if (!dryRun) service.reloaded();
    return report;
  };
  return { ...service, reload };
}

interface PlaneInput {
  readonly control: ControlProcess;
  readonly dumper: Dumper;
  readonly reload: ControlProcess["reload"];
  readonly events: { subscribe: EventBus["subscribe"] };
}

function startPlane(daemon: Daemon, { control, dumper, reload, events }: PlaneInput) {
  const { options, version, bus, log } = daemon;
  const timers = createTimers();
  return startControlPlane({
    clock: { now: () => timers.now(), wallMillis: Date.now },
    events,
    version,
    pid: process.pid,
    configFile: options.file,
    stateDir: options.stateDir,
    socketPath: options.socketPath,
    actions: {
      status: () => control.keeper.status(),
      reload,
      checks: () => control.checks.status(),
      mysql: () => control.mysql.status().map((one) => ({ ...one, group: control.managed.troubles(one.name) })),
      keeper: () => control.keeper.state(),
      examine: (name) => control.managed.examine(name),
      positions: (name) => control.managed.positions(name),
      switchover: async (name, dryRun) => await switchOver(control.managed, name, dryRun),
      takeover: async (name, consent) => {
        if (consent && !control.managed.consent(name)) return null;
        return await control.managed.plan(name);
      },
      logLevel: () => log.level,
      setLogLevel: (level) => {
        log.line("parent", `Changing log level from ${log.level} to ${level}`, level);
        log.level = level;
        control.keeper.setLogLevel(level);
      },
      dump: (kind) => dumper.dump(kind),
    },
    onJournalUnwritable: (detail) => bus.publish("parent", { kind: "journal-unwritable", detail }),
    onProblem: (message) => log.line("parent", message),
  });
}

async function switchOver(managed: ControlProcess["managed"], name: string, dryRun: boolean) {
  if (dryRun) {
    const plan = await managed.planSwitchover(name);
    return plan === null ? null : { ...plan, to: null, closedMillis: null };
  }
  const outcome = await managed.switchover(name);
  if (outcome === null) return null;
  const { moved, to, closedMillis, detail } = outcome;
  return { steps: [], end: moved ? "moved" : detail, to, closedMillis };
}

/** -s and -u count more than net_namespace and umask of the file. */
function placeOf({ namespace, umask }: RunOptions, { config }: LoadedConfig): PlaceConfig {
  const { place } = config.global;
  return { ...place, netNamespace: namespace ?? place.netNamespace, umask: umask ?? place.umask };
}

function setprivOrWarning(log: LogWriter): string | null {
  const found = findSetpriv();
  if (found === null) log.line("parent", NO_SETPRIV, "warning");
  return found;
}

/** Its name in process lists, and -m. */
function setUpProcess(
  { coreDump }: RunOptions,
  { config }: LoadedConfig,
  { arena, log }: Pick<Daemon, "arena" | "log">,
): void {
  const { control: name } = config.global.processNames;
  if (name !== null) setProcessName(arena, name);
  const allowed = coreDump ? allowCoreDumps(arena) : ok(undefined);
  if (!allowed.ok) log.line("parent", `cannot ${allowed.error.what}: ${allowed.error.errno}`, "warning");
}

/** Resolves with the keeper's first event, when it is configured; at the latest after PLANE_WAITS_MILLIS. */
function keeperSpeaks(bus: EventBus): Promise<void> {
  const spoken = new Promise<void>((resolve) => {
    const stop = bus.subscribe(({ origin }) => {
      if (origin !== "vrrp") return;
      stop();
      resolve();
    });
  });
  return Promise.race([spoken, setTimeout(PLANE_WAITS_MILLIS)]);
}

/** VRRP does not wait for the journal and the API: what happens before they listen is handed to them afterwards. */
function replaying(bus: EventBus): { subscribe: (listener: EventListener) => () => void } {
  const missed: HoldfastEvent[] = [];
  const stop = bus.subscribe((event) => missed.push(event));
  return {
    subscribe(listener) {
      stop();
      for (const event of missed.splice(0)) listener(event);
      return bus.subscribe(listener);
    },
  };
}

/** Ours and, where asked for, the one by the name that monitoring looks for; both name control. */
function takePidFiles(options: RunOptions): readonly PidFile[] | string {
  const taken: PidFile[] = [];
  for (const path of [options.pidFile, options.vrrpPidFile]) {
    if (path === null) continue;
    const file = takePidFile(path, process.pid);
    if (!file.ok) {
      for (const other of taken) other.release();
      return file.error;
    }
    taken.push(file.value);
  }
  try {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  } catch {
    // The journal says what is wrong with it and what to do.
  }
  return taken;
}

function logEmptyPidFiles(log: LogWriter, pidFiles: readonly PidFile[]): void {
  for (const { problem } of pidFiles) if (problem !== null) log.line("parent", problem);
}

function whyUnfit(parsed: LoadedConfig, file: string): { readonly problem: string; readonly code: number } | null {
  if (!parsed.readable) return { problem: `the configuration ${file} cannot be read`, code: EXIT.noConfig };
  if (parsed.config.instances.length > 0 || !hasErrors(parsed)) return null;
  const problem = `${file} holds no usable vrrp_instance; the lines above say what to correct`;
  return { problem, code: EXIT.config };
}
