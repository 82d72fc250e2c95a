/**
 * `holdfast check` and `holdfast -t`: reads a configuration and says what is wrong with it. Owns wording of the
 * summary and the exit codes; the real files and the streams are handed in.
 */

import { budgetLines, budgets } from "../core/config/budget.ts";
import { failsConfigTest } from "../core/config/codes.ts";
import { comparePair } from "../core/config/compare-pair.ts";
import { renderDiagnostic, worst } from "../core/config/diagnostics.ts";
import { ALL_CHECKS } from "../core/config/include-check.ts";
import type { LoadedConfig, LoadOptions } from "../core/config/load.ts";
import { loadConfig } from "../core/config/load.ts";
import type { Diagnostic, Severity } from "../core/config/model.ts";
import type { ConfigSource } from "../core/config/source.ts";
import { printable } from "../core/lib/printable.ts";
import { type FixIo, runFix, withoutSafe } from "./check-fix.ts";
import { type CheckFormat, renderAs } from "./check-formats.ts";
import { rulePage, rulePages, rulePath } from "./rule-pages.ts";

export interface CheckIo {
  readonly source: ConfigSource;
  /** For `--fix`. */
  readonly rewrite?: FixIo["rewrite"];
  /** Each call is one or more whole lines without the last newline. */
  out(text: string): void;
  err(text: string): void;
}

export interface CheckOptions {
  readonly file: string;
  /** Warnings count as errors. */
  readonly strict?: boolean;
  /** The other host's file, to compare with. */
  readonly peer?: string;
  readonly json?: boolean;
  /** Instead of text for people. */
  readonly format?: CheckFormat;
  /** Make the safe corrections first; `dry` shows them only. */
  readonly fix?: "write" | "dry";
  /** `-i`, instead of the host name up to its first dot. */
  readonly configId?: string;
  /** `-e`: every include must find its file. */
  readonly allConfig?: boolean;
  /** What is wrong with the command line. */
  readonly problems?: readonly string[];
}

const loadOptions = ({ configId, allConfig }: CheckOptions): LoadOptions => ({
  ...(configId === undefined ? {} : { configId }),
  ...(allConfig === true ? { includeCheck: ALL_CHECKS } : {}),
});

const load = (options: CheckOptions, io: CheckIo): LoadedConfig =>
  loadConfig(io.source, options.file, loadOptions(options));

/** Exit code 0 when nothing is worse than a warning, else 1. */
export function runCheck(options: CheckOptions, io: CheckIo): number {
  const { fix } = options;
  if (fix !== undefined && !corrects(options, io)) return 1;
  const read = withPeer(load(options, io), options, io);
  const loaded = fix === "dry" ? { ...read, diagnostics: withoutSafe(read.diagnostics) } : read;
  const found = worst(loaded.diagnostics);
  const exit = found === "error" || (found === "warning" && options.strict === true) ? 1 : 0;
  if (options.json === true) io.out(JSON.stringify(asJson(options.file, exit, loaded)));
  else if (options.format !== undefined) io.out(renderAs(options.format, loaded.diagnostics, rulePages()));
  else forPeople(options.file, loaded, io);
  return exit;
}

function corrects(options: CheckOptions, io: CheckIo): boolean {
  const { file, fix } = options;
  const { rewrite } = io;
  if (rewrite === undefined) throw new Error("check --fix needs a way to write files");
  return runFix({ file, dryRun: fix === "dry", load: loadOptions(options) }, { ...io, rewrite });
}

function forPeople(file: string, loaded: LoadedConfig, io: CheckIo): void {
  for (const diagnostic of loaded.diagnostics) io.out(renderDiagnostic(diagnostic, loaded.files));
  const page = loaded.diagnostics.length === 0 ? null : rulePath(rulePages(), "CODE");
  if (page !== null) io.out(`each [CODE] has a page: ${page}`);
  io.out(summary(file, loaded));
  if (loaded.readable) for (const line of budgetLines(loaded.config)) io.out(line);
}

/** What the other host's file says that does not fit, behind the findings of this one. */
function withPeer(own: LoadedConfig, options: CheckOptions, io: CheckIo): LoadedConfig {
  if (options.peer === undefined) return own;
  const peer = load({ ...options, file: options.peer }, io);
  const compared = peer.readable && own.readable ? comparePair(own.config, peer.config) : [];
  const diagnostics = [...own.diagnostics, ...peer.diagnostics, ...compared];
  return { ...own, diagnostics, files: new Map([...own.files, ...peer.files]) };
}

const count = (diagnostics: readonly Diagnostic[], severity: Severity): number =>
  diagnostics.filter((one) => one.severity === severity).length;

const plural = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

function summary(file: string, loaded: LoadedConfig): string {
  const { config, diagnostics } = loaded;
  const parts = [plural(count(diagnostics, "error"), "error"), plural(count(diagnostics, "warning"), "warning")];
  const contents = `${plural(config.instances.length, "instance")}, ${plural(config.scripts.length, "check script")}`;
  return `${file}: ${parts.join(", ")}; ${contents}`;
}

function asJson(file: string, exit: number, loaded: LoadedConfig): object {
  const pages = rulePages();
  return {
    file,
    exit,
    files: [...loaded.files.keys()],
    errors: count(loaded.diagnostics, "error"),
    warnings: count(loaded.diagnostics, "warning"),
    budget: budgets(loaded.config),
    instances: loaded.config.instances.map((instance) => instance.vrrp.name),
    diagnostics: loaded.diagnostics.map(({ code, severity, span, message, remedy, fix }) => ({
      code,
      severity,
      ...span,
      message,
      remedy,
      fix: fix ?? null,
      page: rulePage(pages, code),
    })),
  };
}

/** What keepalived -t really returns, which is not what its manual says. */
export const CONFIG_TEST_EXIT = { ok: 0, cannotRun: 4, errors: 5, security: 6 } as const;

/** `-t`: one line per problem on standard error, exit code 0, 4, 5 or 6. */
export function runConfigTest(options: CheckOptions, io: CheckIo): number {
  const loaded = load(options, io);
  const counted = loaded.diagnostics.filter((one) => failsConfigTest(one.code));
  const problems = options.problems ?? [];
  for (const problem of problems) io.err(problem);
  for (const diagnostic of loaded.diagnostics) {
    if (diagnostic.severity !== "info") io.err(configTestLine(diagnostic));
  }
  if (!loaded.readable) return CONFIG_TEST_EXIT.cannotRun;
  // keepalived: a script that root would run decides over everything else.
  if (counted.some((one) => one.code === "script-security")) return CONFIG_TEST_EXIT.security;
  return counted.length + problems.length > 0 ? CONFIG_TEST_EXIT.errors : CONFIG_TEST_EXIT.ok;
}

/** keepalived's form, so that tools which read it go on working. */
function configTestLine(diagnostic: Diagnostic): string {
  const place = diagnostic.span === null ? "" : `(${diagnostic.span.file}: Line ${diagnostic.span.line}) `;
  const remedy = diagnostic.remedy === null ? "" : `; ${diagnostic.remedy}`;
  return printable(`${place}${diagnostic.message}${remedy}`);
}
