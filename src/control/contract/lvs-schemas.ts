/** Virtual servers: what is in the kernel, and the draining of a real server. */
import { z } from "zod";

export const LvsServerView = z.object({
  /** "192.0.2.10:80" */
  server: z.string(),
  /** As the log names it; null: nothing of the file. */
  realServer: z.string().nullable(),
  state: z.enum(["up", "drained", "idle", "down"]),
  method: z.string(),
  weight: z.number(),
  active: z.number(),
  inactive: z.number(),
  connections: z.number(),
  /** Each second, as the kernel estimates. */
  connectionRate: z.number(),
  inByteRate: z.number(),
  outByteRate: z.number(),
  inBytes: z.number(),
  outBytes: z.number(),
  /** The last event about it, in words; null: none lately. */
  cause: z.string().nullable(),
});

export const LvsServiceView = z.object({
  service: z.string(),
  virtualServer: z.string().nullable(),
  scheduler: z.string(),
  persistence: z.number().nullable(),
  onlyOnMaster: z.string().nullable(),
  present: z.boolean(),
  connections: z.number(),
  connectionRate: z.number(),
  inByteRate: z.number(),
  outByteRate: z.number(),
  servers: z.array(LvsServerView).readonly(),
});

export const LvsStatusReply = z.object({
  api: z.literal(1),
  kernel: z.enum(["ready", "absent", "unused"]),
  version: z.string(),
  detail: z.string(),
  /** Services of the kernel that nothing in the file names. */
  foreign: z.number(),
  refused: z
    .array(z.object({ service: z.string(), order: z.string(), errno: z.string(), remedy: z.string() }))
    .readonly(),
  sync: z.array(z.object({ state: z.enum(["master", "backup"]), interface: z.string(), id: z.number() })).readonly(),
  services: z.array(LvsServiceView).readonly(),
});

export const DrainRequest = z.object({
  /** "192.0.2.10:80" */
  server: z.string().min(1).max(128),
  /** As `service` of the status; null: in every service. */
  service: z.string().min(1).max(128).nullable(),
  drain: z.boolean(),
});

export const DrainReply = z.object({
  api: z.literal(1),
  server: z.string(),
  /** Services that have it; with `drain` false, drains that were taken back. */
  services: z.number(),
  /** Connections that it still has in them. */
  active: z.number(),
});
