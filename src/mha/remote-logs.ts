/**
 * Brings log files of another host here, over ssh and with nothing but sh, ls, head and tail on the other side. Only what is asked for
 * travels: the tail of the first file and the files behind it.
 */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import { HEADER_LENGTH, MAGIC, readHeader } from "../core/mha/binlog.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import type { LogFile } from "./binlog-files.ts";
import { MhaError } from "./environment.ts";
import type { ProgramResult, RunOptions } from "./programs.ts";

/** Runs words on the other host. */
export interface RemoteShell {
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<ProgramResult>;
  /** The local words that do the same. */
  readonly words: (command: readonly string[]) => readonly string[];
}

const FIND =
  'name=$1; shift; for directory; do if [ -f "$directory/$name" ]; then echo "$directory"; ls -1 "$directory"; exit 0; fi; done; exit 3';
/** The bytes before the first event that can be left out, then the rest from there. */
const SEND = 'head -c "$2" -- "$1" && tail -c +"$3" -- "$1"';
/** A format event is some 250 bytes long. */
const HEAD_BYTES = 4_096;

const numberOf = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? Number.NaN);
const seriesOf = (name: string): string => name.replace(/\.\d+$/, "");

export interface RemoteLogs {
  readonly directory: string;
  /** Of the same series, in order. */
  readonly names: readonly string[];
}

/** The directory that holds the file, and the whole series; throws when none does. */
export async function findLogs(shell: RemoteShell, directories: readonly string[], name: string): Promise<RemoteLogs> {
  const result = await shell.run(["sh", "-c", FIND, "sh", name, ...directories], { timeoutMillis: 30_000 });
  if (result.code === 3)
    throw new MhaError(`${name} is in none of ${directories.join(", ")}; master_binlog_dir names the directory`);
  if (result.code !== 0) throw new MhaError(`looking for ${name} failed: ${result.problem ?? result.stderr.trim()}`);
  const [directory = "", ...all] = result.stdout.toString().trimEnd().split("\n");
  const names = all.filter((one) => seriesOf(one) === seriesOf(name) && /\.\d+$/.test(one));
  return { directory, names: names.sort((one, other) => numberOf(one) - numberOf(other)) };
}

/** From that position to the end of the series. */
export async function fetchFrom(
  shell: RemoteShell,
  logs: RemoteLogs,
  { from, into, prefix }: { readonly from: Coordinates; readonly into: string; readonly prefix: string },
): Promise<readonly LogFile[]> {
  const wanted = logs.names.filter((name) => numberOf(name) >= numberOf(from.file));
  const files: LogFile[] = [];
  for (const name of wanted) {
    const path = join(into, `${prefix}.${name}`);
    await fetchOne(shell, join(logs.directory, name), { path, offset: name === from.file ? from.offset : 0 });
    files.push({ path, name });
  }
  return files;
}

/** Its description of itself, and everything behind the offset. */
export async function fetchOne(
  shell: RemoteShell,
  remote: string,
  { path, offset }: { readonly path: string; readonly offset: number },
): Promise<void> {
  const headed = await shell.run(["head", "-c", String(HEAD_BYTES), "--", remote], { timeoutMillis: 30_000 });
  if (headed.code !== 0) throw new MhaError(`${remote} cannot be read: ${headed.stderr.trim()}`);
  const format = readHeader(headed.stdout.subarray(MAGIC.length, MAGIC.length + HEADER_LENGTH));
  const head = MAGIC.length + (format?.length ?? 0);
  const from = Math.max(offset, head);
  // tail counts from 1.
  const words = shell.words(["sh", "-c", SEND, "sh", remote, String(head), String(from + 1)]);
  const [program = "", ...args] = words;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("close", (code) => resolve(code));
  });
  const out = createWriteStream(path, { mode: 0o600 });
  await pipeline(child.stdout, out);
  await finished(out).catch(() => undefined);
  const code = await ended;
  if (code !== 0) throw new MhaError(`${remote} could not be brought here: ${said.trim() || `exit code ${code}`}`);
}
