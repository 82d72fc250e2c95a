/** Answers to "why is it so", of instances and of virtual services. */
import { z } from "zod";

/** Milliseconds since the epoch. */
const timestamp = z.number();

export const ExplainLine = z.object({ depth: z.number(), text: z.string() });

export const Explanation = z.object({
  instance: z.string(),
  state: z.string(),
  headline: z.string(),
  because: z.array(ExplainLine),
  /** What would have to happen for it to become MASTER, or what would end its being MASTER. */
  outlook: z.array(z.string()),
  /** Where else to look: hooks that failed, packets dropped, warnings of the configuration. */
  notes: z.array(z.string()),
});

/** Why the real servers of a virtual service get connections or none. */
export const ServiceExplanation = z.object({
  /** As `lvs status` shows it. */
  service: z.string(),
  /** elsewhere: only the MASTER of its instance serves it. */
  state: z.enum(["served", "without-quorum", "elsewhere", "missing"]),
  headline: z.string(),
  because: z.array(ExplainLine),
  outlook: z.array(z.string()),
  notes: z.array(z.string()),
});

export const ExplainReply = z.object({
  api: z.literal(1),
  now: timestamp,
  explanations: z.array(Explanation),
  /** Those that were asked for; without a question those in which something is amiss. */
  services: z.array(ServiceExplanation).default([]),
});

/** One of them at most; `server`: a real server or a virtual service. */
export const ExplainQuery = z.object({
  instance: z.string().min(1).optional(),
  server: z.string().min(1).max(128).optional(),
});
