/** One small file for each fenced server in the state directory; its name is the block's, encoded. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { err, ok } from "../core/lib/result.ts";
import type { FenceMarks } from "../ports/takeover.ts";

const PREFIX = "fenced-";

export function createFenceMarks(directory: string): FenceMarks {
  const pathOf = (name: string): string => join(directory, `${PREFIX}${encodeURIComponent(name)}`);
  return {
    list() {
      try {
        const names = readdirSync(directory).filter((name) => name.startsWith(PREFIX));
        return new Map(
          names.map((name) => [decodeURIComponent(name.slice(PREFIX.length)), textOf(join(directory, name))]),
        );
      } catch {
        // No state directory yet: nothing was ever fenced.
        return new Map();
      }
    },
    async write(name, since) {
      const path = pathOf(name);
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const file = await open(path, "w", 0o600);
        await file
          .writeFile(since)
          .then(() => file.sync())
          .finally(() => file.close());
        await syncFolder(directory);
        return ok(undefined);
      } catch (error) {
        return err(`${path} cannot be written (${codeOf(error)})`);
      }
    },
    async remove(name) {
      const path = pathOf(name);
      try {
        await rm(path, { force: true });
        await syncFolder(directory);
        return ok(undefined);
      } catch (error) {
        return err(`${path} cannot be removed (${codeOf(error)})`);
      }
    },
  };
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  await folder.sync().finally(() => folder.close());
}

/** A mark that cannot be read is a mark all the same. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, 100);
  } catch {
    return "";
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
