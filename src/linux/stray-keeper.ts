/**
 * A keeper whose control was killed ends by itself, unless it is frozen: then it would wake up beside the keeper of the
 * next daemon, take the address from it and say priority 0. So each daemon notes its keeper beside the pid file, and
 * the next one ends what it finds. The pid file's lock says that no living daemon owns the note.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const GONE_POLLS = 200;
const POLL_MILLIS = 5;

const noteOf = (pidFile: string): string => `${pidFile}.keeper`;

/** Failing to write it costs only this protection; the pid file's folder was writable a moment ago. */
export function noteKeeper(pidFile: string, pid: number): void {
  const started = startTime(pid);
  if (started === null) return;
  try {
    writeFileSync(noteOf(pidFile), `${pid} ${started}\n`, { mode: 0o644 });
  } catch {
    // The start-up sweep of the next daemon still removes what is left.
  }
}

export function forgetKeeper(pidFile: string): void {
  rmSync(noteOf(pidFile), { force: true });
}

/** Ends the keeper that an earlier daemon with this pid file left; returns its pid, or null when there is none. */
export async function endStrayKeeper(pidFile: string): Promise<number | null> {
  const noted = readNote(noteOf(pidFile));
  if (noted === null || startTime(noted.pid) !== noted.started) return null;
  process.kill(noted.pid, "SIGKILL");
  for (let poll = 0; poll < GONE_POLLS && startTime(noted.pid) === noted.started; poll++) await pause(POLL_MILLIS);
  return noted.pid;
}

function readNote(path: string): { readonly pid: number; readonly started: string } | null {
  try {
    const [pid, started] = readFileSync(path, "utf8").trim().split(" ");
    return pid === undefined || started === undefined || !/^[1-9]\d{0,9}$/.test(pid)
      ? null
      : { pid: Number(pid), started };
  } catch {
    return null;
  }
}

/** proc(5), /proc/PID/stat field 22; null when the process is gone or a zombie. With the pid it names one process. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
