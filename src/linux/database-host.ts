/**
 * What this host knows of a database server that runs on it: room on its disks, and whether its process lives. A file system that hangs
 * is asked once until it answers, so that it takes one thread of the pool and not all of them.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
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
    serverRuns,
  };
}

function patience(): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), PATIENCE_MILLIS).unref();
  });
}

/** Also when a loader starts it: then the program is its first argument. */
const SERVER = /(?:^|\/)(?:mysqld|mariadbd)$/;

/** A server changes into its data directory when it starts. */
function serverRuns(dataDirectory: string | null): boolean | null {
  let servers: readonly string[];
  try {
    servers = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isServer(name));
  } catch {
    return null;
  }
  if (dataDirectory === null) return servers.length === 0 ? false : servers.length === 1 ? true : null;
  const wanted = dataDirectory.replace(/(?<=.)\/+$/, "");
  const directories = servers.map(workingDirectory);
  if (directories.includes(wanted)) return true;
  return directories.includes(null) ? null : false;
}

function isServer(pid: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
    return words.slice(0, 4).some((word) => SERVER.test(word)) && !isShell(words[0] ?? "");
  } catch {
    return false;
  }
}

/** `sh /usr/bin/mysqld_safe` and an administrator's `vi /usr/sbin/mysqld` are no servers. */
const isShell = (program: string): boolean => !SERVER.test(program) && !/(?:^|\/)ld-linux[^/]*$/.test(program);

function workingDirectory(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
