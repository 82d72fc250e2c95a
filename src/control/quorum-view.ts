/** The quorum store for `status` and `explain`: the gate's account with times that people read. */
import { failureInWords, failureRemedy } from "../core/quorum/failure.ts";
import { waitInWords, withoutInWords } from "../core/quorum/words.ts";
import type { QuorumStatus } from "../engine/quorum/quorum-gate.ts";
import type { ExplainLine, QuorumView } from "./contract/types.ts";

export interface ViewClock {
  /** CLOCK_MONOTONIC, microseconds. */
  readonly now: number;
  readonly wallTime: (at: number) => number;
}

export function quorumView(status: QuorumStatus | null, { now, wallTime }: ViewClock): QuorumView | null {
  if (status === null) return null;
  const { kind, endpoints, endpoint, failure, since } = status;
  return {
    kind,
    endpoints: [...endpoints],
    endpoint,
    answers: failure !== null ? false : since === null ? null : true,
    since: since === null ? null : wallTime(since),
    detail: failure === null ? null : `${failureInWords(failure)}; ${failureRemedy(kind, failure)}`,
    groups: status.groups.map(
      ({ instance, group, policy, holder, epoch, held, until, foreign, without, waitsUntil }) => ({
        instance,
        group,
        policy,
        holder,
        epoch,
        held,
        leftMillis: until === null ? null : Math.max(0, Math.round((until - now) / 1_000)),
        foreign,
        without,
        waitMillis: waitsUntil === null ? null : Math.max(0, Math.round((waitsUntil - now) / 1_000)),
      }),
    ),
  };
}

/** What the store has to do with an instance, as a link in the chain of causes. */
export function quorumLines(quorum: QuorumView | null, instance: string): readonly ExplainLine[] {
  const group = quorum?.groups.find((one) => one.instance === instance);
  if (quorum === null || group === undefined) return [];
  const lines = [recordLine(group), ...(quorum.detail === null ? [] : [quorum.detail])];
  return lines.map((text, depth) => ({ depth: depth + 1, text }));
}

function recordLine(group: QuorumView["groups"][number]): string {
  const { foreign, without, held, holder, epoch, waitMillis } = group;
  if (foreign !== null) return `quorum store: ${foreign}`;
  if (without) return `quorum store: it serves without the record, as ${withoutInWords(group.policy)} allows`;
  if (held) return `quorum store: this host has the record of ${group.group} in epoch ${epoch}`;
  if (waitMillis !== null) return `quorum store: ${waitInWords(holder, waitMillis)}`;
  if (holder !== null) return `quorum store: ${holder} has the record of ${group.group} in epoch ${epoch}`;
  return `quorum store: nobody is known to have the record of ${group.group}`;
}
