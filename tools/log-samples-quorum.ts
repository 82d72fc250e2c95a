/** Every event of the quorum store and of split brains, for the pages that name what the daemon can write. */
import type { QuorumEventBody } from "../src/core/events/quorum-events.ts";
import type { SplitBrainEventBody } from "../src/core/events/split-brain-events.ts";

const STORE = { kind: "quorum-store", instance: null, group: null, epoch: null, detail: "why" } as const;
const RECORD = { kind: "quorum-store", instance: "VI", group: "mysql/db", epoch: 3, detail: "why" } as const;

export const QUORUM_SAMPLES: readonly QuorumEventBody[] = [
  ...(["reached", "unreachable"] as const).map((action) => ({ ...STORE, action })),
  ...(["granted", "released", "taken", "without", "ordered", "overridden", "expiring"] as const).map((action) => ({
    ...RECORD,
    action,
  })),
];

const BRAIN = { kind: "split-brain", instance: "VI", signs: ["sign"], detail: "why", forMillis: 2_000 } as const;

export const SPLIT_BRAIN_SAMPLES: readonly SplitBrainEventBody[] = [
  { ...BRAIN, action: "seen", yields: "nobody" },
  { ...BRAIN, action: "over", yields: "other" },
];
