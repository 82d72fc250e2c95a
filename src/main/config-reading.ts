/**
 * Reads the configuration for start and reload, with what goes along: the interlock file of reload_file, the copies of
 * config_save_dir, findings into the log. Decides what a finding is worth at a reload.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunOptions } from "../cli/run-options.ts";
import { renderDiagnostic } from "../core/config/diagnostics.ts";
import { ALL_CHECKS } from "../core/config/include-check.ts";
import { type KeptBlocks, NOTHING_KEPT } from "../core/config/kept-blocks.ts";
import { type LoadedConfig, loadConfig } from "../core/config/load.ts";
import type { ReloadSettings } from "../core/config/model.ts";
import { partOf } from "../core/config/subsystems.ts";
import { isoTime } from "../core/events/log-line.ts";
import type { ParsedConfig } from "../engine/control-process.ts";
import { createConfigSource } from "../linux/config-source.ts";
import { writeDumpFile } from "../linux/dump-file.ts";
import type { LogWriter } from "./log-writer.ts";

export type ReadingOptions = Pick<RunOptions, "file" | "configId" | "allConfig" | "pidFile" | "subsystems">;

/** What is to run of the file; findings are those of the whole. */
export function load({ file, configId, allConfig, subsystems }: ReadingOptions, kept = NOTHING_KEPT): LoadedConfig {
  const loaded = loadConfig(createConfigSource(), file, {
    ...(configId === null ? {} : { configId }),
    ...(allConfig ? { includeCheck: ALL_CHECKS } : {}),
    kept,
  });
  return { ...loaded, config: partOf(loaded.config, subsystems) };
}

export const hasErrors = ({ diagnostics }: LoadedConfig): boolean =>
  diagnostics.some(({ severity }) => severity === "error");

/** At a reload an error refuses the file; at the start the rest of it is run, as keepalived does. */
export function toParsed(options: Pick<ReadingOptions, "file">, loaded: LoadedConfig): ParsedConfig {
  const { config, diagnostics, readable } = loaded;
  const why = errorsInWords(loaded);
  return { config, diagnostics, unusable: readable ? why : `the configuration ${options.file} cannot be read` };
}

function errorsInWords({ diagnostics }: LoadedConfig): string | null {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined) return null;
  const at = first.span === null ? "" : `${first.span.file}:${first.span.line}: `;
  return `${errors.length} error(s) in the configuration, the first: ${at}${first.message}`;
}

/** A daemon that runs looks as if its file were good: its next change would be refused, perhaps in the night. */
export function startedDespite(loaded: LoadedConfig): string | null {
  const why = errorsInWords(loaded);
  return why === null
    ? null
    : `Started without the lines that are wrong; every reload will be refused until they are corrected: ${why}`;
}

export function logDiagnostics(log: LogWriter, loaded: LoadedConfig): void {
  for (const diagnostic of loaded.diagnostics) {
    if (diagnostic.severity === "info") continue;
    log.line("parent", renderDiagnostic(diagnostic, loaded.files), diagnostic.severity);
  }
}

interface Rereading {
  readonly log: LogWriter;
  /** Those in force, because the new ones are not known yet. */
  readonly settings: () => ReloadSettings;
}

/** A reload's reading of the file whose first one was this; each spares the next what has not changed. */
export function rereading(
  options: ReadingOptions,
  first: Pick<LoadedConfig, "kept">,
  { log, settings }: Rereading,
): () => ParsedConfig {
  let { kept } = first;
  return () => {
    const loaded = readAgain(options, settings(), { log, kept });
    kept = loaded.kept;
    return toParsed(options, loaded);
  };
}

function readAgain(
  options: ReadingOptions,
  settings: ReloadSettings,
  { log, kept }: { readonly log: LogWriter; readonly kept: KeptBlocks },
): LoadedConfig {
  const unlock = lock(interlockPath(options, settings), log);
  try {
    const loaded = load(options, kept);
    logDiagnostics(log, loaded);
    if (settings.findingsFile !== null) noteFindings(settings.findingsFile, loaded, log);
    if (settings.saveDirectory !== null) save(settings.saveDirectory, loaded, log);
    return loaded;
  } finally {
    unlock();
  }
}

function interlockPath({ pidFile }: ReadingOptions, { file }: ReloadSettings): string | null {
  return file === "" ? join(dirname(pidFile), "keepalived.reload") : file;
}

/** Creates or empties the file; whoever writes the configuration sees by it that we have begun, and that we are done. */
function lock(path: string | null, log: LogWriter): () => void {
  if (path === null) return () => undefined;
  try {
    closeSync(openSync(path, "w", 0o644));
  } catch (error) {
    log.line(
      "parent",
      `reload_file ${path} cannot be made: ${(error as Error).message}; the reload goes on`,
      "warning",
    );
  }
  return () => {
    try {
      unlinkSync(path);
    } catch {
      // It could not be made, or somebody took it away: there is nothing left to undo.
    }
  };
}

/** keepalived's is empty, too, when nothing is wrong. */
function noteFindings(path: string, { diagnostics, files }: LoadedConfig, log: LogWriter): void {
  const findings = diagnostics.filter(({ severity }) => severity !== "info");
  const written = writeDumpFile(path, findings.map((finding) => `${renderDiagnostic(finding, files)}\n`).join(""));
  if (!written.ok) log.line("parent", `reload_check_config: ${written.error}`, "warning");
}

/** One file with all that was read, for whoever wonders later what the daemon saw. */
function save(directory: string, { files }: LoadedConfig, log: LogWriter): void {
  const stamp = isoTime(Date.now()).replaceAll(":", "");
  const text = [...files].map(([path, lines]) => `# ${path}\n${lines.join("\n")}\n`).join("\n");
  const written = writeDumpFile(join(directory, `keepalived.conf.${stamp}`), text);
  if (!written.ok) log.line("parent", `config_save_dir: ${written.error}`, "warning");
}
