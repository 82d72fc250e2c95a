/**
 * Looks through a server's binary log, over SQL, for the transactions that the writer lacks. Begins in the newest file before which
 * everything is on the writer as well, so a long past costs nothing; reads page by page.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import {
  type BinlogEvent,
  binlogEvent,
  executedBefore,
  foreignTo,
  type LoggedTransaction,
  transactionsOf,
} from "../core/mysql/binlog.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { type Comparison, countOf, extraOf } from "../core/mysql/errant.ts";
import { mariadbContains, mysqlContains } from "../core/mysql/gtid.ts";
import type { MemberFacts } from "../core/mysql/member.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface FoundExtra {
  readonly transactions: readonly LoggedTransaction[];
  /** Why some of them are not in its binary log any more; null when all are. */
  readonly missing: string | null;
}

const PAGE = 2_000;
const PAGE_MILLIS = 30_000;
/** More than anybody could look through. */
const MOST = 100_000;
/** Format, encryption, and the list of what was before. */
const HEAD = 4;

export async function findExtra(
  member: MysqlMember,
  comparison: Comparison,
  writer: MemberFacts,
): Promise<Result<FoundExtra, string>> {
  const listed = await member.order("SHOW BINARY LOGS", PAGE_MILLIS);
  if (!listed.ok) return err(`its binary logs cannot be listed: ${failureInWords(listed.error)}`);
  const files = listed.value.flatMap((row) => row.Log_name ?? []);
  const begin = await beginOf(member, { files, comparison, writer });
  if (!begin.ok) return begin;
  const found: LoggedTransaction[] = [];
  let from = begin.value.from;
  for (const file of files.slice(begin.value.at)) {
    const read = await readBinlog(member, { file, from }, (transactions) => {
      found.push(...extraOf(transactions, comparison, writer));
      return found.length <= MOST;
    });
    if (!read.ok) return read;
    from = 0;
  }
  if (found.length > MOST) return err(`it has more than ${MOST} transactions too many`);
  return ok({ transactions: found, missing: begin.value.missing ?? missingOf(comparison, found) });
}

interface Scene {
  readonly files: readonly string[];
  readonly comparison: Comparison;
  readonly writer: MemberFacts;
}

interface Begin {
  readonly at: number;
  readonly from: number;
  readonly missing: string | null;
}

async function beginOf(member: MysqlMember, scene: Scene): Promise<Result<Begin, string>> {
  const { files, comparison } = scene;
  if (comparison.kind === "position") {
    const { file, offset } = comparison.after;
    const at = files.indexOf(file);
    if (at >= 0) return ok({ at, from: offset, missing: null });
    return err(`${file}, which the writer has received last, is not among its binary logs (${files[0]} and later)`);
  }
  for (let at = files.length - 1; at >= 0; at--) {
    const head = await pageOfBinlog(member, { file: files[at] ?? "", from: 0 }, HEAD);
    if (!head.ok) return head;
    const before = executedBefore(head.value);
    if (before === null) return err(`${files[at]} does not say what was before it`);
    if (isOnWriter(before, scene)) return ok({ at, from: 0, missing: null });
  }
  return ok({ at: 0, from: 0, missing: "some of them are in binary logs that it no longer has" });
}

function isOnWriter(before: string, { comparison, writer: { gtids } }: Scene): boolean {
  if (gtids.product === "mariadb") return mariadbContains(gtids, before);
  return comparison.kind === "set" && mysqlContains(gtids.executed, before);
}

function missingOf(comparison: Comparison, found: readonly LoggedTransaction[]): string | null {
  if (comparison.kind !== "set") return null;
  const lacking = countOf(comparison.extra) - BigInt(found.length);
  return lacking === 0n ? null : `${lacking} of them are not in its binary logs`;
}

export interface Place {
  readonly file: string;
  /** 0: from the beginning. */
  readonly from: number;
}

/** `take` says whether to go on. */
export async function readBinlog(
  member: MysqlMember,
  { file, from }: Place,
  take: (transactions: readonly LoggedTransaction[]) => boolean,
): Promise<Result<void, string>> {
  let next = from;
  // The last transaction of a page may go on in the next one.
  let rest: readonly BinlogEvent[] = [];
  for (;;) {
    const events = await pageOfBinlog(member, { file, from: next }, PAGE);
    if (!events.ok) return events;
    const known = [...rest, ...events.value];
    const whole = transactionsOf(file, known);
    const last = whole.at(-1);
    const ended = events.value.length < PAGE;
    if (!take(ended ? whole : whole.slice(0, -1)) || ended) return ok(undefined);
    rest = last === undefined ? [] : known.filter((event) => event.from >= last.from);
    next = events.value.at(-1)?.to ?? 0;
  }
}

export async function pageOfBinlog(
  member: MysqlMember,
  { file, from }: Place,
  count: number,
): Promise<Result<readonly BinlogEvent[], string>> {
  const name = file.replaceAll("\\", "\\\\").replaceAll("'", "''");
  const at = from === 0 ? "" : ` FROM ${from}`;
  const rows = await member.order(`SHOW BINLOG EVENTS IN '${name}'${at} LIMIT ${count}`, PAGE_MILLIS);
  if (!rows.ok) return err(`${file} cannot be read${from === 0 ? "" : ` from ${from}`}: ${failureInWords(rows.error)}`);
  return ok(rows.value.flatMap((row) => binlogEvent(row) ?? []));
}

/** Of one look; a page is 2,000 events. */
const MOST_PAGES = 10;

/**
 * From there on, while everything was committed by the server of that number first: up to where that is so, or as far as a look goes. Null when it
 * cannot be read.
 */
export async function readOwnEcho(
  member: MysqlMember,
  from: Coordinates,
  serverId: string,
): Promise<Coordinates | null> {
  const listed = await member.order("SHOW BINARY LOGS", PAGE_MILLIS);
  const files = listed.ok ? listed.value.flatMap((row) => row.Log_name ?? []) : [];
  let at = files.indexOf(from.file);
  if (at < 0) return null;
  let place = from;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const events = await pageOfBinlog(member, { file: place.file, from: place.offset }, PAGE);
    if (!events.ok) return null;
    if (foreignTo(serverId, events.value) !== null) return place;
    place = { ...place, offset: events.value.at(-1)?.to ?? place.offset };
    if (events.value.length === PAGE) continue;
    at += 1;
    const next = files[at];
    if (next === undefined) break;
    place = { file: next, offset: 4 };
  }
  return place;
}
