/**
 * Where somebody who follows a dead server by file and position goes on in another server's binary log, which holds the same transactions at other
 * places: found by the transactions themselves. What marks one is told by both logs and is the same in both: MariaDB's GTID, or the server
 * that committed it first with the microsecond at which it did (MySQL 8). Nothing is guessed: no match, or more than one, is refused.
 */
import { err, ok, type Result } from "../lib/result.ts";
import type { Coordinates } from "./coordinates.ts";

export interface Mark {
  readonly key: string;
  /** Behind its last byte, in its own log. */
  readonly end: Coordinates;
}

/** `tail`: the last transactions that were executed, oldest first, as one run; the answer is where the run ends in the log. */
export function mapTail(tail: readonly string[], log: readonly Mark[]): Result<Coordinates, string> {
  const last = tail.at(-1);
  if (last === undefined) return err("it does not say which transaction it has executed last");
  const ends = log.filter((_, at) => isRunAt(tail, log, at)).map(({ end }) => end);
  const [found] = ends;
  if (found !== undefined && ends.length === 1) return ok(found);
  if (ends.length > 1) return err(`the run that ends with ${last} is in the writer's binary log ${ends.length} times`);
  return err(`the run that ends with ${last} is not in the writer's binary log`);
}

function isRunAt(tail: readonly string[], log: readonly Mark[], at: number): boolean {
  const begin = at - tail.length + 1;
  return begin >= 0 && tail.every((key, offset) => log[begin + offset]?.key === key);
}

const AT = /^# at (\d+)$/;
const EVENT = /^#\d{6} +[\d:]+ server id (\d+) +end_log_pos (\d+)/;
/** Of the log itself, and no part of a transaction. */
const HOUSEKEEPING = /\t(Start: |Rotate|Stop|Previous-GTIDs|Ignorable)/;
const COMMITTED = /GTID\t.*\boriginal_committed_timestamp=(\d+)/i;

/** Reads what mysqlbinlog prints of one file, line by line. */
export function createMarks(file: string): { line: (text: string) => void; marks: () => readonly Mark[] } {
  const found: Mark[] = [];
  let at = "";
  let open: string | null = null;
  let end = 0;
  const close = (): void => {
    if (open !== null) found.push({ key: open, end: { file, offset: end } });
    open = null;
  };
  return {
    line(text) {
      at = AT.exec(text)?.[1] ?? at;
      const event = EVENT.exec(text);
      if (event === null || HOUSEKEEPING.test(text)) return;
      const committed = COMMITTED.exec(text)?.[1];
      if (committed !== undefined) {
        close();
        // A server before 8.0 does not say when it was committed: then nothing marks it.
        open = committed === "0" ? `unmarked at ${at}` : `server ${event[1]} at ${committed}`;
      }
      end = Number(event[2]);
    },
    marks() {
      close();
      return found;
    },
  };
}
