/** What an operator orders for a managed database group, and what comes of it. */
import { z } from "zod";
import { ServerPositions } from "./schemas.ts";

export const RejoinRequest = z.object({
  name: z.string().min(1).max(256),
  /** As in the file; null: the one that is meant. */
  server: z.string().min(1).max(256).nullable(),
  dryRun: z.boolean(),
  /** What was shown as too many, word for word: the operator takes the responsibility that the data are equal without it. */
  accept: z.string().max(100_000).nullable(),
  /** This host's server is made anew from the writer first. */
  reseed: z.boolean(),
});

const Choice = z.object({
  title: z.string(),
  does: z.string(),
  loses: z.string(),
  commands: z.array(z.string()).readonly(),
});

export const RejoinReply = z.object({
  api: z.literal(1),
  name: z.string(),
  writer: z.string().nullable(),
  server: z.string().nullable(),
  compared: z.array(ServerPositions),
  /** What was done, with dryRun what would be. */
  steps: z.array(z.string()).readonly(),
  /** "whole", with dryRun "ready"; otherwise why not. */
  end: z.string(),
  extra: z
    .object({
      /** GTIDs, or where they are in its binary log. */
      what: z.string(),
      transactions: z.number(),
      /** Why not all of them could be read. */
      missing: z.string().nullable(),
      /** Path of the exported SQL; null when none was written. */
      file: z.string().nullable(),
      tables: z
        .array(
          z.object({
            table: z.string(),
            inserts: z.number(),
            updates: z.number(),
            deletes: z.number(),
            statements: z.array(z.string()).readonly(),
          }),
        )
        .readonly(),
    })
    .nullable(),
  choices: z.array(Choice).readonly(),
});

export const SkipRequest = z.object({
  name: z.string().min(1).max(256),
  server: z.string().min(1).max(256).nullable(),
  /** What was shown; null: only show it. */
  transaction: z.string().min(1).max(1_000).nullable(),
});

export const SkipReply = z.object({
  api: z.literal(1),
  name: z.string(),
  server: z.string().nullable(),
  channel: z.string(),
  source: z.string(),
  sqlError: z.object({ number: z.number(), text: z.string() }).nullable(),
  /** GTID, or where it begins in the source's binary log. */
  transaction: z.string().nullable(),
  events: z.array(z.string()).readonly(),
  /** What passes over it. */
  statements: z.array(z.string()).readonly(),
  /** "shown", "skipped", or why not. */
  end: z.string(),
});

export const FenceRequest = z.object({ name: z.string().min(1).max(256), on: z.boolean() });

export const FenceReply = z.object({
  api: z.literal(1),
  name: z.string(),
  /** When it was fenced; null: it is not. */
  since: z.string().nullable(),
  /** Null: it cannot be asked. */
  closed: z.boolean().nullable(),
  problem: z.string().nullable(),
});

export const InitWriterRequest = z.object({ name: z.string().min(1).max(256) });

export const InitWriterReply = z.object({
  api: z.literal(1),
  name: z.string(),
  named: z.boolean(),
  /** Who cannot be asked, or why it is refused. */
  detail: z.string(),
});

export const TakeoverRequest = z.object({
  name: z.string().min(1).max(256),
  consent: z.boolean(),
  /** The next claim goes on without a quorum store that does not answer. */
  withoutStore: z.boolean().default(false),
});

export const TakeoverReply = z.object({
  api: z.literal(1),
  name: z.string(),
  /** What a claim would do now, in order. */
  steps: z.array(z.string()),
  /** How it would end: "ready", or why it is refused. */
  end: z.string(),
  /** The next claim may go on all the same. */
  consented: z.boolean(),
  withoutStore: z.boolean(),
  /** Why what was ordered is not granted; null: it is, or nothing was ordered. */
  refused: z.string().nullable(),
});
