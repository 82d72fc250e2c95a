/**
 * Moves the daemon into a named network namespace (ip-netns(8)), with a mount namespace of its own in which /run/keepalived is
 * the namespace's own folder, as keepalived does. Namespaces belong to threads and Node has started several by now, so the
 * thread that has moved runs the program again from the beginning (execve(2)): same process, same pid, one thread.
 */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { err, type Result } from "../core/lib/result.ts";
import type { Arena } from "./arena.ts";
import { becomeProgram, pointerTo } from "./exec.ts";
import { errnoName, mount, setns, unshare } from "./libc.ts";

/** keepalived's folder for pid files. */
export const PID_FOLDER = "/run/keepalived";

const FOLDERS = ["/run/netns", "/var/run/netns"];
const CLONE_NEWNET = 0x4000_0000;
const CLONE_NEWNS = 0x0002_0000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SLAVE = 0x8_0000;
/** Standard streams, and the starter's pipe. Node marks all of them to be closed. */
const KEPT_DESCRIPTORS = [0, 1, 2, 3];

export interface Move {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Does not come back when it works; the error is a sentence with the remedy. */
export function continueInNamespace(arena: Arena, { name, argv, env }: Move): Result<never, string> {
  const descriptor = openNamespace(name);
  if (descriptor === null) return err(`net_namespace ${name} does not exist; make it: ip netns add ${name}`);
  const entered = setns(descriptor, CLONE_NEWNET);
  closeSync(descriptor);
  if (entered < 0) return err(`cannot enter net_namespace ${name} (${errnoName(entered)}); needs CAP_SYS_ADMIN`);
  const mounted = ownRunFolder(arena, name);
  if (mounted !== null) return err(mounted);
  const failed = becomeProgram(arena, { argv, env, kept: KEPT_DESCRIPTORS });
  return err(`cannot start again inside net_namespace ${name}: ${errnoName(failed)}`);
}

/** Equal for the same namespace, by whatever path (namespaces(7)); null: there is none, or it may not be looked at. */
export function namespaceAt(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** As namespaceAt(), by the name that `ip netns` gives it. */
export const namespaceNamed = (name: string): string | null =>
  FOLDERS.map((folder) => namespaceAt(`${folder}/${name}`)).find((one) => one !== null) ?? null;

export function openNamespace(name: string): number | null {
  for (const folder of FOLDERS) {
    try {
      return openSync(`${folder}/${name}`, "r");
    } catch {
      // The next folder may have it.
    }
  }
  return null;
}

/** Null when it is there. */
function ownRunFolder(arena: Arena, name: string): string | null {
  const own = `${PID_FOLDER}/${name}`;
  try {
    mkdirSync(own, { recursive: true, mode: 0o755 });
  } catch (error) {
    return `cannot make ${own}: ${error instanceof Error ? error.message : String(error)}`;
  }
  const nothing = pointerTo(arena, "");
  const steps = [
    () => unshare(CLONE_NEWNS),
    // systemd makes every mount shared: ours must not show outside.
    () => mount(nothing, pointerTo(arena, "/"), 0, MS_REC | MS_SLAVE, 0),
    () => mount(pointerTo(arena, own), pointerTo(arena, PID_FOLDER), 0, MS_BIND, 0),
  ];
  for (const step of steps) {
    const result = step();
    if (result < 0) return `cannot give net_namespace ${name} its own ${PID_FOLDER} (${errnoName(result)})`;
  }
  return null;
}
