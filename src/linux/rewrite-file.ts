/**
 * Writes a corrected configuration file in the place of the old one: whole or not at all, with its mode and owner, and never over what
 * somebody changed since it was read.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";

/** The error says why the file stays as it was, and what to do. */
export function rewriteFile(path: string, before: string, after: string): Result<void, string> {
  try {
    // A symbolic link stays one.
    const real = realpathSync(path);
    const status = statSync(real);
    const obstacle = whyNot(real, status, before);
    if (obstacle !== null) return err(`${path} ${obstacle}`);
    replace(real, status, { before, after });
    return ok(undefined);
  } catch (error) {
    return err(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function whyNot(real: string, status: Stats, before: string): string | null {
  if (!status.isFile()) return "is not a regular file; correct it by hand";
  if (status.nlink > 1) return "has several names (hard links), and only one would be corrected; correct it by hand";
  const bytes = readFileSync(real);
  if (bytes.equals(Buffer.from(before))) return null;
  return bytes.toString("utf8") === before
    ? "is not UTF-8, and bytes would be lost; correct it by hand"
    : "has changed since it was read; run the command again";
}

function replace(
  real: string,
  status: Stats,
  { before, after }: { readonly before: string; readonly after: string },
): void {
  const draft = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString("hex")}`);
  const file = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    try {
      const bytes = Buffer.from(after);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      // The owner first: a change of it takes set-id bits away.
      fchownSync(file, status.uid, status.gid);
      fchmodSync(file, status.mode & 0o7777);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const changed = whyNot(real, statSync(real), before);
    if (changed !== null) throw new Error(`it ${changed}`);
    renameSync(draft, real);
  } catch (error) {
    unlinkSync(draft);
    throw error;
  }
  const folder = openSync(dirname(real), constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
