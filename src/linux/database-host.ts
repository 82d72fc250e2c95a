/**
 * What this host knows of a database server that runs on it: room on its disks, and whether a server process
 * lives that does not listen yet. A file system that hangs is asked once until it answers, so that it takes one
 * thread of the pool and not all of them.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { DatabaseHost } from "../ports/sql.ts";

const MIB = 1024 * 1024;
/** A file system on a working disk answers within microseconds. */
const PATIENCE_MILLIS = 500;

export function createDatabaseHost(): DatabaseHost {
  const asked = new Set<string>();
  return {
    async freeMib(path) {
      if (asked.has(path)) return null;
      asked.add(path);
      const answer = statfs(path).then(
        ({ bavail, bsize }) => Math.floor((bavail * bsize) / MIB),
        () => null,
      );
      void answer.finally(() => asked.delete(path));
      return Promise.race([answer, patience()]);
    },
    serverStarts,
  };
}

function patience(): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), PATIENCE_MILLIS).unref();
  });
}

/** `mysqld` itself, or as the first argument of the loader of a private installation. A shell that runs mysqld_safe is no server. */
const SERVER = /(?:^|\/)(?:mysqld|mariadbd)$/;
const LOADER = /(?:^|\/)ld-linux[^/]*$/;

function serverStarts(dataDirectory: string | null): boolean | null {
  let pids: readonly string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isServer(name));
  } catch {
    return null;
  }
  const wanted = dataDirectory?.replace(/(?<=.)\/+$/, "") ?? null;
  // A server changes into its data directory when it starts.
  const candidates = pids.filter((pid) => wanted === null || linkOf(`/proc/${pid}/cwd`) === wanted);
  return candidates.some((pid) => !listens(pid));
}

function isServer(pid: string): boolean {
  const [program = "", ...rest] = textOf(`/proc/${pid}/cmdline`).split("\0");
  return SERVER.test(program) || (LOADER.test(program) && rest.slice(0, 8).some((word) => SERVER.test(word)));
}

/** Whether a server process works in that directory: one that runs, starts or ends. Throws where a server process does not let that be seen. */
export function serverRunsIn(dataDirectory: string): boolean {
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isServer(name) && worksIn(name, dataDirectory));
}

function worksIn(pid: string, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === directory;
  } catch (error) {
    return falseIfGone(error);
  }
}

/** What cannot be read is not free: only of a process that has ended meanwhile is it certain. */
export function falseIfGone(error: unknown): false {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ESRCH") throw error;
  return false;
}

/** Whether a server process, wherever it works, has that file open. Throws as serverRunsIn does. */
export function serverHolds({ dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && isServer(pid) && hasOpen(pid, { dev, ino }));
}

function hasOpen(pid: string, { dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      const file = statSync(`/proc/${pid}/fd/${descriptor}`, { throwIfNoEntry: false });
      return file?.dev === dev && file.ino === ino;
    });
  } catch (error) {
    return falseIfGone(error);
  }
}

/** Whether the end of an IPv4 connection with these ports belongs to the server that works in that directory. */
export function isOfServer(
  dataDirectory: string,
  { local, remote }: { readonly local: number; readonly remote: number },
): boolean {
  const wanted = realOf(dataDirectory);
  const pids = readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/cwd`) === wanted && isServer(name),
  );
  return pids.some((pid) => {
    const rows = textOf(`/proc/${pid}/net/tcp`)
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
    const row = rows.find((fields) => portOf(fields[1]) === local && portOf(fields[2]) === remote);
    const inode = row?.[9];
    return inode !== undefined && descriptorsOf(pid).includes(`socket:[${inode}]`);
  });
}

/** Without links; undefined, which no process works in, for a directory that is not there. */
function realOf(directory: string): string | undefined {
  try {
    return realpathSync(directory);
  } catch {
    return undefined;
  }
}

/** "0100007F:0CEA" */
const portOf = (address: string | undefined): number => Number.parseInt(address?.split(":")[1] ?? "", 16);

/** Whether one of its sockets accepts connections: TCP in state 0A (LISTEN), Unix with flag __SO_ACCEPTCON. */
function listens(pid: string): boolean {
  const accepting = new Set<string>();
  for (const name of ["tcp", "tcp6"]) {
    for (const line of textOf(`/proc/${pid}/net/${name}`).split("\n")) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === "0A" && fields[9] !== undefined) accepting.add(fields[9]);
    }
  }
  for (const line of textOf(`/proc/${pid}/net/unix`).split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] === "00010000" && fields[6] !== undefined) accepting.add(fields[6]);
  }
  return descriptorsOf(pid).some((target) => accepting.has(/^socket:\[(\d+)\]$/.exec(target ?? "")?.[1] ?? ""));
}

function descriptorsOf(pid: string): readonly (string | null)[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
  } catch {
    return [];
  }
}

/** Of a process that ends meanwhile nothing can be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
