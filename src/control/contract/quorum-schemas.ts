/** What the API tells of the quorum store. */
import { z } from "zod";

/** Milliseconds since the epoch. */
const timestamp = z.number();

/** The record of one managed group. */
export const QuorumGroupView = z.object({
  instance: z.string(),
  group: z.string(),
  policy: z.enum(["availability", "balanced", "consistency"]),
  /** The host that has it as last seen from here; null: nobody, or not known. */
  holder: z.string().nullable(),
  epoch: z.number().nullable(),
  /** It is this daemon's and counts. */
  held: z.boolean(),
  /** How long it goes on counting without another answer; null: it is not this daemon's. */
  leftMillis: z.number().nullable(),
  /** Why the record is not this pair's. */
  foreign: z.string().nullable(),
  /** It serves without the store, because the policy lets it. */
  without: z.boolean(),
  /** How long a claim still waits, because another may have the record and answer; null: none does. */
  waitMillis: z.number().nullable(),
});

export const QuorumView = z.object({
  kind: z.string(),
  endpoints: z.array(z.string()),
  /** The one that answered last. */
  endpoint: z.string().nullable(),
  /** Null: not asked yet. */
  answers: z.boolean().nullable(),
  since: timestamp.nullable(),
  /** Why it does not answer, with the remedy. */
  detail: z.string().nullable(),
  groups: z.array(QuorumGroupView),
});
