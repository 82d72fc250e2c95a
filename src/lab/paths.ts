/** Where the project's own files lie, equal for sources and build, because both are two folders below the root. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Check scripts, hooks, templates. */
export const LAB_DATA = join(PROJECT_ROOT, "lab");

/** What bin/holdfast starts (tools/bundle.mjs). */
export const HOLDFAST_PROGRAM = join(PROJECT_ROOT, "dist/bundle/holdfast.js");

/** What is installed as `holdfast`. */
export const HOLDFAST_LAUNCHER = join(PROJECT_ROOT, "bin/holdfast");

export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast");
}
