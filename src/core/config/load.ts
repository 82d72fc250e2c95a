/**
 * The one way from a path to a configuration, for start, reload, `check` and the config test alike. It never throws
 * and never stops at the first problem; the caller decides what a diagnostic is worth.
 */

import { hideTokens, secretTokens } from "../lib/secrets.ts";
import { BlockKeeper } from "./block-keeper.ts";
import { compile } from "./compile.ts";
import { createDiagnostics } from "./diagnostics.ts";
import { settleFix } from "./fix.ts";
import { type KeptBlocks, NOTHING_KEPT } from "./kept-blocks.ts";
import { lint } from "./lint.ts";
import type { Diagnostic, HoldfastConfig } from "./model.ts";
import type { ReadOptions, ReadResult } from "./reader.ts";
import { readConfig } from "./reader.ts";
import type { ConfigSource } from "./source.ts";
import { buildTree } from "./tree.ts";

export interface LoadOptions extends ReadOptions {
  /** False leaves out what only a person wants to know. */
  readonly lint?: boolean;
}

export interface LoadedConfig {
  readonly config: HoldfastConfig;
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, with its lines. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** False when the main file could not be read; config is empty then. */
  readonly readable: boolean;
  /** For `kept` of the next reading, which is the same with it and shorter. */
  readonly kept: KeptBlocks;
}

export function loadConfig(source: ConfigSource, path: string, options: LoadOptions = {}): LoadedConfig {
  const diagnostics = createDiagnostics();
  const read = readConfig(source, path, diagnostics, options);
  const tree = buildTree(read.lines, diagnostics);
  const keeper = new BlockKeeper(options.kept ?? NOTHING_KEPT, read.files);
  const config = compile(tree, { source, diagnostics, keeper });
  // A block that was not read and is not where it was in the tree, or among other settings: all of it anew.
  if (keeper.reused < read.skipped) return loadConfig(source, path, { ...options, kept: NOTHING_KEPT });
  if (options.lint !== false) lint(config, source, diagnostics);
  return {
    config,
    diagnostics: withFixes(withoutSecrets(diagnostics.list, read), read),
    files: read.files,
    readable: read.readable,
    kept: keeper.kept,
  };
}

/** Keeps the corrections whose place says in the file what the reader saw there. */
function withFixes(list: readonly Diagnostic[], read: ReadResult): readonly Diagnostic[] {
  return list.map((one) => {
    if (one.fix === undefined) return one;
    const { fix, ...rest } = one;
    const settled = settleFix(fix, read.files.get(fix.span.file));
    return settled === null ? rest : { ...rest, fix: settled };
  });
}

/** Messages quote words of their line; those that are secret, as they stand in the file or expanded, are hidden in one place. */
function withoutSecrets(list: readonly Diagnostic[], read: ReadResult): readonly Diagnostic[] {
  if (list.length === 0) return list;
  const place = (file: string, line: number): string => `${line} ${file}`;
  const texts = new Map<string, string[]>();
  const numbers = new Set<number>();
  for (const { span } of list) {
    if (span === null) continue;
    texts.set(place(span.file, span.line), [read.files.get(span.file)?.[span.line - 1] ?? ""]);
    numbers.add(span.line);
  }
  for (const { file, line, text } of read.lines) {
    if (numbers.has(line)) texts.get(place(file, line))?.push(text.text);
  }
  const secrets = new Map([...texts].map(([at, lines]) => [at, secretTokens(lines)]));
  return list.map((one) => {
    const tokens = one.span === null ? undefined : secrets.get(place(one.span.file, one.span.line));
    if (tokens === undefined || tokens.size === 0) return one;
    const remedy = one.remedy === null ? null : hideTokens(one.remedy, tokens);
    return { ...one, message: hideTokens(one.message, tokens), remedy };
  });
}
