/** The quorum store in `holdfast status`: whether it answers, and one line for the record of each managed group. */
import type { StatusReply } from "../control/contract/types.ts";
import { lengthInWords } from "../core/events/explain.ts";
import { waitInWords } from "../core/quorum/words.ts";
import { wrap } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type Screen = Pick<Terminal, "width" | "paint">;

export function quorumLines({ quorum, now }: StatusReply, { width, paint }: Screen): string[] {
  if (quorum === null) return [];
  const { kind, endpoint, endpoints, answers, since, detail, groups } = quorum;
  const length = since === null ? "" : ` for ${lengthInWords(now - since)}`;
  const how = answers === null ? "not asked yet" : answers ? "answers" : "DOES NOT ANSWER";
  const head = `quorum store ${kind} (${endpoint ?? endpoints.join(", ")}): ${how}${length}`;
  const style = answers === null ? "warn" : answers ? "good" : "bad";
  const lines = [...(detail === null ? [] : [detail]), ...groups.map(groupLine)];
  return ["", paint(style, head), ...lines.flatMap((line) => wrap(line, { width, indent: "  " }))];
}

function groupLine(group: NonNullable<StatusReply["quorum"]>["groups"][number]): string {
  const { instance, held, holder, epoch, leftMillis, foreign, without, waitMillis } = group;
  const who = `${instance} (${group.group})`;
  if (foreign !== null) return `${who}: ${foreign}`;
  if (without) return `${who}: serves without the record (policy availability)`;
  if (held)
    return `${who}: the record is this host's, epoch ${epoch}, for ${lengthInWords(leftMillis ?? 0)} without another answer`;
  if (waitMillis !== null) return `${who}: ${waitInWords(holder, waitMillis)}`;
  return holder === null ? `${who}: nobody has the record` : `${who}: ${holder} has the record, epoch ${epoch}`;
}
