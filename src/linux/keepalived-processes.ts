/** keepalived processes that are alive in our network namespace, and the file each of them was started with. By /proc; reads only. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";

const DEFAULT_FILE = "/etc/keepalived/keepalived.conf";

export interface KeepalivedProcess {
  readonly pid: number;
  readonly file: string;
}

/** One for each file: parent and children share it. `except` are our own processes, which may be called the same. */
export function keepalivedProcesses(except: ReadonlySet<number>): readonly KeepalivedProcess[] {
  const namespace = readlinkSync("/proc/self/ns/net");
  const found = new Map<string, KeepalivedProcess>();
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const pid of pids.map(Number).sort((one, other) => one - other)) {
    const file = except.has(pid) ? null : fileOf(pid, namespace);
    if (file !== null && !found.has(file)) found.set(file, { pid, file });
  }
  return [...found.values()];
}

function fileOf(pid: number, namespace: string): string | null {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (!isKeepalived(pid) || readlinkSync(`/proc/${pid}/ns/net`) !== namespace) return null;
    return resolve(readlinkSync(`/proc/${pid}/cwd`), fileArgument(argv.slice(1)) ?? DEFAULT_FILE);
  } catch {
    // Gone meanwhile.
    return null;
  }
}

/** By its program: the name of a process can be changed (vrrp_process_name). */
function isKeepalived(pid: number): boolean {
  return /\/keepalived( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`));
}

/** `-f FILE`, `-fFILE`, `--use-file FILE`, `--use-file=FILE`; behind other letters (`-nf FILE`) as well. */
export function fileArgument(words: readonly string[]): string | null {
  for (const [index, word] of words.entries()) {
    if (word === "--use-file" || /^-[nlDPd]*f$/.test(word)) return words[index + 1] ?? null;
    const inline = /^(?:--use-file=|-[nlDPd]*f)(.+)$/.exec(word)?.[1];
    if (inline !== undefined) return inline;
  }
  return null;
}
