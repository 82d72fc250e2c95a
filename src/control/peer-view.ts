/** The peers' daemons for `status`: the link's account with times that people read. */
import { placeInWords } from "../core/peer-link/config.ts";
import type { PeerState } from "../ports/peer-link.ts";
import type { PeerView } from "./contract/types.ts";

export function peerView(
  { place, connected, since, detail, node, last }: PeerState,
  wallTime: (at: number) => number,
): PeerView {
  return {
    peer: placeInWords(place),
    connected,
    since: since === null ? null : wallTime(since),
    detail,
    host: node?.host ?? null,
    version: node?.version ?? null,
    askedAt: last === null ? null : wallTime(last.askedAt),
    instances: (last?.answer.instances ?? []).map(({ name, state, phase, priority, addresses, holding }) => ({
      name,
      state,
      phase,
      priority,
      addresses: [...addresses],
      holding,
    })),
    writers: (last?.answer.writers ?? []).map(({ group, epoch, role, time }) => ({ group, epoch, role, time })),
  };
}
