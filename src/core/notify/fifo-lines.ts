/** The lines of a notify FIFO, byte for byte as keepalived writes them (keepalived.conf(5), vrrp_sync_group). */
import type { VrrpReport } from "../vrrp/reports.ts";
import type { ToldState } from "./told-state.ts";

export type FifoWord = ToldState | "MASTER_RX_LOWER_PRI" | "MASTER_PRIORITY" | "BACKUP_PRIORITY";

/** `INSTANCE "VI_1" MASTER 150`, newline included. */
export const instanceLine = (name: string, word: FifoWord, priority: number): string =>
  `INSTANCE "${name}" ${word} ${priority}\n`;

/** Groups have no priority: it is told as 0. */
export const groupLine = (name: string, state: ToldState): string => `GROUP "${name}" ${state} 0\n`;

/** Lines for what is no change of state; null when the pipe hears nothing of it. */
export function eventLine(
  name: string,
  report: VrrpReport,
  now: { readonly state: ToldState | null; readonly priorityChanges: boolean },
): string | null {
  if (report.kind === "priority") {
    if (!now.priorityChanges || now.state === null) return null;
    return instanceLine(name, now.state === "MASTER" ? "MASTER_PRIORITY" : "BACKUP_PRIORITY", report.to);
  }
  if (report.kind === "lower-priority-advert" && report.state === "MASTER") {
    return instanceLine(name, "MASTER_RX_LOWER_PRI", report.ours);
  }
  return null;
}
