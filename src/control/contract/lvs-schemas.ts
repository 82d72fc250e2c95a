/** Virtual servers: what is in the kernel, and the draining of a real server. */
import { z } from "zod";

/** Milliseconds since the epoch. */
const timestamp = z.number();

export const LvsCheckerView = z.object({
  /** "TCP_CHECK", "MYSQL_CHECK" ... */
  checker: z.string(),
  /** As it counts: a failure that is still retried does not. */
  up: z.boolean(),
  /** When it came to stand so; null: no result yet, or it watches a file. */
  since: timestamp.nullable(),
  lastRunAt: timestamp.nullable(),
  /** Whether the last run succeeded; null before it. */
  ok: z.boolean().nullable(),
  /** What the last run found, in words. */
  finding: z.string().nullable(),
  /** The last line that the command of MISC_CHECK wrote. */
  output: z.string().nullable(),
  /** Failures that do not count yet, of so many that are let pass. */
  retries: z.number(),
  retry: z.number(),
  intervalSeconds: z.number().nullable(),
});

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
  /** What its checkers say; null: it is no real server of the file. */
  pool: z
    .object({
      alive: z.boolean(),
      since: timestamp,
      /** By the file, its checkers and its files; slow start aside. */
      weight: z.number(),
      /** Its slow start is on. */
      rising: z.boolean(),
      checkers: z.array(LvsCheckerView).readonly(),
    })
    .nullable(),
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
  inBytes: z.number(),
  outBytes: z.number(),
  /** Weights: what its live servers have together, and what it needs; null: it is not ours. */
  quorum: z.object({ up: z.boolean(), needed: z.number(), weight: z.number(), sorry: z.boolean() }).nullable(),
  /** false: ha_suspend waits for its address. */
  checking: z.boolean(),
  servers: z.array(LvsServerView).readonly(),
});

export const LvsStatusReply = z.object({
  api: z.literal(1),
  now: timestamp,
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
