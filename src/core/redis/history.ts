/**
 * Whether one server has everything another has, as PSYNC decides it: by replication id and offset. `shiftReplicationId` at a promotion
 * keeps the old id up to `second_repl_offset`; whoever wrote one byte beyond has what the other side lacks.
 */
import type { History } from "./info.ts";

/** Null where the two streams have no id in common: nothing can be said then. */
export function hasAllOf(own: History, other: History): boolean | null {
  // What the other side has written since its own promotion is in no other stream; without a backlog nobody can tell.
  const wroteSince = other.formerEnd > 0 && (!other.counted || other.offset >= other.formerEnd);
  if (other.id === own.id) return other.offset <= own.offset;
  if (other.id === own.formerId) return other.offset < own.formerEnd;
  if (own.id === other.formerId) return !wroteSince && other.offset <= own.offset;
  if (isId(own.formerId) && own.formerId === other.formerId) return !wroteSince && other.offset < own.formerEnd;
  return null;
}

const isId = (id: string): boolean => /[^0]/.test(id);

export const historyInWords = ({ id, offset }: History): string => `${id.slice(0, 8)}:${offset}`;
