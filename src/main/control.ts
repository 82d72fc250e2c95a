/**
 * Composition root of the control process: files, signals, log, pid file and kernel bound to the engine. Decides
 * nothing about VRRP; what can be tested without a kernel is in engine/control-process.ts.
 */
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunOptions } from "../cli/run-options.ts";
import { startControlPlane } from "../control/control-plane.ts";
import { openWriterJournal } from "../control/writer-journal.ts";
import { keepWriters } from "../control/writer-keeping.ts";
import type { LoadedConfig } from "../core/config/load.ts";
import type { HoldfastEvent } from "../core/events/vocabulary.ts";
import { type ControlProcess, createControlProcess, type ParsedConfig } from "../engine/control-process.ts";
import { createEventBus, type EventBus, type EventListener } from "../engine/event-bus.ts";
import { createServiceStatus } from "../engine/service-status.ts";
import { createAddressProbe } from "../linux/address-probe.ts";
import { type Arena, createArena } from "../linux/arena.ts";
import { type BackgroundPoll, createBackgroundPoll } from "../linux/background-poll.ts";
import { checkCapabilities } from "../linux/capabilities.ts";
import { createWallClock } from "../linux/clock.ts";
import { hasInterface } from "../linux/config-source.ts";
import { createDigestPort } from "../linux/digest.ts";
import { createFifoPort } from "../linux/fifo.ts";
import { createFileWatch } from "../linux/file-watch.ts";
import { openGuardPort } from "../linux/guard-port.ts";
import { createNoteFiles } from "../linux/note-files.ts";
import { createProcessWatch } from "../linux/process-watch.ts";
import { openServiceManager } from "../linux/sd-notify.ts";
import { createSpawner } from "../linux/spawn.ts";
import { endStrayKeeper, forgetKeeper, noteKeeper } from "../linux/stray-keeper.ts";
import { createTimers } from "../linux/timers.ts";
import type { Clock } from "../ports/clock.ts";
import type { GuardPort } from "../ports/guard.ts";
import type { KeeperLauncher } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";
import { type ActionHost, createActions } from "./actions.ts";
import { createAdvertHearing } from "./advert-hearing.ts";
import { awaitedPlane, withResolvers } from "./awaited-plane.ts";
import { load, logDiagnostics, rereading, startedDespite, toParsed } from "./config-reading.ts";
import { reportToStarter } from "./daemonize.ts";
import { tailKeepers } from "./dead-log.ts";
import { detachedEnvironment } from "./detached-mark.ts";
import { createDumper } from "./dumps.ts";
import type { KeeperAhead } from "./keeper-ahead.ts";
import { type LogWriter, openLog } from "./log-writer.ts";
import { createDaemonLink, type DaemonLink, type DaemonLinkOptions } from "./peer-link.ts";
import { moveIn, moveIntoNamespace, stayingEnvironment } from "./place.ts";
import { quorumStores } from "./quorum-stores.ts";
import { createReloadSchedule } from "./reload-schedule.ts";
import { restart, serviceEnvironment } from "./restart.ts";
import { type ServiceHost, services } from "./services.ts";
import { type TakenSignals, takeSignals } from "./signals.ts";
import { watchSplitBrain } from "./split-brain.ts";
import {
  EXIT,
  logEmptyPidFiles,
  placeOf,
  setprivOrWarning,
  setUpProcess,
  takePidFiles,
  whyUnfit,
} from "./start-conditions.ts";

/** What the last lines of the journal and the API's connections may take at the end. */
const CLOSE_MILLIS = 2_000;

/** Beside a keeper that does not get going the API must be there all the same: it says what is wrong. */
const PLANE_WAITS_MILLIS = 2_000;

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
  /** The keeper goes on from a control that has begun anew. */
  readonly resumes: boolean;
  /** What a program that begins anew is given besides this one's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
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
  const report = detached && !ahead.adopts ? reportToStarter : () => undefined;
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
  const pidFiles = takePidFiles(options, parsed.config);
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
    const stray = ahead.adopts ? null : await endStrayKeeper(options.pidFile);
    if (stray !== null) log.line("parent", `Ended the keeper of an earlier run, pid ${stray}: it was frozen or slow`);
    bus.subscribe(({ body }) => {
      if (body.kind === "keeper-started") noteKeeper(options.pidFile, body.pid);
    });
    const launcher = ahead.launcher(parsed.config.global.processNames.keeper);
    const environment = { ...serviceEnvironment(), ...stayingEnvironment(place.netNamespace) };
    const running = { options, version, arena, bus, log, parsed, guard: guard.value, launcher, report };
    const code = await serve({ ...running, environment, resumes: ahead.adopts }, signals);
    forgetKeeper(options.pidFile);
    return code;
  } finally {
    for (const file of pidFiles) file.release();
  }
}

async function serve(daemon: Daemon, signals: TakenSignals): Promise<number> {
  const { options, arena, bus, log, parsed, report } = daemon;
  const timers = createTimers();
  const outcome: { fatal: string | null } = { fatal: null };
  const { promise: ended, resolve: end } = withResolvers();
  const replay = replaying(bus);
  let stopping = false;
  const plane = awaitedPlane();
  let current: Pick<ParsedConfig, "config" | "diagnostics"> = parsed;
  const peers = startPeers(daemon, timers, plane, { keeper: () => control.keeper, config: () => current.config });
  const poll = createBackgroundPoll(arena);
  const control = createControlProcess({
    timers,
    ...hostPorts(daemon, poll, timers),
    ...services({ ...options, ...peers.serving(plane.flush), arena, poll, lvs: parsed.config.lvs }),
    wallMillis: Date.now,
    parse: rereading(options, parsed, { log, settings: () => current.config.global.reload }),
    hasInterface,
    onConfig: (config, diagnostics) => {
      current = { config, diagnostics };
      schedule.configure(config.global.reload);
      peers.configure(config.peerLink);
      plane.opened?.configure(config, diagnostics);
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
  const dumper = createDumper({
    control,
    log,
    config: () => current.config,
    umask: process.umask(),
    arena,
    now: () => timers.now(),
  });
  signals.give({
    stop,
    reload: () => {
      log.reopen();
      void service.reload(false);
    },
    dump: (kind) => void dumper.dump(kind),
  });
  control.keeper.setLogLevel(log.level);
  announceStart(daemon);
  // Loading the API takes a processor that the keeper needs more in its run-up.
  const underWay = keeperSpeaks(bus);
  if (!stopping) control.start(toParsed(options, parsed));
  await Promise.race([underWay, ended]);
  peers.begin();
  const close = (): Promise<unknown> => closeAll([plane.opened, log]);
  const anew = (dryRun: boolean) => restart({ ...daemon, control, close, fail }, dryRun);
  const acting = { control, dumper, peers, reload: service.reload, restart: anew, config: () => current.config };
  const opening = startPlane(daemon, { ...acting, events: replay }).then((opened) => {
    plane.set(opened);
    opened.configure(current.config, current.diagnostics);
  });
  // A state directory on a dead file system must not keep the daemon from ending.
  await Promise.race([opening, ended]);
  report(null);
  await Promise.race([control.begun(), ended]);
  if (!stopping) service.ready();
  if (options.dumpConfig) await dumper.log();
  await ended;
  for (const part of [peers, service, schedule]) part.close();
  await sayFarewell(daemon, outcome.fatal, plane.opened);
  return outcome.fatal === null ? EXIT.ok : EXIT.fatal;
}

/** What control asks of its own host. */
function hostPorts(daemon: Daemon, poll: BackgroundPoll, clock: Clock) {
  const { arena, log, bus, launcher, guard, resumes, version } = daemon;
  return {
    quorum: quorumStores({ version, clock }),
    spawner: createSpawner(arena, setprivOrWarning(log)),
    files: createFileWatch(arena, poll),
    processes: createProcessWatch(arena, poll),
    launcher,
    guard,
    resumes,
    keys: { digests: createDigestPort(), wallClock: createWallClock(arena) },
    bus,
    fifos: createFifoPort(arena),
  };
}

function announceStart({ bus, version, options, parsed }: Daemon): void {
  const instances = parsed.config.instances.map(({ vrrp }) => vrrp.name);
  bus.publish("parent", { kind: "daemon-started", version, file: options.file, pid: process.pid, instances });
}

async function sayFarewell(
  { bus, log }: Daemon,
  fatal: string | null,
  plane: { close(): Promise<void> } | null,
): Promise<void> {
  if (fatal !== null) log.line("parent", fatal, "error");
  bus.publish("parent", { kind: "stopped" });
  await closeAll([plane, log]);
}

const closeAll = (all: readonly ({ close(): Promise<void> } | null)[]): Promise<unknown> =>
  Promise.race([Promise.all(all.map((one) => one?.close())), setTimeout(CLOSE_MILLIS)]);

interface Peers extends DaemonLink {
  /** What a takeover needs of it. What opens a server waits for the record of it, and then for this. */
  serving(flush: () => Promise<boolean>): Pick<ServiceHost, "flush" | "keepers">;
}

function startPeers(
  { options, version, arena, bus, log }: Daemon,
  clock: Timers,
  { report }: Pick<DaemonLinkOptions, "report">,
  daemon: Pick<DaemonLinkOptions, "keeper" | "config">,
): Peers {
  const writers = openWriterJournal(options.stateDir, Date.now);
  if (writers.problem !== null) log.line("parent", writers.problem, "error");
  const probe = createAddressProbe(arena);
  const records = createNoteFiles(options.stateDir, { durable: true });
  const hear = createAdvertHearing(arena, daemon.config);
  const told = { writers, records, hear };
  const link = createDaemonLink({ ...daemon, ...told, report, version, bus, clock, probe });
  const known = () => link.peers().flatMap(({ last }) => last?.answer.writers ?? []);
  const recorded = keepWriters({ events: bus, writers, peers: known });
  const brains = watchSplitBrain({ ...daemon, bus, timers: clock, peers: link.peers, probe, writers });
  return {
    ...link,
    configure(config) {
      link.configure(config);
      brains.configure(config);
    },
    close() {
      brains.close();
      link.close();
    },
    serving: (flush) => ({ flush: async () => (await recorded()) && (await flush()), keepers: tailKeepers(link) }),
  };
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

function startPlane(
  { options, version, arena, bus, log }: Daemon,
  plane: Omit<ActionHost, "log" | "arena" | "bus"> & { readonly events: Pick<EventBus, "subscribe"> },
) {
  const timers = createTimers();
  return startControlPlane({
    clock: { now: () => timers.now(), wallMillis: Date.now },
    events: plane.events,
    version,
    pid: process.pid,
    configFile: options.file,
    stateDir: options.stateDir,
    socketPath: options.socketPath,
    dashboardFolder: fileURLToPath(new URL("./dashboard/", import.meta.url)),
    actions: createActions({ ...plane, log, arena, bus }),
    onJournalUnwritable: (detail) => bus.publish("parent", { kind: "journal-unwritable", detail }),
    publish: (body) => bus.publish("parent", body),
    onProblem: (message) => log.line("parent", message),
  });
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
