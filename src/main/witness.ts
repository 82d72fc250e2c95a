/**
 * `holdfast witness`: the third vote on a host that has neither the databases nor the address. It needs no privilege but its directory. One process for
 * each directory: two with one would give one record to two hosts.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { EXIT } from "../cli/exit-codes.ts";
import type { WitnessOptions } from "../cli/witness-options.ts";
import { WitnessRecords } from "../control/witness/records.ts";
import { Witness } from "../control/witness/serving.ts";
import { renderDiagnostic } from "../core/config/diagnostics.ts";
import { loadConfig } from "../core/config/load.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { WitnessConfig } from "../core/quorum/config.ts";
import { createArena } from "../linux/arena.ts";
import { createConfigSource } from "../linux/config-source.ts";
import { takePidFile } from "../linux/pid-file.ts";
import { createRecordFiles } from "../linux/record-files.ts";
import { openServiceManager } from "../linux/sd-notify.ts";

type Level = "info" | "warning" | "error";

export interface WitnessIo {
  readonly version: string;
  /** A whole line without its newline. */
  readonly line: (text: string) => void;
}

/** Until TERM or INT; the exit code. */
export async function runWitness({ file, stateDir }: WitnessOptions, { version, line }: WitnessIo): Promise<number> {
  const log = (level: Level, text: string): void =>
    line(`${new Date().toISOString()} holdfast witness: ${level === "info" ? "" : `${level}: `}${text}`);
  const config = readWitness(file, log);
  if (!config.ok) return endWith(log, config.error);
  const directory = join(stateDir, "witness");
  const pidFile = takeDirectory(directory);
  if (!pidFile.ok) return endWith(log, pidFile.error);
  const manager = openServiceManager(createArena(64 * 1_024), process.env, process.pid);
  const witness = new Witness({
    config: config.value,
    myself: { host: hostname(), version, boot: randomUUID() },
    records: new WitnessRecords(createRecordFiles(directory)),
    log,
    onListening: () => manager.tell("READY=1"),
  });
  const reload = (): void => {
    const again = readWitness(file, log);
    if (again.ok) witness.configure(again.value);
    log(again.ok ? "info" : "error", again.ok ? `${file} is read again` : `${again.error}; nothing has changed`);
  };
  process.on("SIGHUP", reload);
  await ended();
  process.off("SIGHUP", reload);
  manager.tell("STOPPING=1");
  witness.close();
  pidFile.value.release();
  log("info", "stopped");
  return EXIT.ok;
}

function endWith(log: (level: Level, text: string) => void, why: string): number {
  log("error", why);
  return EXIT.failed;
}

function readWitness(file: string, log: (level: Level, text: string) => void): Result<WitnessConfig, string> {
  const { config, diagnostics, files, readable } = loadConfig(createConfigSource(), file, {});
  // A finding says itself how grave it is.
  for (const one of diagnostics) if (one.severity !== "info") log("info", renderDiagnostic(one, files));
  if (!readable) return err(`${file} cannot be read`);
  if (diagnostics.some(({ severity }) => severity === "error")) return err(`${file} has errors`);
  return config.witness === null
    ? err(`${file} has no block witness { listen ADDRESS; key ID file:/PATH; client ADDRESS... }`)
    : ok(config.witness);
}

function takeDirectory(directory: string): ReturnType<typeof takePidFile> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`${directory} cannot be made: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const taken = takePidFile(join(directory, "witness.pid"), process.pid);
  if (taken.ok && taken.value.problem === null) return taken;
  const why = taken.ok ? taken.value.problem : "another process has it";
  if (taken.ok) taken.value.release();
  const remedy = "it has to be writable and of one witness alone; --state-dir names another one";
  return err(`${directory} cannot be used (${why}): ${remedy}`);
}

const ended = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
