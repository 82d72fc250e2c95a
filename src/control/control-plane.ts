/**
 * Journal, read model and API put together as one part of the control process: what main needs to start, and to stop.
 * Neither a broken journal nor a socket in the way stops the daemon: both are reported and the rest goes on.
 */
import type { Diagnostic, HoldfastConfig } from "../core/config/model.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import { isTransient } from "../core/events/packet-events.ts";
import type { ControlActions } from "./actions.ts";
import type { EventFilter } from "./events-filter.ts";
import { createHttpListeners } from "./http/listeners.ts";
import { Journal } from "./journal.ts";
import { openJournal } from "./journal-opening.ts";
import { readJournal } from "./journal-reader.ts";
import { EventCounts } from "./metrics/event-counts.ts";
import { ProcessMeter } from "./metrics/process-figures.ts";
import type { Meters } from "./metrics/routes.ts";
import { reportOf } from "./peer-reports.ts";
import { type EventSource, type ModelClock, ReadModel } from "./read-model.ts";
import { type ApiServer, buildApi, startApi } from "./server.ts";

export interface ControlPlaneOptions {
  readonly clock: ModelClock;
  readonly events: EventSource;
  readonly version: string;
  readonly pid: number;
  readonly configFile: string;
  readonly stateDir: string;
  readonly socketPath: string;
  readonly actions: ControlActions;
  /** Folder with the files of the dashboard, as the build has made them. */
  readonly dashboardFolder: string;
  /** Publishes `journal-unwritable`. */
  readonly onJournalUnwritable: (detail: string) => void;
  /** Publishes what the HTTP listeners have to tell. */
  readonly publish: (body: HostEventBody) => void;
  /** One line for the log: repair of the journal, a socket that cannot be used. */
  readonly onProblem: (message: string) => void;
  /** How often a journal that cannot be opened is tried again. */
  readonly journalRetryMillis?: number;
}

export interface ControlPlane {
  readonly readModel: ReadModel;
  /** Null while it could not be opened. */
  readonly journal: Journal | null;
  readonly api: ApiServer | null;
  /** At the start and with every reload that is applied. */
  configure(config: HoldfastConfig, diagnostics: readonly Diagnostic[]): void;
  /** What peers are told of this daemon: PeerReport of the contract, as JSON. */
  report(): Promise<string>;
  close(): Promise<void>;
}

/** Opens the journal and listens to events at once; the API follows, so that no event is missed meanwhile. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, version, pid, configFile, stateDir, actions, onProblem } = options;
  let model: ReadModel | null = null;
  const opening = await openJournal({
    open: () =>
      Journal.open({
        directory: stateDir,
        onUnwritable: (detail) => {
          model?.setJournal(false, detail);
          options.onJournalUnwritable(detail);
        },
        onWritable: () => model?.setJournal(true, null),
      }),
    onOpenedLate: (journal) => {
      if (model !== null) onProblem(takeUp(journal, model, stateDir));
    },
    ...(options.journalRetryMillis === undefined ? {} : { retryMillis: options.journalRetryMillis }),
  });
  const firstSequence = opening.journal?.firstSequence ?? 1;
  const readModel = new ReadModel({ clock, version, pid, configFile, stateDir, firstSequence });
  model = readModel;
  if (opening.journal !== null) writeTo(opening.journal, readModel);
  const unsubscribe = readModel.observe(options.events);
  if (opening.firstError !== null) {
    const { message, remedy } = opening.firstError;
    readModel.setJournal(false, message);
    onProblem(`${message}; ${remedy}`);
    options.onJournalUnwritable(message);
  }
  if (opening.journal?.repaired != null) onProblem(opening.journal.repaired);
  // Who has just made the directory writable asks for a reload and does not want to wait.
  readModel.subscribe(({ body }) => {
    if (body.kind === "reload") void opening.tryNow();
  });
  const { meters, close: closeMeters } = startMeters(readModel);
  const serving = {
    readModel,
    actions,
    meters,
    history: { read: (filter: EventFilter, limit: number) => readJournal(stateDir, filter, limit) },
  };
  const listeners = createHttpListeners({
    build: ({ withDashboard, ...parts }) =>
      buildApi(serving, { ...parts, ...(withDashboard && { dashboardFolder: options.dashboardFolder }) }),
    publish: options.publish,
    now: () => clock.now() / 1_000,
  });
  const started = await startApi({ socketPath: options.socketPath, ...serving });
  if (!started.ok) onProblem(`no API: ${started.error.message}; ${started.error.remedy}`);
  const api = started.ok ? started.value : null;
  return {
    readModel,
    get journal() {
      return opening.journal;
    },
    api,
    configure(config, diagnostics) {
      readModel.setConfig(config, diagnostics);
      void listeners.configure(config.api);
    },
    report: () => reportOf(serving),
    async close() {
      closeMeters();
      await Promise.all([api?.close(), listeners.close()]);
      unsubscribe();
      await opening.close();
    },
  };
}

function startMeters(readModel: ReadModel): { readonly meters: Meters; close(): void } {
  const counts = new EventCounts();
  const stop = readModel.subscribe((entry) => counts.record(entry));
  const meter = new ProcessMeter();
  const close = (): void => {
    stop();
    meter.stop();
  };
  return { meters: { counts, process: () => meter.read() }, close };
}

const writeTo = (journal: Journal, readModel: ReadModel): unknown =>
  readModel.subscribe((entry) => {
    if (!isTransient(entry.body)) journal.append(entry);
  });

/** What happened before is written after all, as far as it is still known, with numbers that follow the journal's. */
function takeUp(journal: Journal, readModel: ReadModel, stateDir: string): string {
  const before = readModel.lastSequence;
  readModel.continueFrom(journal.firstSequence);
  const kept = readModel.recent();
  for (const entry of kept) journal.append(entry);
  writeTo(journal, readModel);
  readModel.setJournal(true, null);
  const lost = before - kept.length;
  const gap = lost > 0 ? `; ${lost} older events of this run are not in it` : "";
  const repair = journal.repaired === null ? "" : `; ${journal.repaired}`;
  return `the journal in ${stateDir} can be written now${gap}${repair}`;
}
