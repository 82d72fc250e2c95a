/** What a host asks a witness, and the form of question and answer, checked at both ends. */
import { z } from "zod";
import type { Protocol } from "../keyed-link/protocol.ts";

export const WITNESS: Protocol = { name: "the witness", purpose: "holdfast witness 1", least: 1, most: 1 };

/** As etcd takes it: whatever a group is called. */
const Key = z.string().min(1).max(1_024);
/** A record is a few hundred bytes; one with every address of a large group has a few thousand. */
const Value = z.string().max(16_384);
const Revision = z.string().regex(/^\d{1,20}$/);

/** Revision "0" and no value: the key is absent. */
export const Reading = z.object({ revision: Revision, value: Value.nullable() });
export const ReadQuestion = z.object({ key: Key });
export const SwapQuestion = z.object({ key: Key, expected: Reading, value: Value });
export const SwapAnswer = z.union([
  z.object({ done: z.literal(true), revision: Revision }),
  z.object({ done: z.literal(false), now: Reading }),
]);
