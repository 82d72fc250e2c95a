/** Copies of data sets beside the original: named by the time, mode 0600, on the disk before anybody hears of them. */
import { constants } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { err, ok } from "../core/lib/result.ts";
import type { DataCopies } from "../ports/redis.ts";

export function createDataCopies(wallMillis: () => number): DataCopies {
  return {
    async keep(path) {
      const time = new Date(wallMillis()).toISOString().replaceAll(":", "-");
      const copy = `${path}.holdfast-${time}`;
      try {
        // Where the file system can share blocks the copy costs none.
        await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        const file = await open(copy, "r+");
        await file
          .chmod(0o600)
          .then(() => file.sync())
          .finally(() => file.close());
        return ok(copy);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return err(`${copy} cannot be written: ${code ?? String(error)}`);
      }
    },
  };
}
