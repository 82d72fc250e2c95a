/**
 * Reads the binary log of a database server of this host that is dead. That it is dead is proved at each piece: no server process works in its data
 * directory, and none has the list of its logs open. Only files that this list names are read.
 */
import { constants } from "node:fs";
import { open, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../core/lib/result.ts";
import { SERVER_RUNS, type ServerHome } from "../core/mysql/home.ts";
import type { TailPiece } from "../ports/tail.ts";
import { serverHolds, serverRunsIn } from "./database-host.ts";

export interface LogPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

const INDEX_BYTES_MAX = 4 * 1_024 * 1_024;

export async function readDeadLog(home: ServerHome, place: LogPlace): Promise<Result<TailPiece, string>> {
  try {
    const alive = await whyAlive(home);
    return alive === null ? await readPiece(home, place) : err(alive);
  } catch (error) {
    return err(`${place.file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

async function whyAlive({ dataDirectory, index }: ServerHome): Promise<string | null> {
  if (serverRunsIn(await realpath(dataDirectory))) return SERVER_RUNS;
  const { dev, ino } = await stat(index);
  return serverHolds({ dev, ino }) ? "a server has its binary log open" : null;
}

async function readPiece(home: ServerHome, { file, offset, length }: LogPlace): Promise<Result<TailPiece, string>> {
  const { size: listed } = await stat(home.index);
  if (listed > INDEX_BYTES_MAX) return err("the list of its logs is too long");
  const files = (await readFile(home.index, "utf8"))
    .split("\n")
    .filter(Boolean)
    .map((line) => basename(line));
  const at = files.indexOf(file);
  if (at < 0 || file !== basename(file)) return err(`it has no ${file} any more`);
  const opened = await open(join(dirname(home.basename), file), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const facts = await opened.stat();
    if (!facts.isFile()) return err(`${file} is no file`);
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, facts.size - offset)));
    const { bytesRead } = await opened.read(buffer, 0, buffer.length, offset);
    return ok({ data: buffer.subarray(0, bytesRead), size: facts.size, next: files[at + 1] ?? null });
  } finally {
    await opened.close();
  }
}
