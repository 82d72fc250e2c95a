/** Files with the position of a server at a takeover: new, private, and on the disk before anything else happens. */
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { err, ok } from "../core/lib/result.ts";
import type { PositionFiles } from "../ports/takeover.ts";

export function createPositionFiles(): PositionFiles {
  return {
    async write(directory, name, text) {
      const path = join(directory, name);
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const file = await open(path, "wx", 0o600);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        const folder = await open(directory, "r");
        await folder.sync().finally(() => folder.close());
        return ok(path);
      } catch (error) {
        return err(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
    },
  };
}
