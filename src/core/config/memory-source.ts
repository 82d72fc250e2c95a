/** A ConfigSource made of a map, for tests and for the simulator. */

import { err, ok } from "../lib/result.ts";
import { expandBraces, resolvePath } from "./paths.ts";
import type { ConfigSource } from "./source.ts";

export function memorySource(
  files: Readonly<Record<string, string>>,
  overrides: Partial<ConfigSource> = {},
): ConfigSource {
  const matches = (pattern: string): readonly string[] => {
    const source = pattern
      .replace(/[.+^$()|\\]/g, "\\$&")
      .replace(/\*/g, "[^/]*")
      .replace(/\?/g, "[^/]");
    const expression = expressionOf(source);
    return Object.keys(files)
      .filter((path) => expression?.test(path))
      .sort();
  };
  return {
    readFile: (path) => (Object.hasOwn(files, path) ? ok(files[path] ?? "") : err("ENOENT")),
    glob: (pattern, directory) => expandBraces(pattern).flatMap((one) => matches(resolvePath(one, directory))),
    script: (path) => ({ path, file: { kind: "file", mode: 0o755, uid: 0, gid: 0 }, writableByOthers: null }),
    env: () => null,
    hostname: "node-a.example",
    workingDirectory: "/",
    random: (min) => min,
    hasInterface: () => null,
    hasUser: () => null,
    hasGroup: () => null,
    hasProcessor: () => null,
    ...overrides,
  };
}

/** Null when a bracket is never closed or a range runs backwards: such a pattern matches nothing. */
function expressionOf(source: string): RegExp | null {
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return null;
  }
}
