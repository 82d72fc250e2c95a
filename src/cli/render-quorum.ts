/** The quorum store in `holdfast status`: whether it answers, and one line for the record of each managed group. */
import type { StatusReply } from "../control/contract/types.ts";
import { lengthInWords } from "../core/events/explain.ts";
import { waitInWords, withoutInWords } from "../core/quorum/words.ts";
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
  // What is known of a record is old then.
  const seen = answers === false ? " when the store last answered" : "";
  const lines = [...(detail === null ? [] : [detail]), ...groups.map((group) => groupLine(group, seen))];
  return ["", paint(style, head), ...lines.flatMap((line) => wrap(line, { width, indent: "  " }))];
}

function groupLine(group: NonNullable<StatusReply["quorum"]>["groups"][number], seen: string): string {
  const { instance, held, holder, epoch, leftMillis, foreign, without, waitMillis } = group;
  const who = `${instance} (${group.group})`;
  if (foreign !== null) return `${who}: ${foreign}`;
  if (without) return `${who}: serves without the record (${withoutInWords(group.policy)})`;
  if (held)
    return `${who}: the record is this host's, epoch ${epoch}, for ${lengthInWords(leftMillis ?? 0)} without another answer`;
  if (waitMillis !== null) return `${who}: ${waitInWords(holder, waitMillis)}`;
  if (holder === null) return `${who}: nobody is known to have the record`;
  return `${who}: ${holder} ${seen === "" ? "has" : "had"} the record, epoch ${epoch}${seen}`;
}
