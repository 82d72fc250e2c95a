/** Every event of the quorum store, for the pages that name what the daemon can write. */
import type { QuorumEventBody } from "../src/core/events/quorum-events.ts";

const STORE = { kind: "quorum-store", instance: null, group: null, epoch: null, detail: "why" } as const;
const RECORD = { kind: "quorum-store", instance: "VI", group: "mysql/db", epoch: 3, detail: "why" } as const;

export const QUORUM_SAMPLES: readonly QuorumEventBody[] = [
  ...(["reached", "unreachable"] as const).map((action) => ({ ...STORE, action })),
  ...(["granted", "released", "taken", "without", "expiring"] as const).map((action) => ({ ...RECORD, action })),
];
