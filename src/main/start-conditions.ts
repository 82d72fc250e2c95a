/** What a daemon needs before it begins: a usable file, its pid files, its place; and what the process is set to. */
import { mkdirSync } from "node:fs";
import type { RunOptions } from "../cli/run-options.ts";
import type { LoadedConfig } from "../core/config/load.ts";
import type { HoldfastConfig, PlaceConfig } from "../core/config/model.ts";
import { ok } from "../core/lib/result.ts";
import type { Arena } from "../linux/arena.ts";
import { findSetpriv } from "../linux/death-signal.ts";
import { type PidFile, takePidFile } from "../linux/pid-file.ts";
import { allowCoreDumps, setProcessName } from "../linux/process.ts";
import { hasErrors } from "./config-reading.ts";
import type { LogWriter } from "./log-writer.ts";

/** Exit codes as keepalived's: 1 fatal, 2 configuration, 6 no configuration. */
export const EXIT = { ok: 0, fatal: 1, config: 2, noConfig: 6 } as const;

const NO_SETPRIV =
  "setpriv is missing: checks and hooks that run while this process is killed would live on and may act beside the new " +
  "master; install util-linux, then restart";

/** -s and -u count more than net_namespace and umask of the file. */
export function placeOf({ namespace, umask }: RunOptions, { config }: LoadedConfig): PlaceConfig {
  const { place } = config.global;
  return { ...place, netNamespace: namespace ?? place.netNamespace, umask: umask ?? place.umask };
}

export function setprivOrWarning(log: LogWriter): string | null {
  const found = findSetpriv();
  if (found === null) log.line("parent", NO_SETPRIV, "warning");
  return found;
}

/** Its name in process lists, and -m. */
export function setUpProcess(
  { coreDump }: RunOptions,
  { config }: LoadedConfig,
  { arena, log }: { readonly arena: Arena; readonly log: LogWriter },
): void {
  const { control: name } = config.global.processNames;
  if (name !== null) setProcessName(arena, name);
  const allowed = coreDump ? allowCoreDumps(arena) : ok(undefined);
  if (!allowed.ok) log.line("parent", `cannot ${allowed.error.what}: ${allowed.error.errno}`, "warning");
}

/** Ours and, where asked for, those by the names that monitoring looks for; all name control. */
export function takePidFiles(options: RunOptions, { lvs }: HoldfastConfig): readonly PidFile[] | string {
  const taken: PidFile[] = [];
  const vrrp = options.subsystems.vrrp ? options.vrrpPidFile : null;
  const checkers = lvs.servers.length > 0 ? options.checkersPidFile : null;
  for (const path of [options.pidFile, vrrp, checkers]) {
    if (path === null) continue;
    const file = takePidFile(path, process.pid);
    if (!file.ok) {
      for (const other of taken) other.release();
      return file.error;
    }
    taken.push(file.value);
  }
  try {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  } catch {
    // The journal says what is wrong with it and what to do.
  }
  return taken;
}

export function logEmptyPidFiles(log: LogWriter, pidFiles: readonly PidFile[]): void {
  for (const { problem } of pidFiles) if (problem !== null) log.line("parent", problem);
}

export function whyUnfit(
  parsed: LoadedConfig,
  file: string,
): { readonly problem: string; readonly code: number } | null {
  if (!parsed.readable) return { problem: `the configuration ${file} cannot be read`, code: EXIT.noConfig };
  const { instances, lvs } = parsed.config;
  if (instances.length > 0 || lvs.servers.length > 0 || !hasErrors(parsed)) return null;
  const problem = `${file} holds no usable vrrp_instance; the lines above say what to correct`;
  return { problem, code: EXIT.config };
}
