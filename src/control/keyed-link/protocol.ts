/** What both ends of a link between daemons say first, and the form of what follows. Objects are open: what a newer version adds is ignored. */
import { z } from "zod";

/** One kind of link. */
export interface Protocol {
  /** For people: "the peer link". */
  readonly name: string;
  /** What keys are derived for (RFC 5869, info). */
  readonly purpose: string;
  readonly least: number;
  readonly most: number;
}

/** Who this daemon is, for the other's log and status. */
export interface Myself {
  readonly host: string;
  readonly version: string;
  readonly boot: string;
}

/** What both sides say first. The link works when the ranges have a version in common. */
export const Hello = z.object({
  hello: z.object({
    protocol: z.object({ least: z.int().min(1), most: z.int().min(1) }),
    /** Name of the host and version of the daemon: for people. */
    host: z.string().max(255),
    version: z.string().max(64),
    /** Another one after each start of the daemon. */
    boot: z.string().max(64),
  }),
});
export type Hello = z.infer<typeof Hello>;

export const Question = z.object({ id: z.int().min(0), ask: z.string().max(64), question: z.unknown() });
export const Reply = z.union([
  z.object({ id: z.int().min(0), answer: z.unknown() }),
  z.object({ id: z.int().min(0), error: z.object({ code: z.string().max(64), detail: z.string().max(2_000) }) }),
]);

export const helloOf = ({ least, most }: Protocol, myself: Myself): Hello => ({
  hello: { protocol: { least, most }, ...myself },
});

/** Null when the two have a version in common. */
export function whyForeign(own: Protocol, { hello }: Hello): string | null {
  const { least, most } = hello.protocol;
  if (least <= own.most && most >= own.least) return null;
  const ours = `${own.least} to ${own.most}`;
  return `it speaks protocol ${least} to ${most} of ${own.name} (holdfast ${hello.version}), this daemon ${ours}: bring both to versions that overlap`;
}

/** Connecting, TLS and hello of a stranger may take this long. */
export const HANDSHAKE_MILLIS = 3_000;
