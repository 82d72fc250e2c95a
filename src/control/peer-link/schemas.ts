/**
 * The form of everything on the peer link, checked at both ends: the peer's daemon may be older, newer, or broken. Objects are open: what a newer
 * version adds is ignored. The types are core/peer-link/questions.ts; `satisfies` keeps the two together.
 */
import { z } from "zod";
import { type IpAddress, parseIp } from "../../core/lib/ip.ts";
import {
  EPOCH_MAX,
  LOG_PIECE_BYTES,
  type PeerAnswer,
  type PeerAsk,
  type PeerQuestionKind,
} from "../../core/peer-link/questions.ts";

const Address = z.string().transform((text, context): IpAddress => {
  const address = parseIp(text);
  if (address !== null) return address;
  context.addIssue({ code: "custom", message: "no address" });
  return z.NEVER;
});
const Name = z.string().max(255);
const Mac = z.string().regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/);

const Writer = z.object({
  group: Name,
  epoch: z.int().min(1).max(EPOCH_MAX),
  role: z.enum(["writer", "released", "standby", "initial"]),
  time: z.number(),
  detail: z.string().max(2_000),
});

const Instance = z.object({
  name: Name,
  interface: z.string().max(64),
  virtualRouterId: z.int().min(1).max(255),
  family: z.union([z.literal(4), z.literal(6)]),
  state: z.enum(["INIT", "BACKUP", "MASTER", "FAULT", "STOP"]),
  phase: z.enum(["INIT", "BACKUP", "MASTER", "FAULT", "STOP", "PREPARING", "CLAIMING", "RELEASING"]),
  priority: z.int().min(0).max(255),
  forMillis: z.number(),
  addresses: z.array(Address).max(10_000),
  holding: z.boolean(),
});

export const QUESTIONS = {
  state: {
    ask: z.object({}),
    answer: z.object({ instances: z.array(Instance).max(10_000), writers: z.array(Writer).max(1_000) }),
  },
  "who-answers": {
    ask: z.object({ address: Address }),
    answer: z.object({
      own: z.boolean(),
      interface: z.string().max(64).nullable(),
      macs: z.array(Mac).max(64),
      problem: z.string().max(2_000).nullable(),
    }),
  },
  "advert-test": {
    ask: z.object({
      virtualRouterId: z.int().min(1).max(255),
      family: z.union([z.literal(4), z.literal(6)]),
      nonce: Address,
    }),
    answer: z.object({
      interface: z.string().max(64).nullable(),
      arrived: z.boolean(),
      delivered: z.boolean().nullable(),
      problem: z.string().max(2_000).nullable(),
      ah: z.boolean().default(false),
      wallMillis: z.number(),
    }),
  },
  report: { ask: z.object({}), answer: z.object({ json: z.string() }) },
  "writer-record": {
    ask: z.object({ group: Name }),
    answer: z.object({ record: Writer.nullable() }),
  },
  "dead-log": {
    ask: z.object({
      group: Name,
      serverId: z.string().max(20),
      file: Name,
      offset: z.int().min(0),
      length: z.int().min(1).max(LOG_PIECE_BYTES),
    }),
    answer: z.object({
      data: z.string().max(Math.ceil(LOG_PIECE_BYTES / 3) * 4),
      size: z.int().min(0),
      next: Name.nullable(),
    }),
  },
} satisfies { readonly [K in PeerQuestionKind]: { ask: z.ZodType<PeerAsk<K>>; answer: z.ZodType<PeerAnswer<K>> } };
