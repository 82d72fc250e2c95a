/**
 * reload_time_file: watches the file and asks for a reload at the time it names. The folder is watched, because the file
 * may come, go and be replaced; a folder that is not there is said once and tried again at the next reload, as with keepalived.
 */
import { type FSWatcher, readFileSync, unlinkSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { parseReloadTime } from "../control/reload-time.ts";
import type { ReloadSettings } from "../core/config/model.ts";
import { isoTime } from "../core/events/log-line.ts";

export interface ReloadSchedule {
  /** At the start and after each reload. */
  configure(settings: ReloadSettings): void;
  close(): void;
}

export interface ReloadScheduleHost {
  readonly reload: () => void;
  readonly say: (text: string) => void;
}

/** The wall clock may be set while we wait: looked at again at least this often. */
const LOOK_MILLIS = 30_000;

export function createReloadSchedule(host: ReloadScheduleHost): ReloadSchedule {
  return new Schedule(host);
}

class Schedule implements ReloadSchedule {
  readonly #host: ReloadScheduleHost;
  #settings: ReloadSettings | null = null;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #at: number | null = null;
  #dated = false;

  constructor(host: ReloadScheduleHost) {
    this.#host = host;
  }

  configure(settings: ReloadSettings): void {
    this.close();
    this.#settings = settings;
    const { timeFile } = settings;
    if (timeFile === null) return;
    try {
      this.#watcher = watch(dirname(timeFile), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(timeFile)) this.#read();
      });
      this.#watcher.on("error", () => this.#lost(timeFile));
    } catch {
      this.#lost(timeFile);
    }
    this.#read();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#cancel();
  }

  #lost(timeFile: string): void {
    this.#host.say(`the folder of reload_time_file ${timeFile} cannot be watched; create it, then reload`);
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#at = null;
  }

  #read(): void {
    const line = this.#firstLine();
    const parsed = line === null ? null : parseReloadTime(line, Date.now());
    const before = this.#at;
    if (parsed === null || !parsed.ok) {
      this.#cancel();
      if (before !== null) this.#host.say(`Cancelling reload scheduled for ${isoTime(before)}`);
      if (parsed !== null) this.#host.say(`reload_time_file: ${parsed.error}; no reload is scheduled`);
      return;
    }
    const { at, dated } = parsed.value;
    this.#dated = dated;
    if (at === before) return;
    this.#cancel();
    this.#at = at;
    this.#host.say(
      before === null
        ? `Scheduling reload for ${isoTime(at)}`
        : `Reload time updated from ${isoTime(before)} to ${isoTime(at)}`,
    );
    this.#wait();
  }

  /** Null when there is no file, or nothing in it yet. */
  #firstLine(): string | null {
    try {
      return readFileSync(this.#settings?.timeFile ?? "", "utf8").split("\n")[0] || null;
    } catch {
      return null;
    }
  }

  #wait(): void {
    const left = (this.#at ?? 0) - Date.now();
    if (left <= 0) {
      this.#due();
      return;
    }
    this.#timer = setTimeout(() => this.#wait(), Math.min(left, LOOK_MILLIS));
    this.#timer.unref();
  }

  #due(): void {
    const { timeFile, repeat } = this.#settings ?? { timeFile: null, repeat: false };
    this.#cancel();
    if (timeFile !== null && (!repeat || this.#dated)) {
      try {
        unlinkSync(timeFile);
      } catch {
        // Somebody else has taken it away.
      }
    }
    this.#host.reload();
  }
}
