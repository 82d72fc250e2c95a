/** Reads the journal's files, oldest first; works whether or not a daemon writes them. Never changes a file. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventEntry } from "./contract/types.ts";
import { type EventFilter, matches } from "./events-filter.ts";
import { scanJournal } from "./journal-format.ts";

export const JOURNAL_FILE = "journal.jsonl";

/** `journal.1.jsonl` is the youngest of the files that were rotated away. */
export const rotatedFile = (index: number): string => `journal.${index}.jsonl`;

const ROTATED = /^journal\.(\d{1,3})\.jsonl$/;

export interface JournalContents {
  readonly events: readonly EventEntry[];
  /** What was damaged or could not be read, in words. */
  readonly problems: readonly string[];
}

/** Names of the journal's files, youngest first. */
async function journalFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  const rotated = names
    .map((name) => ROTATED.exec(name)?.[1])
    .filter((index) => index !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
    .map(rotatedFile);
  return names.includes(JOURNAL_FILE) ? [JOURNAL_FILE, ...rotated] : rotated;
}

/** The latest `limit` events that match. Files are read from the youngest back, no further than needed. */
export async function readJournal(directory: string, filter: EventFilter, limit: number): Promise<JournalContents> {
  const problems: string[] = [];
  let events: EventEntry[] = [];
  let files: string[];
  try {
    files = await journalFiles(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { events, problems: [`${directory} cannot be read: ${code ?? String(error)}`] };
  }
  if (files.length === 0) problems.push(`there is no journal in ${directory}`);
  for (const name of files) {
    const contents = await readOne(join(directory, name));
    problems.push(...contents.problems);
    events = [...contents.events.filter((entry) => matches(entry, filter, null)), ...events];
    const oldest = contents.events[0]?.sequence;
    if (events.length >= limit || (oldest !== undefined && oldest <= (filter.since ?? 0) + 1)) break;
  }
  return { events: events.slice(-limit), problems };
}

async function readOne(path: string): Promise<JournalContents> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Rotated away between the listing and the reading: its events are in the next file.
    return { events: [], problems: code === "ENOENT" ? [] : [`${path} cannot be read: ${code ?? String(error)}`] };
  }
  const scan = scanJournal(bytes);
  const problems = scan.damaged === 0 ? [] : [`${scan.damaged} damaged lines in ${path} were skipped`];
  const torn = bytes.length - scan.soundBytes;
  if (torn > 0) problems.push(`the last ${torn} bytes of ${path} are no whole line (cut off, or being written)`);
  return { events: scan.entries, problems };
}
