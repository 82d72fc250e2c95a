/**
 * Journal, read model and API put together as one part of the control process: what main needs to start, and to stop.
 * Neither a broken journal nor a socket in the way stops the daemon: both are reported and the rest goes on.
 */
import type { ControlActions } from "./actions.ts";
import { Journal } from "./journal.ts";
import { readJournal } from "./journal-reader.ts";
import { type EventSource, type ModelClock, ReadModel } from "./read-model.ts";
import { type ApiServer, startApi } from "./server.ts";

export interface ControlPlaneOptions {
  readonly clock: ModelClock;
  readonly events: EventSource;
  readonly version: string;
  readonly pid: number;
  readonly configFile: string;
  readonly stateDir: string;
  readonly socketPath: string;
  readonly actions: ControlActions;
  /** Publishes `journal-unwritable`. */
  readonly onJournalUnwritable: (detail: string) => void;
  /** One line for the log: repair of the journal, a socket that cannot be used. */
  readonly onProblem: (message: string) => void;
}

export interface ControlPlane {
  readonly readModel: ReadModel;
  /** Null while it could not be opened. */
  readonly journal: Journal | null;
  readonly api: ApiServer | null;
  close(): Promise<void>;
}

/** Opens the journal and listens to events at once; the API follows, so that no event is missed meanwhile. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, version, pid, configFile, stateDir, actions } = options;
  let model: ReadModel | null = null;
  const opened = await Journal.open({
    directory: stateDir,
    onUnwritable: (detail) => {
      model?.setJournal(false, detail);
      options.onJournalUnwritable(detail);
    },
    onWritable: () => model?.setJournal(true, null),
  });
  const journal = opened.ok ? opened.value : null;
  const readModel = new ReadModel({
    clock,
    version,
    pid,
    configFile,
    stateDir,
    firstSequence: journal?.firstSequence ?? 1,
  });
  model = readModel;
  if (journal !== null) readModel.subscribe((entry) => journal.append(entry));
  const unsubscribe = readModel.observe(options.events);
  if (!opened.ok) {
    readModel.setJournal(false, opened.error.message);
    options.onProblem(`${opened.error.message}; ${opened.error.remedy}`);
    options.onJournalUnwritable(opened.error.message);
  }
  if (journal?.repaired != null) options.onProblem(journal.repaired);
  const started = await startApi({
    socketPath: options.socketPath,
    readModel,
    actions,
    history: { read: (filter, limit) => readJournal(stateDir, filter, limit) },
  });
  if (!started.ok) options.onProblem(`no API: ${started.error.message}; ${started.error.remedy}`);
  const api = started.ok ? started.value : null;
  return {
    readModel,
    journal,
    api,
    async close() {
      await api?.close();
      unsubscribe();
      await journal?.close();
    },
  };
}
