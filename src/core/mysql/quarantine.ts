/** What the writer notes of its quarantined peers. */
import { type LeftOut, missingOf } from "./left-out.ts";
import type { TakeoverFacts } from "./takeover.ts";
import { isQuarantined } from "./tending.ts";

/** At a look of the writer. A peer that does not answer keeps what was noted; one that is open, or has nothing extra, has nothing that was left out. */
export function noteLeftOut(before: LeftOut, facts: Pick<TakeoverFacts, "own" | "peers">): LeftOut {
  const noted = new Map<string, string>();
  for (const peer of facts.peers) {
    const known = before.get(peer.address);
    if (peer.state.kind !== "up") {
      if (known !== undefined) noted.set(peer.address, known);
      continue;
    }
    const closed = peer.state.facts.closedBy !== null;
    const missing = closed && isQuarantined(facts, peer) ? missingOf(facts.own, peer.state.facts) : null;
    if (missing !== null && missing !== "") noted.set(peer.address, missing);
  }
  return noted;
}
