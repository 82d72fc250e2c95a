/**
 * Users and groups by name or number, from /etc/passwd and /etc/group. Other name services are not asked: a lookup that
 * waits for a directory server must never hold up a check.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Accounts } from "../core/dumps/input.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { Identity, ScriptPolicy, Unusable } from "../ports/spawner.ts";
import { shortageOf } from "./shortage.ts";

/** keepalived's default user for scripts, where it exists. */
const DEFAULT_SCRIPT_USER = "keepalived_script";

type Fields = readonly string[];

async function entries(file: string): Promise<readonly Fields[]> {
  try {
    return (await readFile(file, "utf8")).split("\n").map((line) => line.split(":"));
  } catch (error) {
    // Out of descriptors says nothing about users: whoever asks tries again.
    if (shortageOf((error as NodeJS.ErrnoException).code) !== null) throw error;
    return [];
  }
}

const NUMBER = /^\d{1,10}$/;

async function findUser(name: string): Promise<Identity | null> {
  const byNumber = NUMBER.test(name);
  const found = (await entries("/etc/passwd")).find((fields) => fields[byNumber ? 2 : 0] === name);
  if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  return byNumber ? { uid: Number(name), gid: Number(name) } : null;
}

async function findGroup(name: string): Promise<number | null> {
  if (NUMBER.test(name)) return Number(name);
  const found = (await entries("/etc/group")).find((fields) => fields[0] === name);
  return found ? Number(found[2]) : null;
}

export interface WantedOwner {
  readonly user: string | null;
  readonly group: string | null;
}

/** Who a script runs as: its own user, that of the file, keepalived_script if there is one, or we ourselves (null). */
export async function resolveIdentity(
  own: WantedOwner,
  policy: ScriptPolicy,
): Promise<Result<Identity | null, Unusable>> {
  const wanted = own.user === null ? { user: policy.user, group: own.group ?? policy.group } : own;
  const user = await wantedUser(wanted.user);
  if (!user.ok) return user;
  const group = await wantedGroup(wanted.group);
  if (!group.ok) return group;
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const identity = { uid: user.value?.uid ?? self.uid, gid: group.value ?? user.value?.gid ?? self.gid };
  const groups = user.value === null ? [] : await wantedGroups(wanted.user, policy);
  if (identity.uid === self.uid && identity.gid === self.gid && groups.length === 0) return ok(null);
  if (isRoot()) return ok(groups.length === 0 ? identity : { ...identity, groups });
  const reason = `only root can run it as ${identity.uid}:${identity.gid}`;
  return err({ reason, remedy: "start the daemon as root, or remove `user`" });
}

const REMEDY = "create it or correct `user` or `script_user`";

async function wantedUser(name: string | null): Promise<Result<Identity | null, Unusable>> {
  if (name === null) return ok(isRoot() ? await findUser(DEFAULT_SCRIPT_USER) : null);
  const user = await findUser(name);
  return user === null ? err({ reason: `user ${name} does not exist`, remedy: REMEDY }) : ok(user);
}

async function wantedGroup(name: string | null): Promise<Result<number | null, Unusable>> {
  if (name === null) return ok(null);
  const group = await findGroup(name);
  return group === null ? err({ reason: `group ${name} does not exist`, remedy: REMEDY }) : ok(group);
}

async function wantedGroups(user: string | null, policy: ScriptPolicy): Promise<readonly number[]> {
  return policy.supplementaryGroups ? supplementaryGroups(user ?? DEFAULT_SCRIPT_USER) : [];
}

async function supplementaryGroups(user: string): Promise<readonly number[]> {
  const names = NUMBER.test(user)
    ? (await entries("/etc/passwd")).filter((fields) => fields[2] === user).map((fields) => fields[0] ?? "")
    : [user];
  const groups = await entries("/etc/group");
  return groups
    .filter((fields) => (fields[3] ?? "").split(",").some((name) => names.includes(name)))
    .map((fields) => Number(fields[2]));
}

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** Owner of a file, at the start only: it reads while everything waits. The group is the user's unless it is named. */
export function lookUpOwner(user: string | null, group: string | null): Result<Identity, string> {
  const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const found = user === null ? self : findIn("/etc/passwd", user);
  if (found === null) return err(`user ${user} does not exist; create it`);
  const owner = "gid" in found ? found : { uid: Number(found[2]), gid: Number(found[3]) };
  if (group === null) return ok(owner);
  const named = findIn("/etc/group", group);
  return named === null ? err(`group ${group} does not exist; create it`) : ok({ ...owner, gid: Number(named[2]) });
}

function findIn(file: string, name: string): Fields | null {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.split(":")).find((fields) => fields[NUMBER.test(name) ? 2 : 0] === name) ?? null;
}

/** All of them, for a dump; it reads while everything waits, and two files of a few lines are soon read. */
export function readAccounts(): Accounts {
  const linesOf = (file: string): readonly Fields[] => {
    try {
      return readFileSync(file, "utf8")
        .split("\n")
        .map((line) => line.split(":"));
    } catch {
      // A dump must not fail for it: names are shown as they are written.
      return [];
    }
  };
  return {
    users: new Map(
      linesOf("/etc/passwd").map(([name = "", , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
    ),
    groups: new Map(linesOf("/etc/group").map(([name = "", , gid]) => [name, Number(gid)])),
  };
}
