/**
 * The one way from a path to a configuration, for start, reload, `check` and the config test alike. It never throws
 * and never stops at the first problem; the caller decides what a diagnostic is worth.
 */

import { compile } from "./compile.ts";
import { createDiagnostics } from "./diagnostics.ts";
import { lint } from "./lint.ts";
import type { Diagnostic, HoldfastConfig } from "./model.ts";
import type { ReadOptions } from "./reader.ts";
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
}

export function loadConfig(source: ConfigSource, path: string, options: LoadOptions = {}): LoadedConfig {
  const diagnostics = createDiagnostics();
  const read = readConfig(source, path, diagnostics, options);
  const tree = buildTree(read.lines, diagnostics);
  const config = compile(tree, diagnostics);
  if (options.lint !== false) lint(config, source, diagnostics);
  return { config, diagnostics: diagnostics.list, files: read.files, readable: read.readable };
}
