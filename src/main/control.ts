/**
 * Composition root of the control process: files, signals, log, pid file and kernel bound to the engine. Decides
 * nothing about VRRP; what can be tested without a kernel is in engine/control-process.ts.
 */
import { mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createMailer } from "../adapters/mail.ts";
import type { RunOptions } from "../cli/run-options.ts";
import { startControlPlane } from "../control/control-plane.ts";
import { renderDiagnostic } from "../core/config/diagnostics.ts";
import { type LoadedConfig, loadConfig } from "../core/config/load.ts";
import type { HoldfastEvent } from "../core/events/vocabulary.ts";
import { type ControlProcess, createControlProcess, type ParsedConfig } from "../engine/control-process.ts";
import { createEventBus, type EventBus, type EventListener } from "../engine/event-bus.ts";
import { createServiceStatus } from "../engine/service-status.ts";
import { type Arena, createArena } from "../linux/arena.ts";
import { createBackgroundPoll } from "../linux/background-poll.ts";
import { checkCapabilities } from "../linux/capabilities.ts";
import { createWallClock } from "../linux/clock.ts";
import { createConfigSource } from "../linux/config-source.ts";
import { findSetpriv } from "../linux/death-signal.ts";
import { createDigestPort } from "../linux/digest.ts";
import { createFifoPort } from "../linux/fifo.ts";
import { createFileWatch } from "../linux/file-watch.ts";
import { openGuardPort } from "../linux/guard-port.ts";
import { createKeeperLauncher } from "../linux/keeper-process.ts";
import { type PidFile, takePidFile } from "../linux/pid-file.ts";
import { createProcessWatch } from "../linux/process-watch.ts";
import { openServiceManager } from "../linux/sd-notify.ts";
import { createSpawner } from "../linux/spawn.ts";
import { endStrayKeeper, forgetKeeper, noteKeeper } from "../linux/stray-keeper.ts";
import { openSyslog } from "../linux/syslog.ts";
import { createTimers } from "../linux/timers.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { Timers } from "../ports/timers.ts";
import { daemonize, detachedEnvironment, reportToStarter, takeDetachedMark } from "./daemonize.ts";
import { debuggerOptions } from "./debugger.ts";
import { createDumper } from "./dumps.ts";
import { createLogWriter, type LogWriter } from "./log-writer.ts";
import { moveIn, moveIntoNamespace } from "./place.ts";
import { type TakenSignals, takeSignals } from "./signals.ts";

/** Exit codes as keepalived's: 1 fatal, 2 configuration, 6 no configuration. */
const EXIT = { ok: 0, fatal: 1, config: 2, noConfig: 6 } as const;

/** What the last lines of the journal and the API's connections may take at the end. */
const CLOSE_MILLIS = 2_000;

const NO_SETPRIV =
  "setpriv is missing: checks and hooks that run while this process is killed would live on and may act beside the new " +
  "master; install util-linux, then restart";

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
  /** Tells a waiting starter; null is success. */
  readonly report: (problem: string | null) => void;
}

export async function runControl(given: RunOptions, version: string): Promise<number> {
  const detached = takeDetachedMark();
  if (!given.foreground && !detached) return daemonize();
  const signals = takeSignals();
  const arena = createArena(4 * 1024 * 1024);
  const syslog = detached ? openSyslog(arena) : null;
  const log = createLogWriter({ format: given.logFormat, detail: given.logDetail, syslog });
  const report = detached ? reportToStarter : () => undefined;
  const refuse = (problem: string, code: number): number => {
    log.line("parent", problem);
    report(problem);
    return code;
  };
  const parsed = load(given);
  const { place } = parsed.config.global;
  const lost = moveIntoNamespace(arena, place.netNamespace, detachedEnvironment(detached));
  if (lost !== null) return refuse(lost, EXIT.fatal);
  const options = moveIn(given, place, syslog);
  for (const notice of options.notices) log.line("parent", notice);
  if (!signals.realtime) log.line("parent", NO_REALTIME);
  logDiagnostics(log, parsed);
  const unfit = whyUnfit(parsed, options.file);
  if (unfit !== null) return refuse(unfit.problem, unfit.code);
  // A keeper without CAP_NET_ADMIN would only find out when it has won an election and cannot add the address.
  const capable = checkCapabilities();
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
    const code = await serve({ options, version, arena, bus, log, parsed, guard: guard.value, report }, signals);
    forgetKeeper(options.pidFile);
    return code;
  } finally {
    for (const file of pidFiles) file.release();
  }
}

async function serve(daemon: Daemon, signals: TakenSignals): Promise<number> {
  const { options, version, arena, bus, log, parsed, guard, report } = daemon;
  const timers = createTimers();
  const umask = process.umask();
  const setpriv = findSetpriv();
  if (setpriv === null) log.line("parent", NO_SETPRIV);
  const outcome: { fatal: string | null } = { fatal: null };
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const replay = replaying(bus);
  const plane: { opened: Awaited<ReturnType<typeof startControlPlane>> | null } = { opened: null };
  let current: Pick<ParsedConfig, "config" | "diagnostics"> = parsed;
  const poll = createBackgroundPoll(arena);
  const control = createControlProcess({
    timers,
    spawner: createSpawner(arena, setpriv),
    files: createFileWatch(arena, poll),
    processes: createProcessWatch(arena, poll),
    launcher: keeperLauncher(daemon),
    guard,
    keys: { digests: createDigestPort(), wallClock: createWallClock(arena) },
    bus,
    fifos: createFifoPort(arena),
    mailer: createMailer(),
    wallMillis: Date.now,
    parse: () => {
      const loaded = load(options);
      logDiagnostics(log, loaded);
      return toParsed(options, loaded);
    },
    onConfig: (config, diagnostics) => {
      current = { config, diagnostics };
      plane.opened?.readModel.setConfig(config, diagnostics);
    },
    onFatal: (reason) => {
      outcome.fatal ??= reason;
      stop("fatal");
    },
  });
  const service = startService({ arena, bus, timers }, control);
  let stopping = false;
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
    reload: () => void service.reload(false),
    dump: (kind) => void dumper.dump(kind),
  });
  const instances = parsed.config.instances.map(({ vrrp }) => vrrp.name);
  bus.publish("parent", { kind: "daemon-started", version, file: options.file, pid: process.pid, instances });
  if (!stopping) control.start(toParsed(options, parsed));
  const opening = startPlane(daemon, { control, reload: service.reload, events: replay }).then((opened) => {
    plane.opened = opened;
    opened.readModel.setConfig(current.config, current.diagnostics);
  });
  // A state directory on a dead file system must not keep the daemon from ending.
  await Promise.race([opening, ended]);
  report(null);
  await Promise.race([control.begun(), ended]);
  if (!stopping) service.ready();
  await ended;
  service.close();
  if (outcome.fatal !== null) log.line("parent", outcome.fatal);
  bus.publish("parent", { kind: "stopped" });
  await Promise.race([plane.opened?.close(), setTimeout(CLOSE_MILLIS)]);
  return outcome.fatal === null ? EXIT.ok : EXIT.fatal;
}

function keeperLauncher({ options, log }: Daemon) {
  return createKeeperLauncher({
    entry: fileURLToPath(new URL("./keeper.js", import.meta.url)),
    nodeOptions: debuggerOptions(),
    args: [],
    onErrorText: options.foreground ? null : (text) => log.line("vrrp", text.trimEnd()),
  });
}

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
  readonly reload: ControlProcess["reload"];
  readonly events: { subscribe: EventBus["subscribe"] };
}

function startPlane(daemon: Daemon, { control, reload, events }: PlaneInput) {
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
      keeper: () => control.keeper.state(),
    },
    onJournalUnwritable: (detail) => bus.publish("parent", { kind: "journal-unwritable", detail }),
    onProblem: (message) => log.line("parent", message),
  });
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

function load(options: RunOptions): LoadedConfig {
  return loadConfig(
    createConfigSource(),
    options.file,
    options.configId === null ? {} : { configId: options.configId },
  );
}

const hasErrors = ({ diagnostics }: LoadedConfig): boolean => diagnostics.some(({ severity }) => severity === "error");

/** At a reload an error refuses the file; at the start the rest of it is run, as keepalived does. */
function toParsed(options: RunOptions, loaded: LoadedConfig): ParsedConfig {
  const { config, diagnostics, readable } = loaded;
  const first = diagnostics.find(({ severity }) => severity === "error");
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const at = first?.span ? `${first.span.file}:${first.span.line}: ` : "";
  const why = first === undefined ? null : `${errors} error(s) in the configuration, the first: ${at}${first.message}`;
  return { config, diagnostics, unusable: readable ? why : `the configuration ${options.file} cannot be read` };
}

function logDiagnostics(log: LogWriter, loaded: LoadedConfig): void {
  for (const diagnostic of loaded.diagnostics) {
    if (diagnostic.severity !== "info") log.line("parent", renderDiagnostic(diagnostic, loaded.files));
  }
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
