/** What both ends of the peer link say first, and the limits they keep. */
import type { Hello } from "./schemas.ts";

export const PROTOCOL = { least: 1, most: 1 } as const;

/** Who this daemon is, for the peer's log and status. */
export interface Myself {
  readonly host: string;
  readonly version: string;
  readonly boot: string;
}

export const helloOf = (myself: Myself): Hello => ({ hello: { protocol: PROTOCOL, ...myself } });

/** Null when the two have a version in common. */
export function whyForeign({ hello }: Hello): string | null {
  const { least, most } = hello.protocol;
  if (least <= PROTOCOL.most && most >= PROTOCOL.least) return null;
  const ours = `${PROTOCOL.least} to ${PROTOCOL.most}`;
  return `it speaks protocol ${least} to ${most} of the peer link (holdfast ${hello.version}), this daemon ${ours}: bring both to versions that overlap`;
}

/** Connecting, TLS and hello of a stranger may take this long. */
export const HANDSHAKE_MILLIS = 3_000;
