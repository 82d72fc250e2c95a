/**
 * Copies of data sets beside the original: named by the time, mode 0600, on the disk before anybody hears of them. Each has its name only when it is whole,
 * so a daemon that is killed meanwhile leaves nothing that looks like one.
 */
import { constants } from "node:fs";
import { copyFile, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { err, ok } from "../core/lib/result.ts";
import type { DataCopies } from "../ports/redis.ts";

export function createDataCopies(wallMillis: () => number): DataCopies {
  return {
    async keep(path) {
      const time = new Date(wallMillis()).toISOString().replaceAll(":", "-");
      const copy = `${path}.holdfast-${time}`;
      const part = `${path}.holdfast.part`;
      try {
        // Of one that was killed.
        await rm(part, { force: true });
        // Where the file system can share blocks the copy costs none.
        await copyFile(path, part, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        await synced(part, (file) => file.chmod(0o600));
        await rename(part, copy);
        await synced(dirname(copy));
        return ok(copy);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return err(`${copy} cannot be written: ${code ?? String(error)}`);
      }
    },
  };
}

async function synced(path: string, before?: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, "r");
  try {
    await before?.(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
