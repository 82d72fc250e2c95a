/** The records of who was the writer of a managed group, kept through a crash: what may start alone is decided from them. */
import type { WriterRecord } from "../core/peer-link/questions.ts";

export interface WriterJournal {
  /** The last record of a group; null when there is none. */
  last(group: string): WriterRecord | null;
  /** The last of each group. */
  all(): readonly WriterRecord[];
  /** Resolves when the record is on the disk; false when it is not, and then it does not count. The time is filled in. */
  append(record: Omit<WriterRecord, "time">): Promise<boolean>;
  /** What is wrong with the file, in words; null when nothing is. A damaged file may have lost the last record of any group. */
  readonly problem: string | null;
}
