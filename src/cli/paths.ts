/**
 * Where the daemon's socket and state are. With a pid file elsewhere than the default both lie beside it, so that several daemons
 * live side by side; the daemon and the commands use this one rule.
 */
import { dirname, join, resolve } from "node:path";
import { DEFAULT_PID_FILE, DEFAULT_SOCKET, DEFAULT_STATE_DIR, SOCKET_NAME } from "../control/contract/types.ts";

export interface PlaceOptions {
  readonly socket?: string | undefined;
  readonly pid?: string | undefined;
  readonly stateDir?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const besides = (pidFile: string | undefined): string | null =>
  pidFile === undefined || resolve(pidFile) === DEFAULT_PID_FILE ? null : dirname(resolve(pidFile));

/** --socket, then -p, then HOLDFAST_SOCKET, then the default. */
export function socketPath(options: PlaceOptions, env: Environment): string {
  if (options.socket !== undefined) return resolve(options.socket);
  const folder = besides(options.pid);
  if (folder !== null) return join(folder, SOCKET_NAME);
  return env.HOLDFAST_SOCKET ?? DEFAULT_SOCKET;
}

export function stateDirectory(options: PlaceOptions): string {
  if (options.stateDir !== undefined) return resolve(options.stateDir);
  return besides(options.pid) ?? DEFAULT_STATE_DIR;
}
