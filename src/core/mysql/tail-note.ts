/** Where a channel belongs while it receives the tail of a dead writer's log from this daemon: on the disk before it is pointed elsewhere. */
import type { Coordinates } from "./coordinates.ts";
import type { ChannelFacts } from "./member.ts";
import type { ChannelPlace } from "./orders.ts";

export interface TailNote {
  readonly channel: string;
  /** HOST:PORT that it receives from meanwhile. */
  readonly source: string;
  readonly place: ChannelPlace & { readonly at: Coordinates };
}

export const tailNote = (name: string): string => `tail-${name}`;

/** `channel` has executed something. */
export function noteOfChannel(
  { channel, source, executed, usingGtid, tls }: ChannelFacts,
  meanwhile: { readonly host: string; readonly port: number },
): TailNote {
  const colon = source.lastIndexOf(":");
  const place = {
    host: source.slice(0, colon),
    port: Number(source.slice(colon + 1)),
    at: executed ?? { file: "", offset: 4 },
    usingGtid: usingGtid ?? null,
    tls: tls === true,
  };
  return { channel, source: `${meanwhile.host}:${meanwhile.port}`, place };
}

export const tailNoteText = (note: TailNote): string => JSON.stringify(note);

/** Null for a text that is none. */
export function parseTailNote(text: string | null): TailNote | null {
  try {
    const note = JSON.parse(text ?? "null") as TailNote | null;
    const { channel, source, place } = note ?? {};
    const named = typeof channel === "string" && typeof source === "string" && typeof place?.host === "string";
    const placed = Number.isSafeInteger(place?.port) && typeof place?.at?.file === "string";
    return named && placed && Number.isSafeInteger(place.at.offset) ? note : null;
  } catch {
    return null;
  }
}
