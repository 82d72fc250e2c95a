/**
 * Looks at the file of a check or hook before each run: is it there, may it be executed, can anybody change a script that
 * root runs, or, with enable_script_security, anybody but root. Asynchronous, because a path may lie on a file system that hangs.
 */
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Command } from "../core/config/model.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Identity, Program, ScriptPolicy, Unusable } from "../ports/spawner.ts";
import { isRoot, resolveIdentity } from "./accounts.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const STICKY = 0o1000;
const SETUID = 0o4000;

export async function examineCommand(command: Command, policy: ScriptPolicy): Promise<Result<Program, Unusable>> {
  const [name, ...args] = command.argv;
  if (name === undefined || name === "") return err({ reason: "no command is given", remedy: "name a program" });
  const identity = await resolveIdentity(command, policy);
  if (!identity.ok) return identity;
  // keepalived: a script that begins with `</` asks whether the file can be read. The path is an argument, not text of the shell.
  if (name.startsWith("</")) {
    return ok({ file: "/bin/sh", args: ["-c", ': <"$1"', "sh", name.slice(1)], identity: identity.value });
  }
  const found = await findFile(name, identity.value);
  if (!found.ok) return found;
  const unsafe = await insecurity(found.value, identity.value, policy.security);
  if (unsafe !== null) return err(unsafe);
  const file = policy.symlinkPaths ? found.value.path : await realpath(found.value.path);
  return ok({ file, args, identity: identity.value });
}

interface Found {
  readonly path: string;
  readonly status: Stats;
}

async function findFile(name: string, identity: Identity | null): Promise<Result<Found, Unusable>> {
  if (!name.includes("/")) return findInPath(name, identity);
  const path = resolve(name);
  try {
    const status = await stat(path);
    if (!status.isFile()) return err({ reason: `${path} is not a file`, remedy: "name an executable file" });
    if (!mayExecute(status, identity)) {
      const who = identity === null ? "" : ` by user ${identity.uid}`;
      return err({ reason: `${path} cannot be executed${who}`, remedy: `run: chmod a+x ${path}` });
    }
    return ok({ path, status });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "EIO";
    if (code === "ENOENT" || code === "ENOTDIR") {
      return err({ reason: `${path} does not exist`, remedy: "install it or correct the path" });
    }
    return err({ reason: `${path} cannot be looked at (${code})`, remedy: "check the permissions of its folders" });
  }
}

async function findInPath(name: string, identity: Identity | null): Promise<Result<Found, Unusable>> {
  for (const folder of (process.env.PATH ?? DEFAULT_PATH).split(":")) {
    const found = await findFile(join(resolve(folder), name), identity);
    if (found.ok) return found;
  }
  return err({ reason: `${name} is in no folder of PATH`, remedy: "write the whole path" });
}

function mayExecute(status: Stats, identity: Identity | null): boolean {
  const uid = identity?.uid ?? process.geteuid?.() ?? 0;
  if (uid === 0) return (status.mode & 0o111) !== 0;
  if (uid === status.uid) return (status.mode & 0o100) !== 0;
  const groups = identity ? [identity.gid] : [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])];
  return (status.mode & (groups.includes(status.gid) ? 0o010 : 0o001)) !== 0;
}

/**
 * What everybody may write never runs as root. keepalived's whole rule, nobody but root may write the file or a folder
 * above it, is for enable_script_security only: in a user namespace most owners look foreign.
 */
async function insecurity(
  { path, status }: Found,
  identity: Identity | null,
  strict: boolean,
): Promise<Unusable | null> {
  const asRoot = identity === null ? isRoot() : identity.uid === 0;
  if (!asRoot && !((status.mode & SETUID) !== 0 && status.uid === 0)) return null;
  const writable = (await firstWritable(path, strict)) ?? (await firstWritable(await realpath(path), strict));
  if (writable === null) return null;
  const [who, order] = strict
    ? ["others than root", `chown root ${writable}; chmod go-w ${writable}`]
    : ["all users", `chmod o-w ${writable}`];
  return {
    reason: `${path} runs as root, but ${who} can change ${writable}`,
    remedy: `run: ${order}; or give the script a \`user\``,
  };
}

async function firstWritable(path: string, strict: boolean): Promise<string | null> {
  for (let at = path; ; at = dirname(at)) {
    const status = await stat(at);
    const sticky = status.isDirectory() && (status.mode & STICKY) !== 0;
    const groupWrites = strict && (status.mode & GROUP_WRITE) !== 0 && status.gid !== 0;
    const foreign = strict && status.uid !== 0;
    if (foreign || (!sticky && (groupWrites || (status.mode & OTHERS_WRITE) !== 0))) return at;
    if (at === "/") return null;
  }
}
