/**
 * Named pipes as keepalived makes them: mode 0600, owned by whom the file names, opened for reading as well so that
 * nobody has to read yet, never blocking, never through a symbolic link. What exists is used as it is; a plain file is
 * appended to (keepalived 2.2.7 writes over its beginning).
 */
import { chownSync, closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync, writeSync } from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Fifo, FifoOrder, FifoPort } from "../ports/fifo.ts";
import { lookUpOwner } from "./accounts.ts";
import type { Arena } from "./arena.ts";
import { ERRNO, errnoName, ioctl, mkfifo } from "./libc.ts";

const MODE = 0o600;
const FIONREAD = 0x541b;

export function createFifoPort(arena: Arena): FifoPort {
  return { open: (order) => open(arena, order) };
}

function open(arena: Arena, order: FifoOrder): Result<Fifo, string> {
  const { path } = order;
  const made = make(arena, path);
  if (made < 0 && made !== -ERRNO.EEXIST) return err(`it cannot be made (${errnoName(made)})${remedyFor(made)}`);
  const created = made === 0;
  const owned = created ? giveAway(order) : null;
  if (owned !== null) {
    unlinkSync(path);
    return err(owned);
  }
  try {
    // O_APPEND: lines of a plain file go behind what is there.
    const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_APPEND;
    const descriptor = openSync(path, flags);
    const status = fstatSync(descriptor);
    if (status.isFIFO() || status.isFile()) return ok(fifoOf(arena, { path, descriptor, created }));
    closeSync(descriptor);
    return err("it is neither a pipe nor a file; remove it or name another path");
  } catch (error) {
    if (created) unlinkSync(path);
    const code = (error as NodeJS.ErrnoException).code ?? "EIO";
    const why = code === "ELOOP" ? "it is a symbolic link; name the pipe itself" : `it cannot be opened (${code})`;
    return err(why);
  }
}

function make(arena: Arena, path: string): number {
  const bytes = new TextEncoder().encode(path);
  const offset = arena.allocate(bytes.length + 1);
  arena.bytes.set(bytes, offset);
  const result = mkfifo(arena.at(offset), MODE);
  arena.release(offset, bytes.length + 1);
  return result;
}

function remedyFor(errno: number): string {
  switch (errnoName(errno)) {
    case "ENOENT":
      return ": its folder does not exist; make it";
    case "ENOSPC":
      return ": the disk is full; make room, it is tried again";
    default:
      return "; check the permissions of its folder";
  }
}

/** Null when it went well. */
function giveAway({ path, user, group }: FifoOrder): string | null {
  if (user === null && group === null) return null;
  const owner = lookUpOwner(user, group);
  if (!owner.ok) return owner.error;
  try {
    chownSync(path, owner.value.uid, owner.value.gid);
    return null;
  } catch (error) {
    return `it cannot be given to ${user ?? ""}:${group ?? ""} (${(error as NodeJS.ErrnoException).code}); run as root`;
  }
}

interface Opened {
  readonly path: string;
  readonly descriptor: number;
  readonly created: boolean;
}

function fifoOf(arena: Arena, { path, descriptor, created }: Opened): Fifo {
  const plain = fstatSync(descriptor).isFile();
  return {
    write(line) {
      try {
        // A line is shorter than PIPE_BUF: it is taken whole or not at all (pipe(7)).
        writeSync(descriptor, line);
        return "written";
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "EIO";
        if (code === "EAGAIN") return "full";
        return { error: `it cannot be written (${code})${code === "ENOSPC" ? ": the disk is full; make room" : ""}` };
      }
    },
    unread() {
      if (plain) return 0;
      const offset = arena.allocate(4);
      const result = ioctl(descriptor, FIONREAD, arena.at(offset));
      const bytes = arena.view.getInt32(offset, true);
      arena.release(offset, 4);
      return result < 0 ? 0 : bytes;
    },
    close() {
      const same = created && isSame(path, descriptor);
      closeSync(descriptor);
      if (same) unlinkSync(path);
    },
  };
}

/** Somebody may have put another file in its place. */
function isSame(path: string, descriptor: number): boolean {
  try {
    return lstatSync(path).ino === fstatSync(descriptor).ino;
  } catch {
    return false;
  }
}
