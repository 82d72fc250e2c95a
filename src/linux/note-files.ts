/** Notes as files of one directory, mode 0600: written beside and renamed. */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Notes } from "../ports/notes.ts";

/** `durable`: also on the disk; without it they are gone with a crash of the host, as they should be below /run. */
export function createNoteFiles(directory: string, { durable }: { readonly durable: boolean }): Notes {
  const pathOf = (name: string): string => join(directory, `${name.replaceAll(/[^\w.-]/g, "_")}.note`);
  return {
    read: (name) => readFile(pathOf(name), "utf8").catch(() => null),
    async write(name, text) {
      const path = pathOf(name);
      const beside = `${path}.new`;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const file = await open(beside, "w", 0o600);
        await file
          .writeFile(text)
          .then(() => (durable ? file.sync() : undefined))
          .finally(() => file.close());
        await rename(beside, path);
        if (!durable) return null;
        const folder = await open(directory, "r");
        await folder.sync().finally(() => folder.close());
        return null;
      } catch (error) {
        return `${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
      }
    },
    remove: (name) => rm(pathOf(name), { force: true }).catch(() => undefined),
  };
}
