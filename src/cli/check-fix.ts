/**
 * `holdfast check --fix`: makes the corrections that are safe, shows them as a diff, and says what remains. Owns the refusals: corrections
 * that meet, and corrections after which another host would be master, prove itself otherwise or hold other addresses.
 */

import { applyFixes, diffOf, type Fix } from "../core/config/fix.ts";
import { whatMustNotChange } from "../core/config/fix-guard.ts";
import { type LoadedConfig, type LoadOptions, loadConfig } from "../core/config/load.ts";
import type { Diagnostic } from "../core/config/model.ts";
import { resolvePath } from "../core/config/paths.ts";
import type { ConfigSource } from "../core/config/source.ts";
import { printable } from "../core/lib/printable.ts";
import { ok, type Result } from "../core/lib/result.ts";

export interface FixIo {
  readonly source: ConfigSource;
  out(text: string): void;
  err(text: string): void;
  /** Puts the second text in the place of the first; the error says why the file stays as it was. */
  rewrite(path: string, before: string, after: string): Result<void, string>;
}

export interface FixOptions {
  readonly file: string;
  readonly dryRun: boolean;
  readonly load: LoadOptions;
}

interface Rewriting {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** False when something was refused; the text of the refusal has been written. */
export function runFix({ file, dryRun, load }: FixOptions, io: FixIo): boolean {
  const texts = new Map<string, string>();
  // What is corrected is what was checked: each file is read once.
  const source = remembering(io.source, texts);
  const loaded = loadConfig(source, file, load);
  const planned = plan(loaded, texts);
  if (!planned.ok) return refuse(io, planned.error);
  const corrected = new Map(planned.value.map(({ path, after }) => [path, after]));
  const then = loadConfig(overlaid(source, corrected), file, load);
  const changed = whatMustNotChange(loaded.config, then.config);
  if (changed !== null) return refuse(io, `the corrections would change ${changed}; that is for a person to decide`);
  const fixes = safeFixes(loaded.diagnostics).length;
  for (const { path, before, after } of planned.value)
    for (const line of diffOf(path, before, after)) io.out(printable(line));
  if (dryRun)
    io.out(
      `${count(fixes)} in ${planned.value.length} of ${loaded.files.size} files would be made; nothing is written`,
    );
  else if (!write(planned.value, io)) return false;
  else io.out(`${count(fixes)} made in ${planned.value.length} of ${loaded.files.size} files`);
  return true;
}

const count = (number: number): string => `${number} correction${number === 1 ? "" : "s"}`;

function refuse(io: FixIo, why: string): false {
  io.err(printable(`holdfast: nothing is corrected: ${why}`));
  return false;
}

const safeFixes = (diagnostics: readonly Diagnostic[]): readonly Fix[] =>
  diagnostics.flatMap(({ fix }) => (fix?.safe === true ? [fix] : []));

function plan(loaded: LoadedConfig, texts: ReadonlyMap<string, string>): Result<readonly Rewriting[], string> {
  const rewritings: Rewriting[] = [];
  for (const path of loaded.files.keys()) {
    const fixes = safeFixes(loaded.diagnostics).filter(({ span }) => span.file === path);
    const before = texts.get(path);
    if (fixes.length === 0 || before === undefined) continue;
    const after = applyFixes(before, fixes);
    if (!after.ok) return { ok: false, error: `${path}: ${after.error}` };
    rewritings.push({ path, before, after: after.value });
  }
  return ok(rewritings);
}

function write(rewritings: readonly Rewriting[], io: FixIo): boolean {
  for (const [index, { path, before, after }] of rewritings.entries()) {
    const written = io.rewrite(path, before, after);
    if (written.ok) continue;
    io.err(printable(`holdfast: ${written.error}`));
    const left = rewritings.slice(index).map((one) => one.path);
    io.err(printable(`          ${index} of ${rewritings.length} files were corrected; not: ${left.join(", ")}`));
    return false;
  }
  return true;
}

function remembering(source: ConfigSource, texts: Map<string, string>): ConfigSource {
  return {
    ...source,
    readFile: (path) => {
      const known = texts.get(path);
      if (known !== undefined) return ok(known);
      const text = source.readFile(path);
      if (text.ok) texts.set(path, text.value);
      return text;
    },
  };
}

/** The real files, but for those whose text is given. */
export function overlaid(source: ConfigSource, texts: ReadonlyMap<string, string>): ConfigSource {
  return {
    ...source,
    readFile: (path) => {
      const text = texts.get(resolvePath(path, source.workingDirectory));
      return text === undefined ? source.readFile(path) : ok(text);
    },
  };
}

/** What remains, for the report behind a dry run: the file as it would be. */
export function withoutSafe(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ fix }) => fix?.safe !== true);
}
