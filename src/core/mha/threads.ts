/** Which sessions of a process list stand in the way of a switch: they have been running for long. */
import type { SqlRow } from "../mysql/facts.ts";

const OWN: ReadonlySet<string> = new Set(["system user", "event_scheduler"]);
const READS = /^\s*(select|show)\b/i;

export interface Busy {
  /** From so many seconds on. */
  readonly seconds: number;
  /** Only what may change data. */
  readonly updates: boolean;
}

/** MHA's rules: not replication, not idle, and with `updates` no SELECT or SHOW. */
export function busyThreads(rows: readonly SqlRow[], { seconds, updates }: Busy): readonly SqlRow[] {
  return rows.filter(({ User, Command, Time, Info }) => {
    if (OWN.has(User ?? "") || /^(Binlog Dump|Sleep|Connect|Daemon|Slave_)/.test(Command ?? "")) return false;
    // The statement that asks for the list has just begun.
    if (Number(Time ?? "0") < seconds || /^\s*SHOW PROCESSLIST/i.test(Info ?? "")) return false;
    return !(updates && READS.test(Info ?? ""));
  });
}

/** Without the statement: it may hold a password. */
export const threadInWords = ({ Id, User, Host, Time, State }: SqlRow): string =>
  `id ${Id} of ${User}@${Host}, ${Time} s${(State ?? "") === "" ? "" : ` (${State})`}`;
