/**
 * Files for the tracked-file engine: read, created, and watched by inotify(7) on their directory, so that a file counts when its
 * writer has closed it and not between truncation and text. A symbolic link is followed once, when watching begins.
 */
import { closeSync, constants, openSync, readSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { FileWatchPort, Watch } from "../ports/watches.ts";
import type { Arena } from "./arena.ts";
import type { BackgroundPoll } from "./background-poll.ts";
import { close, ERRNO, errnoName, inotifyAddWatch, inotifyInit, inotifyRemoveWatch, read } from "./libc.ts";

const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_CLOSE_WRITE = 0x8;
const IN_DELETE = 0x200;
/** The directory itself was moved: the watch would go with it to its new name. */
const IN_MOVE_SELF = 0x800;
const EVENTS = IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVE_SELF;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const INIT_FLAGS = 0o2004000;
const EVENT_HEADER = 16;
const BUFFER = 16 * 1024;
/** keepalived reads no more of the file either. */
const READ_BYTES = 127;

interface Watched {
  readonly descriptor: number;
  readonly name: string;
  readonly changed: () => void;
  readonly lost: () => void;
}

interface News {
  readonly changed: Set<Watched>;
  readonly lost: Set<Watched>;
}

export function createFileWatch(arena: Arena, poll: BackgroundPoll): FileWatchPort {
  const inotify = new Inotify(arena, poll);
  return {
    watch: (path, changed, lost) => inotify.watch(path, { changed, lost }),
    read: readBeginning,
    create,
  };
}

function readBeginning(path: string): Result<string | null, string> {
  try {
    // A named pipe without a writer must not hold up control.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(READ_BYTES);
      return ok(buffer.toString("latin1", 0, readSync(file, buffer, 0, READ_BYTES, null)));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? ok(null) : err(`cannot read ${path}: ${code ?? message}`);
  }
}

function create(path: string, text: string, overwrite: boolean): Result<void, string> {
  try {
    writeFileSync(path, text, { flag: overwrite ? "w" : "wx", mode: 0o644 });
    return ok(undefined);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "EEXIST" && !overwrite ? ok(undefined) : err(`cannot create ${path}: ${code ?? message}`);
  }
}

/** The file that a path names now, or will name once it exists. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

class Inotify {
  readonly #arena: Arena;
  readonly #poll: BackgroundPoll;
  readonly #watched = new Set<Watched>();
  #descriptor: number | null = null;
  #buffer: number | null = null;

  constructor(arena: Arena, poll: BackgroundPoll) {
    this.#arena = arena;
    this.#poll = poll;
  }

  watch(path: string, listener: Pick<Watched, "changed" | "lost">): Result<Watch, string> {
    let real: string;
    try {
      real = resolved(path);
    } catch {
      return err(`the directory ${dirname(path)} does not exist, so changes of the file are not noticed`);
    }
    const opened = this.#open();
    if (opened < 0) return err(`inotify: ${errnoName(opened)}; raise fs.inotify.max_user_instances`);
    const descriptor = this.#addWatch(opened, dirname(real));
    if (descriptor < 0) return err(`cannot watch ${dirname(real)}: ${errnoName(descriptor)}`);
    const entry: Watched = { descriptor, name: basename(real), ...listener };
    this.#watched.add(entry);
    return ok({ close: () => this.#unwatch(entry) });
  }

  #addWatch(inotify: number, directory: string): number {
    const path = Buffer.from(`${directory}\0`);
    const offset = this.#arena.allocate(path.length);
    this.#arena.bytes.set(path, offset);
    const result = inotifyAddWatch(inotify, this.#arena.at(offset), EVENTS);
    this.#arena.release(offset, path.length);
    return result;
  }

  #open(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    const descriptor = inotifyInit(INIT_FLAGS);
    if (descriptor < 0) return descriptor;
    this.#descriptor = descriptor;
    this.#poll.add(descriptor, () => this.#readEvents(descriptor));
    return descriptor;
  }

  #unwatch(entry: Watched): void {
    // One that was lost is gone already.
    if (!this.#watched.delete(entry)) return;
    const { descriptor } = entry;
    // Files of one directory share a watch.
    if (this.#descriptor === null || [...this.#watched].some((other) => other.descriptor === descriptor)) return;
    inotifyRemoveWatch(this.#descriptor, descriptor);
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#descriptor === null || this.#watched.size > 0) return;
    this.#poll.remove(this.#descriptor);
    close(this.#descriptor);
    this.#descriptor = null;
  }

  #readEvents(descriptor: number): void {
    this.#buffer ??= this.#arena.allocate(BUFFER);
    const news: News = { changed: new Set(), lost: new Set() };
    while (this.#descriptor === descriptor) {
      const length = read(descriptor, this.#arena.at(this.#buffer), BUFFER);
      if (length <= 0 && length !== -ERRNO.EINTR) break;
      this.#collect(this.#buffer, length, news);
    }
    for (const entry of news.lost) {
      this.#watched.delete(entry);
      // Of a directory that is gone, the kernel has removed it; of one that was moved, we have to.
      inotifyRemoveWatch(descriptor, entry.descriptor);
    }
    for (const entry of news.changed) if (this.#watched.has(entry)) entry.changed();
    for (const entry of news.lost) entry.lost();
    this.#closeUnused();
  }

  #collect(start: number, length: number, { changed, lost }: News): void {
    const { view, bytes } = this.#arena;
    for (let at = start; at + EVENT_HEADER <= start + length; ) {
      const watch = view.getInt32(at, true);
      const mask = view.getUint32(at + 4, true);
      const size = view.getUint32(at + 12, true);
      const name = Buffer.from(bytes.subarray(at + EVENT_HEADER, at + EVENT_HEADER + size)).toString("utf8");
      at += EVENT_HEADER + size;
      const gone = (mask & (IN_IGNORED | IN_MOVE_SELF)) !== 0;
      // After an overflow every file may have changed.
      const all = (mask & IN_Q_OVERFLOW) !== 0;
      for (const entry of this.#watched) {
        if (gone && entry.descriptor === watch) lost.add(entry);
        else if (all || (entry.descriptor === watch && entry.name === untilZero(name))) changed.add(entry);
      }
    }
  }
}

const untilZero = (text: string): string => text.slice(0, text.indexOf("\0") < 0 ? undefined : text.indexOf("\0"));
