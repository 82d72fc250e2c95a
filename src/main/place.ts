/**
 * Where this daemon lives: in which network namespace, with which pid files, socket and state, under which name in the log. The
 * file's net_namespace, instance and use_pid_dir move the defaults; what the command line names stays.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions } from "../cli/run-options.ts";
import {
  DEFAULT_CHECKERS_PID_FILE,
  DEFAULT_PID_FILE,
  DEFAULT_SOCKET,
  DEFAULT_STATE_DIR,
  DEFAULT_VRRP_PID_FILE,
} from "../control/contract/types.ts";
import type { PlaceConfig } from "../core/config/model.ts";
import type { Arena } from "../linux/arena.ts";
import { continueInNamespace, PID_FOLDER } from "../linux/net-namespace.ts";
import { ignoreRealtimeSignals } from "../linux/process.ts";

/** Set in the process that has moved, so that it does not move again. */
const MOVED = "HOLDFAST_NETNS";

/** For a program that begins anew where it is. */
export const stayingEnvironment = (name: string | null): Readonly<Record<string, string>> =>
  name === null ? {} : { [MOVED]: name };

/** Null: we are where we belong. Otherwise why we cannot get there; when it works it does not come back. */
export function moveIntoNamespace(
  arena: Arena,
  name: string | null,
  env: Readonly<Record<string, string>>,
): string | null {
  const here = process.env[MOVED];
  delete process.env[MOVED];
  if (name === null || here === name) return null;
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // Ignored is what the process that begins anew inherits: it must not be ended by one before it has taken them.
  ignoreRealtimeSignals();
  const moved = continueInNamespace(arena, { name, argv, env: { ...process.env, ...env, [MOVED]: name } });
  return moved.ok ? null : moved.error;
}

/** Name in the log, umask, and the options with their paths. */
export function moveIn(options: RunOptions, place: PlaceConfig, log: { rename(suffix: string): void }): RunOptions {
  log.rename(identSuffix(place));
  if (place.umask !== null) process.umask(place.umask);
  const moved = placed(options, place);
  if (moved.pidFile !== options.pidFile) makeFolder(PID_FOLDER);
  return moved;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch {
    // Taking the pid file says what is wrong with it and what to do.
  }
}

function placed(options: RunOptions, { netNamespace, instance, usePidDir }: PlaceConfig): RunOptions {
  if (netNamespace === null && instance === null && !usePidDir) return options;
  const suffix = instance === null ? "" : `_${instance}`;
  const state = [netNamespace, instance].filter((name) => name !== null);
  const moved = <T>(value: T, fallback: T, elsewhere: T): T => (value === fallback ? elsewhere : value);
  return {
    ...options,
    pidFile: moved(options.pidFile, DEFAULT_PID_FILE, join(PID_FOLDER, `keepalived${suffix}.pid`)),
    vrrpPidFile: moved(options.vrrpPidFile, DEFAULT_VRRP_PID_FILE, join(PID_FOLDER, `vrrp${suffix}.pid`)),
    checkersPidFile: moved(
      options.checkersPidFile,
      DEFAULT_CHECKERS_PID_FILE,
      join(PID_FOLDER, `checkers${suffix}.pid`),
    ),
    socketPath: moved(options.socketPath, DEFAULT_SOCKET, join(PID_FOLDER, `holdfast${suffix}.sock`)),
    stateDir: moved(options.stateDir, DEFAULT_STATE_DIR, join(DEFAULT_STATE_DIR, ...state)),
  };
}

/** What keepalived appends to its idents. */
const identSuffix = ({ netNamespace, instance }: PlaceConfig): string =>
  [netNamespace, instance].map((name) => (name === null ? "" : `_${name}`)).join("");
