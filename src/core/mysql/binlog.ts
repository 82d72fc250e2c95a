/**
 * What `SHOW BINLOG EVENTS` tells: which transactions a binary log holds, who wrote them first, and from which byte to which. Reads both
 * products' words. Asks nobody, and decodes no rows.
 */
import type { SqlRow } from "./facts.ts";

export interface BinlogEvent {
  readonly type: string;
  readonly serverId: string;
  readonly from: number;
  readonly to: number;
  readonly info: string;
}

export interface LoggedTransaction {
  readonly file: string;
  /** From its first byte to the one behind its last. */
  readonly from: number;
  readonly to: number;
  /** `domain-server-number` of MariaDB, `uuid:number` of MySQL; null for one without. */
  readonly gtid: string | null;
  /** server_id of the server that committed it first. */
  readonly serverId: string;
}

export function binlogEvent(row: SqlRow): BinlogEvent | null {
  const [from, to] = [Number(row.Pos), Number(row.End_log_pos)];
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return null;
  return { type: row.Event_type ?? "", serverId: row.Server_id ?? "", from, to, info: row.Info ?? "" };
}

/** Of the log itself: a server adds them at each start and at each new file. */
const HOUSEKEEPING =
  /^(format_desc|rotate|stop|gtid_list|previous_gtids|binlog_checkpoint|start_encryption|heartbeat)/i;
const BEGINS = /^(gtid|anonymous_gtid|gtid_tagged)/i;

/** Something that a server of another number committed; null: nothing of these events. */
export const foreignTo = (serverId: string, events: readonly BinlogEvent[]): BinlogEvent | null =>
  events.find((event) => event.serverId !== serverId && !HOUSEKEEPING.test(event.type)) ?? null;

/** The transactions of consecutive events; one that began before the first of them is left out. */
export function transactionsOf(file: string, events: readonly BinlogEvent[]): readonly LoggedTransaction[] {
  const found: LoggedTransaction[] = [];
  for (const event of events) {
    if (HOUSEKEEPING.test(event.type)) continue;
    if (BEGINS.test(event.type)) {
      const { from, to, serverId } = event;
      found.push({ file, from, to, serverId, gtid: gtidOf(event.info) });
      continue;
    }
    const last = found.pop();
    if (last !== undefined) found.push({ ...last, to: event.to });
  }
  return found;
}

/** "BEGIN GTID 0-1-3 cid=7" (MariaDB), "SET @@SESSION.GTID_NEXT= 'uuid:3'" (MySQL). */
function gtidOf(info: string): string | null {
  const match = /\bGTID (\d+-\d+-\d+)|GTID_NEXT\s*=\s*'([^']*)'/i.exec(info);
  const gtid = match?.[1] ?? match?.[2] ?? null;
  return gtid === "ANONYMOUS" ? null : gtid;
}

/** What was executed before this file began, by its second event; null when the file does not say. */
export function executedBefore(events: readonly BinlogEvent[]): string | null {
  const list = events.find(({ type }) => /^(gtid_list|previous_gtids)/i.test(type));
  return list === undefined ? null : list.info.replaceAll(/[\s[\]]/g, "");
}

export interface BinlogRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Neighbours are joined. */
export function rangesOf(transactions: readonly LoggedTransaction[]): readonly BinlogRange[] {
  const ranges: BinlogRange[] = [];
  for (const { file, from, to } of transactions) {
    const last = ranges.at(-1);
    if (last?.file === file && last.to === from) ranges[ranges.length - 1] = { file, from: last.from, to };
    else ranges.push({ file, from, to });
  }
  return ranges;
}
