/** What the API tells of a second master of one instance. */
import { z } from "zod";

export const SplitBrainView = z.object({
  /** Of its first sign; milliseconds since the epoch. */
  since: z.number(),
  signs: z.array(z.string()),
  /** Who will let go; `nobody` and `undecided` need somebody. */
  yields: z.enum(["other", "this-host", "undecided", "nobody"]),
  detail: z.string(),
});
