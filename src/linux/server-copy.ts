/**
 * Copies and exchanges the data directory of a database server of this host. Everything is renamed inside one file system, nothing is deleted
 * but a copy of our own that failed. Programs are run without a shell.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { chmod, lchown, lstat, mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { DataPlaces } from "../core/mysql/reseed.ts";
import type { Exchange, ServerCopy } from "../ports/server-copy.ts";
import { serverRunsIn } from "./database-host.ts";

const MIB = 1024 * 1024;
/** Kept of the old directory where the copy has none: settings and keys of this server alone. */
const OWN_FILES = /^(mysqld-auto\.cnf|.*\.pem)$/;
const LARGEST = 65_536;
/** Keys have some kilobytes, settings hardly more. */
const LARGEST_KEPT = 16 * MIB;

export function createServerCopy(): ServerCopy {
  return {
    examine: (places) => attempt(() => examine(places)),
    begin: (places, directory, filledBy) => attempt(() => begin(places, directory, filledBy)),
    async discard(directory) {
      await rm(directory, { recursive: true, force: true }).catch(() => undefined);
    },
    run: (argv, limitMillis) => ended(start(argv, "ignore"), argv, limitMillis),
    unpack,
    async read(path) {
      return await contents(path).then(
        (bytes) => bytes.toString("latin1"),
        () => null,
      );
    },
    isRunning: serverRunsIn,
    exchange: (order) => attempt(() => exchange(order)),
  };
}

async function attempt<T>(action: () => Promise<Result<T, string>>): Promise<Result<T, string>> {
  try {
    return await action();
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    return err(path === undefined ? message : `${path} (${code ?? message})`);
  }
}

async function examine({ data, elsewhere }: DataPlaces): Promise<Result<number, string>> {
  if (elsewhere.length > 0) return err(`its data are not all in ${data}: ${elsewhere.join(", ")} lead elsewhere`);
  const [own, parent] = await Promise.all([lstat(data), lstat(dirname(data))]);
  if (own.isSymbolicLink()) return err(`${data} is a link: name the directory itself in datadir`);
  if (own.dev !== parent.dev) return err(`${data} is a file system of its own and cannot be renamed`);
  const { bavail, bsize } = await statfs(dirname(data));
  return ok(Math.floor((bavail * bsize) / MIB));
}

/** What this daemon fills as root, the server's user must not be able to change meanwhile: a link in it would lead root's writing elsewhere. */
async function begin(
  { data }: DataPlaces,
  directory: string,
  filledBy: "server" | "daemon",
): Promise<Result<void, string>> {
  const { uid, gid } = await lstat(data);
  await mkdir(directory, { mode: 0o700 });
  if (filledBy === "server") await lchown(directory, uid, gid);
  return ok(undefined);
}

function start(argv: readonly string[], input: "ignore" | "pipe"): ChildProcess {
  const [program = "", ...rest] = argv;
  return spawn(program, rest, { stdio: [input, input === "ignore" ? "pipe" : "ignore", "pipe"] });
}

/** The error is the last line that the program has written. */
async function ended(child: ChildProcess, argv: readonly string[], limitMillis: number): Promise<Result<void, string>> {
  let words = "";
  // What is nobody's to read must not stop the program.
  child.stdout?.resume();
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-4_096);
  });
  const timer = limitMillis === 0 ? null : setTimeout(() => child.kill("SIGKILL"), limitMillis);
  const problem = await new Promise<string | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${String(code)}`)));
    child.once("error", ({ message }) => resolve(message));
  });
  if (timer !== null) clearTimeout(timer);
  // A server that it has started may hold these open for as long as it lives.
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (problem === null) return ok(undefined);
  const last = words.trim().split("\n").at(-1)?.trim() ?? "";
  return err(`${argv[0]}: ${last === "" ? problem : last}`);
}

async function unpack(argv: readonly string[], directory: string): Promise<Result<void, string>> {
  const [program = "", ...rest] = argv;
  const source = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const unpacking = ["mbstream", "-x", "-C", directory];
  const sink = spawn("mbstream", unpacking.slice(1), { stdio: [source.stdout, "ignore", "pipe"] });
  // The archive goes from one to the other; this process only holds its end until both have theirs.
  source.stdout.destroy();
  const [made, unpacked] = await Promise.all([ended(source, argv, 0), ended(sink, unpacking, 0)]);
  return made.ok ? unpacked : made;
}

async function exchange({ places, directory, stamp, files }: Exchange): Promise<Result<string, string>> {
  const { data, binlog, relay } = places;
  if (serverRunsIn(data)) return err(`a server still works in ${data}`);
  const old = `${data}.before-${stamp}`;
  const { uid, gid, mode } = await lstat(data);
  if (dirname(directory) !== dirname(data)) await seize(dirname(directory));
  await seize(directory);
  for (const name of await readdir(data)) {
    if (!OWN_FILES.test(name)) continue;
    const kept = await contents(join(data, name), LARGEST_KEPT).catch(() => null);
    if (kept !== null) await writeNew(join(directory, name), kept, { uid, gid, mode: 0o600 });
  }
  for (const { path, text } of files) {
    const inside = path.startsWith(`${data}/`) ? join(directory, path.slice(data.length + 1)) : path;
    await writeNew(inside, text, { uid, gid, mode: 0o660 });
  }
  await own(directory, uid, gid);
  await chmod(directory, mode & 0o7777);
  for (const series of [binlog, relay]) if (series !== null) await setAside(series, stamp, { uid, gid });
  await rename(data, old);
  await rename(directory, data);
  await syncFolder(dirname(data));
  return ok(old);
}

/** From here on the server's user changes nothing in it until it is whole; a link in its place is none of ours. */
async function seize(directory: string): Promise<void> {
  const folder = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await folder.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
    await folder.chmod(0o700);
  } finally {
    await folder.close();
  }
}

/** The beginning of a plain file; the directory belongs to the server's user, who may have put anything there. */
async function contents(path: string, most = LARGEST): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is no plain file`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(most), 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Takes the place of what was there by that name, and never goes through it. */
async function writeNew(path: string, text: string | Buffer, { uid, gid, mode }: Owner): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(text);
    await file.chown(uid, gid);
  } finally {
    await file.close();
  }
}

/** Logs of the old server outside of its data directory: the new one would take them for its own. */
async function setAside(series: string, stamp: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const folder = dirname(series);
  const mine = new RegExp(`^${basename(series).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\.(\\d+|index)$`);
  const names = (await readdir(folder)).filter((name) => mine.test(name));
  if (names.length === 0) return;
  const aside = `${series}.before-${stamp}`;
  await mkdir(aside, { mode: 0o700 });
  await lchown(aside, uid, gid);
  for (const name of names) await rename(join(folder, name), join(aside, name));
}

async function own(directory: string, uid: number, gid: number): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await own(path, uid, gid);
    else await lchown(path, uid, gid);
  }
  await lchown(directory, uid, gid);
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  await folder.sync().finally(() => folder.close());
}
