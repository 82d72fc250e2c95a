/**
 * The real files, users and interfaces behind the configuration language. Reads only; synchronous, because a
 * configuration is read before anything else runs and again while nothing may change under it.
 */

import { randomInt } from "node:crypto";
import type { Stats } from "node:fs";
import { accessSync, constants, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { expandBraces, resolvePath } from "../core/config/paths.ts";
import type { ConfigSource, FileStatus, ScriptStatus } from "../core/config/source.ts";
import type { Result } from "../core/lib/result.ts";
import { err, ok } from "../core/lib/result.ts";

const LARGEST_FILE = 16 * 1024 * 1024;

export function createConfigSource(): ConfigSource {
  return {
    readFile,
    glob: (pattern, directory) => expandBraces(pattern).flatMap((one) => globOne(resolvePath(one, directory))),
    script: scriptStatus,
    env: (name) => process.env[name] ?? null,
    hostname: hostname(),
    workingDirectory: process.cwd(),
    random: (min, max) => randomInt(min, max + 1),
    hasInterface,
    interfaces,
    hasUser: (name) => inDatabase("/etc/passwd", name),
    hasGroup: (name) => inDatabase("/etc/group", name),
    hasProcessor,
  };
}

function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "EIO";
}

function readFile(path: string): Result<string, string> {
  try {
    const status = statSync(path);
    // A FIFO or a device could block or never end.
    if (status.isDirectory()) return err("EISDIR");
    if (!status.isFile() && !isReadablePipe(path, status)) return err("not a regular file");
    if (status.size > LARGEST_FILE) return err("EFBIG");
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return err(errnoOf(error));
  }
}

/** `-f /dev/stdin` and `-f <(...)` of a shell; any other FIFO is refused. */
function isReadablePipe(path: string, status: Stats): boolean {
  return status.isFIFO() && /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/.test(path);
}

/** One pattern without braces, segment by segment; `*`, `?` and `[...]` do not match a leading dot. */
function globOne(pattern: string): readonly string[] {
  let found = ["/"];
  for (const segment of pattern.split("/").filter((part) => part !== "")) {
    if (/[*?[]/.test(segment)) {
      const expression = globExpression(segment);
      found = found.flatMap((base) =>
        namesIn(base)
          .filter((name) => expression.test(name) && (segment.startsWith(".") || !name.startsWith(".")))
          .map((name) => join(base, name)),
      );
    } else {
      found = found.map((base) => join(base, segment));
    }
  }
  return found.filter((path) => statOf(path) !== null).sort();
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function globExpression(segment: string): RegExp {
  const source = segment.replace(
    /\[(!?)([^\]]+)\]|[*?]|[.+^${}()|\\[\]]/g,
    (part, negated: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${negated === "!" ? "^" : ""}${set.replace(/[\\^\]]/g, "\\$&")}]`;
      if (part === "*") return "[^/]*";
      return part === "?" ? "[^/]" : `\\${part}`;
    },
  );
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // A range such as [z-a] matches nothing.
    return /^(?!)/;
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function fileStatus(status: Stats): FileStatus {
  const kind = status.isFile() ? "file" : status.isDirectory() ? "directory" : "other";
  return { kind, mode: status.mode & 0o7777, uid: status.uid, gid: status.gid };
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function scriptStatus(name: string): ScriptStatus {
  const path = name.includes("/") ? name : searchPath(name);
  const status = path === null ? null : statOf(path);
  if (path === null || status === null) return { path: path ?? name, file: null, writableByOthers: null };
  return { path, file: fileStatus(status), writableByOthers: status.isFile() ? firstWritable(path) : null };
}

function searchPath(name: string): string | null {
  for (const directory of (process.env.PATH ?? DEFAULT_PATH).split(":")) {
    const path = join(directory === "" ? "." : directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there; the next directory may have it.
    }
  }
  return null;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const STICKY = 0o1000;

/** keepalived's rule: owner not root, or writable by a group other than root's, or by all; sticky directories pass. */
function firstWritable(path: string): string | null {
  try {
    let at = realpathSync(path);
    for (;;) {
      const status = statSync(at);
      const sticky = status.isDirectory() && (status.mode & STICKY) !== 0;
      const groupWrites = (status.mode & GROUP_WRITE) !== 0 && status.gid !== 0;
      if (status.uid !== 0 || (!sticky && (groupWrites || (status.mode & OTHERS_WRITE) !== 0))) return at;
      if (at === "/") return null;
      at = dirname(at);
    }
  } catch {
    return null;
  }
}

/** Two lines of titles, then one for each interface. */
function interfaces(): readonly string[] {
  try {
    const lines = readFileSync("/proc/net/dev", "utf8").split("\n").slice(2);
    return lines.map((line) => line.trim().split(":")[0] ?? "").filter((name) => name !== "");
  } catch {
    return [];
  }
}

/** Whether our network namespace has it; null when /proc does not say. */
export function hasInterface(name: string): boolean | null {
  if (!/^[^/\s]{1,15}$/.test(name) || name === "." || name === "..") return false;
  // /sys/class/net belongs to the namespace that mounted /sys, /proc/net/dev to ours.
  try {
    const text = readFileSync("/proc/net/dev", "utf8");
    return text.split("\n").some((line) => line.trimStart().startsWith(`${name}:`));
  } catch {
    return null;
  }
}

/** The file reads "0-3,6". */
function hasProcessor(number: number): boolean | null {
  try {
    const ranges = readFileSync("/sys/devices/system/cpu/online", "utf8").trim().split(",");
    return ranges.some((range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      return number >= first && number <= last;
    });
  } catch {
    return null;
  }
}

/** Null when the name is absent but another name service may know it. */
function inDatabase(file: string, name: string): boolean | null {
  if (/^\d+$/.test(name)) return true;
  try {
    if (
      readFileSync(file, "utf8")
        .split("\n")
        .some((line) => line.startsWith(`${name}:`))
    )
      return true;
    const services = readFileSync("/etc/nsswitch.conf", "utf8");
    const own =
      new RegExp(`^${file === "/etc/passwd" ? "passwd" : "group"}:\\s*(.*)$`, "m").exec(services)?.[1] ?? "files";
    return own.split(/\s+/).some((service) => !["files", "systemd", "compat", ""].includes(service)) ? null : false;
  } catch {
    return null;
  }
}
