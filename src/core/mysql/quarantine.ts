/** What the writer notes of its quarantined peers. */
import { type Coordinates, reaches } from "./coordinates.ts";
import { type LeftOut, missingOf, placeNote, readUntil } from "./left-out.ts";
import type { MemberFacts } from "./member.ts";
import type { TakeoverFacts } from "./takeover.ts";
import { isQuarantined } from "./tending.ts";

/**
 * At a look of the writer. A peer that does not answer keeps what was noted; one that is open, or has nothing extra, has nothing that was left out.
 * `read`: up to where the binary logs of peers were read of which nothing else tells.
 */
export function noteLeftOut(
  before: LeftOut,
  facts: Pick<TakeoverFacts, "own" | "peers">,
  read: ReadonlyMap<string, Coordinates> = new Map(),
): LeftOut {
  const noted = new Map<string, string>();
  for (const peer of facts.peers) {
    const known = before.get(peer.address);
    if (peer.state.kind !== "up") {
      if (known !== undefined) noted.set(peer.address, known);
      continue;
    }
    const theirs = peer.state.facts;
    if (theirs.closedBy === null || !isQuarantined(facts, peer)) continue;
    const missing = missingOf(facts.own, theirs) ?? placeOf(facts.own, theirs, [known, read.get(peer.address)]);
    if (missing !== null && missing !== "") noted.set(peer.address, missing);
  }
  return noted;
}

/** What was read on since stays read. */
function placeOf(
  own: MemberFacts,
  theirs: MemberFacts,
  [known, read]: readonly [string | undefined, Coordinates | undefined],
): string | null {
  const before = readUntil(known, own, theirs);
  if (read === undefined) return before === null ? null : (known ?? null);
  return before !== null && reaches(before, read) === true ? (known ?? null) : placeNote(own, theirs, read);
}
