/** Daemons of Holdfast that are alive in our network namespace, whatever socket or pid file they have. By /proc and a pid file; reads only. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const PROGRAM = /(^|\/)(holdfast(\.js)?|command-line\.js)$/;
const KEEPER = /\/dist\/[^/]+\/keeper\.js$/;

/** By its words: `holdfast run`, `holdfast -f FILE` as keepalived takes it, or the process that holds the addresses. */
export function isDaemon(words: readonly string[]): boolean {
  if (words.some((word) => KEEPER.test(word))) return true;
  const at = words.findIndex((word) => PROGRAM.test(word));
  if (at < 0) return false;
  const next = words[at + 1];
  return next === undefined || next === "" || next === "run" || next.startsWith("-");
}

/** Its pid, or null. One whose namespace may not be looked at counts, and so does one that only the pid file tells of: who asks must not act on a guess. */
export function livingHoldfast(pidFile: string): number | null {
  const namespace = readlinkSync("/proc/self/ns/net");
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const seen = pids.map(Number).find((pid) => pid !== process.pid && isLiving(pid, namespace));
  return seen ?? hidden(pidFile, new Set(pids.map(Number)));
}

function isLiving(pid: number, namespace: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return isDaemon(words) && (namespaceOf(pid) ?? namespace) === namespace;
  } catch {
    // Gone meanwhile.
    return false;
  }
}

/** Whether that process is one: a pid that a daemon in a container tells may be anybody's here. */
export function isDaemonHere(pid: number): boolean {
  try {
    return isDaemon(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
  } catch {
    return false;
  }
}

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}

/** /proc mounted with hidepid (proc(5)) shows nobody else's processes. */
function hidden(pidFile: string, shown: ReadonlySet<number>): number | null {
  try {
    const pid = Number(/^[1-9]\d{0,9}$/.exec(readFileSync(pidFile, "utf8").trim())?.[0]);
    return shown.has(pid) || !isAlive(pid) ? null : pid;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
