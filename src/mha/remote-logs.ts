/**
 * Brings log files of another host here, over ssh and with nothing but sh, ls, head and tail on the other side. Only what is asked for
 * travels: the tail of the first file and the files behind it.
 */
import { spawn } from "node:child_process";
import { closeSync, createWriteStream, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { HEADER_LENGTH, MAGIC, readHeader } from "../core/mha/binlog.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import type { LogFile } from "./binlog-files.ts";
import { MhaError } from "./environment.ts";
import { openFresh } from "./files.ts";
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

/** The other host says how its files are called, and here a file gets that name: nothing but a log of the series, and never a path. */
const isOfSeries = (name: string, series: string): boolean =>
  /^[^/\0]+\.\d+$/.test(name) && seriesOf(name) === seriesOf(series);

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
  const names = all.filter((one) => isOfSeries(one, name));
  return { directory, names: names.sort((one, other) => numberOf(one) - numberOf(other)) };
}

/**
 * One command finds the series and sends it: for each file a line with its name and the lengths of two pieces, then the pieces: its
 * beginning, where its format event is, and what lies behind the offset. A file that grows meanwhile is cut off.
 */
const SEND_SERIES = `name=$1 offset=$2 head=$3; shift 3; first=\${name##*.} stem=\${name%.*}
for directory; do [ -f "$directory/$name" ] || continue
  for file in "$directory/$stem".[0-9]*; do
    case \${file##*.} in *[!0-9]*) continue ;; esac
    [ "\${file##*.}" -ge "$first" ] || continue
    size=$(wc -c <"$file"); from=0; [ "\${file##*/}" = "$name" ] && from=$offset
    start=$head; [ "$size" -lt "$start" ] && start=$size
    rest=$((size - from)); [ "$rest" -lt 0 ] && rest=0
    echo "\${file##*/} $from $start $rest"; head -c "$start" "$file"
    [ "$rest" -eq 0 ] || tail -c +$((from + 1)) "$file" | head -c "$rest"
  done
  exit 0
done
exit 3`;

export interface SeriesOrder {
  readonly from: Coordinates;
  readonly directories: readonly string[];
  readonly into: string;
  readonly prefix: string;
}

/** From that position to the end of the series; each file with its description of itself before what was asked for. */
export async function fetchSeries(
  shell: RemoteShell,
  { from, directories, into, prefix }: SeriesOrder,
): Promise<readonly LogFile[]> {
  const script = ["sh", "-c", SEND_SERIES, "sh", from.file, String(from.offset), String(HEAD_BYTES), ...directories];
  const parcel = join(into, `${prefix}.parcel`);
  try {
    const { code, said } = await receive(shell.words(script), parcel);
    if (code === 3)
      throw new MhaError(`${from.file} is in none of ${directories.join(", ")}; master_binlog_dir names the directory`);
    if (code !== 0) throw new MhaError(`${from.file} could not be brought here: ${said || `exit code ${code}`}`);
    const files = unpack(parcel, from.file, (name) => join(into, `${prefix}.${name}`));
    return [...files].sort((one, other) => numberOf(one.name) - numberOf(other.name));
  } finally {
    rmSync(parcel, { force: true });
  }
}

/** The line before each file's pieces is short. */
const LINE_BYTES = 1_024;

function unpack(parcel: string, series: string, pathOf: (name: string) => string): readonly LogFile[] {
  const file = openSync(parcel, "r");
  const files: LogFile[] = [];
  try {
    for (let at = 0; ; ) {
      const bytes = readAt(file, at, LINE_BYTES);
      const end = bytes.indexOf("\n");
      if (end < 0) return files;
      const entry = entryOf(bytes.subarray(0, end).toString(), series);
      const body = at + end + 1 + entry.start;
      const path = pathOf(entry.name);
      const head = readAt(file, at + end + 1, entry.start);
      writeParcel(file, path, { head, from: entry.from, body, length: entry.rest });
      files.push({ path, name: entry.name });
      at = body + entry.rest;
    }
  } finally {
    closeSync(file);
  }
}

/** The other host may be broken or in foreign hands: what it says is not used as a path or a length before it was looked at. */
function entryOf(
  line: string,
  series: string,
): { readonly name: string; readonly from: number; readonly start: number; readonly rest: number } {
  const [name = "", ...numbers] = line.split(" ");
  const [from = -1, start = -1, rest = -1] = numbers.map((text) => (/^\d{1,15}$/.test(text) ? Number(text) : -1));
  if (isOfSeries(name, series) && from >= 0 && start >= 0 && start <= HEAD_BYTES && rest >= 0)
    return { name, from, start, rest };
  throw new MhaError(`what came instead of ${series} is no binary log: ${JSON.stringify(line.slice(0, 80))}`);
}

function readAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, at));
}

const PIECE = 1 << 20;

/** Magic and format event, then what lies behind both them and the offset. */
function writeParcel(
  file: number,
  path: string,
  {
    head,
    from,
    body,
    length,
  }: { readonly head: Buffer; readonly from: number; readonly body: number; readonly length: number },
): void {
  const described = MAGIC.length + (readHeader(head.subarray(MAGIC.length))?.length ?? 0);
  const skipped = Math.max(0, described - from);
  const out = openFresh(path);
  try {
    writeSync(out, head.subarray(0, described));
    for (let at = skipped; at < length; at += PIECE)
      writeSync(out, readAt(file, body + at, Math.min(PIECE, length - at)));
  } finally {
    closeSync(out);
  }
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
  const { code, said } = await receive(words, path);
  if (code !== 0) throw new MhaError(`${remote} could not be brought here: ${said || `exit code ${code}`}`);
}

/** A host that vanishes while it sends. */
const SILENCE_MILLIS = 10_000;

/** Standard output into a file. */
async function receive(
  words: readonly string[],
  path: string,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const [program = "", ...args] = words;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("exit", (code) => resolve(code));
  });
  const stop = (): void => {
    said += `nothing came for ${SILENCE_MILLIS / 1_000} s`;
    child.kill("SIGKILL");
    child.stdout.destroy();
  };
  let timer = setTimeout(stop, SILENCE_MILLIS);
  child.stdout.on("data", () => {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENCE_MILLIS);
  });
  // Cut off in the middle it is no error of the pipe: the exit code says that something is missing.
  await pipeline(child.stdout, createWriteStream(path, { fd: openFresh(path) })).catch(() => undefined);
  clearTimeout(timer);
  return { code: await ended, said: said.trim() };
}
