/** Metrics of the quorum store; without one the families are there without a sample. */
import type { StatusReply } from "../contract/types.ts";
import type { Family, Sample } from "./exposition.ts";

const flag = (value: boolean): number => (value ? 1 : 0);

export function quorumFamilies({ quorum }: Pick<StatusReply, "quorum">): readonly Family[] {
  const groups = quorum?.groups ?? [];
  const all = (value: (group: (typeof groups)[number]) => number | null): readonly Sample[] =>
    groups.flatMap((one) => {
      const number = value(one);
      return number === null ? [] : [{ labels: { instance: one.instance, group: one.group }, value: number }];
    });
  const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
    name,
    type: "gauge",
    help,
    samples,
  });
  const answers = quorum === null || quorum.answers === null ? [] : [{ value: flag(quorum.answers) }];
  return [
    gauge("quorum_store_answers", "1 when the quorum store answers this host.", answers),
    gauge(
      "quorum_record_held",
      "1 when the record of that group is this host's and counts.",
      all(({ held }) => flag(held)),
    ),
    gauge(
      "quorum_record_epoch",
      "Epoch of the record as last seen; it grows with every change of the writer.",
      all(({ epoch }) => epoch),
    ),
    gauge(
      "quorum_record_left_seconds",
      "How long the record goes on counting without another answer.",
      all(({ leftMillis }) => (leftMillis === null ? null : leftMillis / 1_000)),
    ),
    gauge(
      "quorum_serves_without",
      "1 when a group serves without its record, because policy availability lets it.",
      all(({ without }) => flag(without)),
    ),
  ];
}
