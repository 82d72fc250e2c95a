/**
 * Writes a dump so that a reader sees the old file or the whole new one: a new file beside it, then rename(2). The folder may be
 * /tmp, where everybody may write: the new file is made with O_EXCL and never through a link, and a link by the dump's
 * own name is replaced, not followed. Mode 0600, as keepalived's, because configurations say much about a host. Nothing is forced
 * to the disk: a dump need not outlive the host, and control must not wait for a disk that hangs.
 */
import { closeSync, constants, lstatSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { err, ok, type Result } from "../core/lib/result.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

let serial = 0;

/** The error is a sentence with the remedy; the old file is still there then. */
export function writeDumpFile(path: string, text: string): Result<void, string> {
  if (isDevice(path)) return ok(undefined);
  serial += 1;
  const fresh = `${path}.${process.pid}-${serial}`;
  let made = false;
  try {
    const descriptor = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    made = true;
    try {
      writeAll(descriptor, Buffer.from(text));
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, path);
    return ok(undefined);
  } catch (error) {
    if (made) removeQuietly(fresh);
    return err(inWords(path, error as NodeJS.ErrnoException));
  }
}

/** /dev/null: nobody wants the text, and a file in its place would break the host. */
function isDevice(path: string): boolean {
  try {
    return lstatSync(path).isCharacterDevice();
  } catch {
    return false;
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // A folder that has vanished took it along.
  }
}

function inWords(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return `${path} cannot be written: the disk is full; free some space, the file of before is still there`;
    case "ENOENT":
    case "ENOTDIR":
      return `${path} cannot be written: its folder does not exist; create it, or name another file`;
    default:
      return `${path} cannot be written: ${error.code ?? error.message}; make its folder writable, or name another file`;
  }
}
