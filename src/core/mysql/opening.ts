/**
 * Where whoever follows a peer by file and position goes on in the own binary log: noted at each opening, before the first write, for every peer that
 * is received from. Somebody who has executed exactly `executed` of the peer has everything that is before `position` here, and nothing
 * that is behind it.
 */
import { type Coordinates, coordinatesInWords } from "./coordinates.ts";
import { channelsFrom, type TakeoverFacts } from "./takeover.ts";

export interface Origin {
  /** Of the peer, in its coordinates. */
  readonly executed: Coordinates;
  readonly position: Coordinates;
}

/** By the peer's address as in the file. */
export type Opening = ReadonlyMap<string, Origin>;

/** `before`: of the opening before. While nothing more of a peer was executed, what was written here since is behind the older position. */
export function openingOf(facts: Pick<TakeoverFacts, "own" | "peers">, before: Opening | null): Opening {
  const opening = new Map<string, Origin>();
  const position = facts.own.end;
  for (const peer of facts.peers) {
    const executed = channelsFrom(facts, peer)[0]?.executed ?? null;
    if (executed === null || position === null) continue;
    const known = before?.get(peer.address);
    const same = known !== undefined && coordinatesInWords(known.executed) === coordinatesInWords(executed);
    opening.set(peer.address, same ? known : { executed, position });
  }
  return opening;
}

export const openingText = (opening: Opening): string => JSON.stringify([...opening]);

/** Null for a text that is none. */
export function parseOpening(text: string | null): Opening | null {
  try {
    const entries = JSON.parse(text ?? "null") as readonly (readonly [string, Origin])[];
    const whole = (at: Coordinates): boolean => typeof at.file === "string" && Number.isSafeInteger(at.offset);
    const good = entries.every(
      ([address, { executed, position }]) => typeof address === "string" && whole(executed) && whole(position),
    );
    return good ? new Map(entries) : null;
  } catch {
    return null;
  }
}
