/**
 * The tracked files of a configuration: which are watched, what number is in them, who is told. Files that nobody tracks are not
 * read, as with keepalived. What a number means is the keeper's business (core/health/trackers.ts).
 */
import type { HoldfastConfig, TrackFileConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { fileValue } from "../core/health/tracked-file.ts";
import { seconds } from "../core/lib/units.ts";
import type { FileStanding } from "../core/link/messages.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import type { FileWatchPort, Watch } from "../ports/watches.ts";

export interface FileEngineOptions {
  readonly port: FileWatchPort;
  readonly timers: Timers;
  readonly publish: (body: HoldfastEventBody) => void;
  readonly tell: (files: Readonly<Record<string, FileStanding>>) => void;
}

export interface FileEngine {
  /** Takes over a new configuration; a file with the same path goes on being watched. */
  configure(config: HoldfastConfig): void;
  standings(): Readonly<Record<string, FileStanding>>;
  stop(): void;
}

/** Until a directory that could not be watched is tried again. */
const RETRY = seconds(5);

interface Watched {
  retry: Timer | null;
  config: TrackFileConfig;
  watch: Watch | null;
  value: number;
}

export function createFileEngine(options: FileEngineOptions): FileEngine {
  const { port, publish, tell, timers } = options;
  const watched = new Map<string, Watched>();

  const event = ({ config, value }: Watched, detail: string): void =>
    publish({ kind: "tracked-file", file: config.name, path: config.path, value, detail });

  const read = (entry: Watched): string => {
    const text = port.read(entry.config.path);
    entry.value = fileValue(text.ok ? text.value : null);
    return text.ok ? "" : text.error;
  };

  const reread = (entry: Watched, problem: string | null = null): void => {
    const before = entry.value;
    const detail = [problem ?? "", read(entry)].filter((text) => text !== "").join("; ");
    if (entry.value === before && detail === "") return;
    event(entry, detail);
    if (entry.value !== before) tell({ [entry.config.name]: { kind: "value", value: entry.value } });
  };

  /** Null, or why it cannot be watched; then it is tried again until it can. */
  const watch = (entry: Watched): string | null => {
    const watched = port.watch(
      entry.config.path,
      () => reread(entry),
      () => watchAnew(entry),
    );
    if (watched.ok) {
      entry.watch = watched.value;
      return null;
    }
    entry.retry = timers.schedule(RETRY, () => {
      if (watch(entry) === null) reread(entry);
    });
    return watched.error;
  };

  /** Its directory was removed or moved away; perhaps there is another one already. */
  const watchAnew = (entry: Watched): void => {
    entry.watch = null;
    reread(entry, watch(entry));
  };

  const begin = (config: TrackFileConfig): void => {
    const entry: Watched = { config, watch: null, value: 0, retry: null };
    watched.set(config.name, entry);
    const problems: string[] = [];
    if (config.init !== null) {
      const made = port.create(config.path, `${config.init.value}\n`, config.init.overwrite);
      if (!made.ok) problems.push(made.error);
    }
    // Watch first: what changes between the two is read again then.
    const unwatched = watch(entry);
    if (unwatched !== null) problems.push(unwatched);
    const unread = read(entry);
    if (unread !== "") problems.push(unread);
    if (entry.value !== 0 || problems.length > 0) event(entry, problems.join("; "));
  };

  return {
    configure(config) {
      const used = trackedNames(config);
      const wanted = new Map(config.files.filter(({ name }) => used.has(name)).map((file) => [file.name, file]));
      for (const [name, entry] of watched) {
        const next = wanted.get(name);
        if (next?.path === entry.config.path) {
          entry.config = next;
          wanted.delete(name);
        } else {
          close(entry);
          watched.delete(name);
        }
      }
      for (const file of wanted.values()) begin(file);
    },
    standings() {
      const standings: Record<string, FileStanding> = {};
      for (const [name, { value }] of watched) standings[name] = { kind: "value", value };
      return standings;
    },
    stop() {
      for (const entry of watched.values()) close(entry);
      watched.clear();
    },
  };
}

function close({ watch, retry }: Watched): void {
  watch?.close();
  retry?.cancel();
}

/** By instances, and by FILE_CHECK of real servers. */
function trackedNames({ instances, lvs }: HoldfastConfig): ReadonlySet<string> {
  const checked = lvs.servers.flatMap(({ realServers }) =>
    realServers.flatMap(({ checkers }) => checkers.flatMap((one) => (one.kind === "file" ? [one.file] : []))),
  );
  return new Set([...instances.flatMap(({ vrrp }) => vrrp.trackFiles.map(({ key }) => key)), ...checked]);
}
