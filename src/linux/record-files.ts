/** Records as files of one directory, mode 0600: written beside, synced and renamed. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordFiles } from "../ports/record-files.ts";
import { createNoteFiles } from "./note-files.ts";

const ENDING = ".note";

export function createRecordFiles(directory: string): RecordFiles {
  const notes = createNoteFiles(directory, { durable: true });
  const pathOf = (name: string): string => join(directory, `${name}${ENDING}`);
  return {
    pathOf,
    async read(name) {
      try {
        return await readFile(pathOf(name), "utf8");
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        if (code === "ENOENT") return null;
        throw new Error(`${pathOf(name)} cannot be read: ${code}`);
      }
    },
    async write(name, text) {
      const failed = await notes.write(name, text);
      if (failed !== null) throw new Error(failed);
    },
    async count() {
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        return (await readdir(directory)).filter((name) => name.endsWith(ENDING)).length;
      } catch (error) {
        throw new Error(`${directory} cannot be used: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
    },
  };
}
