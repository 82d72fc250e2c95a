/** What the API tells of the peers' daemons, and of who answers for an address. */
import { z } from "zod";

/** Milliseconds since the epoch. */
const timestamp = z.number();

/** A peer's daemon, as far as the peer link knows. */
export const PeerView = z.object({
  /** ADDRESS:PORT of the configuration. */
  peer: z.string(),
  connected: z.boolean(),
  since: timestamp.nullable(),
  /** Why it is not connected. */
  detail: z.string().nullable(),
  host: z.string().nullable(),
  version: z.string().nullable(),
  /** When what follows was asked for; null: never. */
  askedAt: timestamp.nullable(),
  instances: z.array(
    z.object({
      name: z.string(),
      state: z.enum(["INIT", "BACKUP", "MASTER", "FAULT", "STOP"]),
      phase: z.string(),
      priority: z.number(),
      addresses: z.array(z.string()),
      holding: z.boolean(),
    }),
  ),
  /** Its last record of each managed group. */
  writers: z.array(
    z.object({
      group: z.string(),
      epoch: z.number(),
      role: z.enum(["writer", "released", "standby", "initial"]),
      time: timestamp,
    }),
  ),
});

export const VipQuery = z.object({ address: z.string().min(2).max(64) });

/** Who answers for an address, seen from this host and from each peer. */
export const VipReply = z.object({
  api: z.literal(1),
  address: z.string(),
  verdict: z.enum(["held-once", "held-by-nobody", "held-twice", "unknown"]),
  words: z.string(),
  sights: z
    .array(
      z.object({
        /** Null: this host. */
        peer: z.string().nullable(),
        /** Null: the peer could not be asked. */
        seen: z
          .object({
            own: z.boolean(),
            interface: z.string().nullable(),
            macs: z.array(z.string()).readonly(),
            problem: z.string().nullable(),
          })
          .nullable(),
        problem: z.string().nullable(),
      }),
    )
    .readonly(),
});

export const ReleaseStaleRequest = z.object({ address: z.string().min(2).max(64), dryRun: z.boolean() });

/** What came of removing an address that was left over. */
export const ReleaseStaleReply = z.object({
  api: z.literal(1),
  address: z.string(),
  outcome: z.enum(["removed", "would-remove", "refused"]),
  interfaces: z.array(z.string()).readonly(),
  /** What proves that it is a left-over, or why it is refused. */
  detail: z.string(),
  remedy: z.string().nullable(),
});
