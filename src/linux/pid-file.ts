/**
 * The pid file, and with it the rule that one daemon runs per file. The lock on the open file decides, not the number in
 * it: it ends with the process, also when that is killed, and no reused pid or zombie can pretend to hold it.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";
import { errnoName, flock } from "./libc.ts";

const LOCK_EX_NB = 2 | 4;

export interface PidFile {
  /** Why there is no number in it, with the remedy; null when there is. */
  readonly problem: string | null;
  /** Removes the file, then gives the lock up. */
  release(): void;
}

/** The error is a sentence with the remedy. */
export function takePidFile(path: string, pid: number): Result<PidFile, string> {
  for (;;) {
    const opened = openLocked(path);
    if (!opened.ok) return opened;
    const descriptor = opened.value;
    const stranger = livingKeepalived(path);
    if (stranger !== null) {
      closeSync(descriptor);
      return err(
        `${path} belongs to keepalived (pid ${stranger}), which is running; stop it, or give another file with -p`,
      );
    }
    // Its last holder may have removed the file between our open and our lock.
    if (!isSameFile(path, descriptor)) {
      closeSync(descriptor);
      continue;
    }
    return ok({
      problem: writePid(path, descriptor, pid),
      release() {
        if (isSameFile(path, descriptor)) unlinkSync(path);
        closeSync(descriptor);
      },
    });
  }
}

/** The lock is what counts: a full disk must not keep the address from being served. */
function writePid(path: string, descriptor: number, pid: number): string | null {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${pid}\n`, 0);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${path} is locked but stays empty: ${reason}; programs that read it do not find this daemon: make room and restart`;
  }
}

function openLocked(path: string): Result<number, string> {
  let descriptor: number;
  try {
    // Node opens with O_CLOEXEC: no script can inherit the lock.
    descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return err(`the pid file cannot be written: ${reason}; give another one with -p`);
  }
  const locked = flock(descriptor, LOCK_EX_NB);
  if (locked === 0) return ok(descriptor);
  closeSync(descriptor);
  if (errnoName(locked) !== "EAGAIN")
    return err(`${path} cannot be locked: ${errnoName(locked)}; give another one with -p`);
  const holder = readPid(path);
  return err(
    `a daemon is already running with ${path}${holder === null ? "" : ` (pid ${holder})`}; stop it, or give another file with -p`,
  );
}

function readPid(path: string): number | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

/** keepalived 2.2 does not lock its file: there only the process itself can tell. */
function livingKeepalived(path: string): number | null {
  const pid = readPid(path);
  if (pid === null) return null;
  try {
    const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return name === "keepalived" && state !== "Z" ? pid : null;
  } catch {
    return null;
  }
}

function isSameFile(path: string, descriptor: number): boolean {
  try {
    const [named, open] = [statSync(path), fstatSync(descriptor)];
    return named.ino === open.ino && named.dev === open.dev;
  } catch {
    return false;
  }
}
