/** A finding of any doctor for a terminal. */
import type { DoctorReply } from "../../control/contract/types.ts";

type Finding = DoctorReply["findings"][number];

export function findingText({ id, severity, server, what, why, fix }: Finding): string {
  return `${severity}: ${server === null ? "" : `${server}: `}${what} [${id}]\n  why: ${why}\n  fix: ${fix}\n`;
}
