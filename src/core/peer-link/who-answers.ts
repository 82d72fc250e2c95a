/** Who answers for an address, as several hosts see it: what that means, and for whom it is a problem. Pure words; asking is main's business. */
import type { WhoAnswers } from "./questions.ts";

export interface Sight {
  /** Null: this host. Else the peer's place. */
  readonly peer: string | null;
  /** Null: the peer could not be asked; `problem` says why. */
  readonly seen: WhoAnswers | null;
  readonly problem: string | null;
}

export type VipVerdict = "held-once" | "held-by-nobody" | "held-twice" | "unknown";

/** How many hosts have the address: those that say so themselves, and strangers that answer beside them. */
export function judgeSights(sights: readonly Sight[]): { readonly verdict: VipVerdict; readonly words: string } {
  const holders = sights.filter(({ seen }) => seen?.own === true);
  const macs = new Set(sights.flatMap(({ seen }) => seen?.macs ?? []));
  const mostSeen = Math.max(0, ...sights.map(({ seen }) => (seen?.macs.length ?? 0) + (seen?.own === true ? 1 : 0)));
  if (holders.length > 1) {
    return { verdict: "held-twice", words: `${holders.length} hosts have the address: ${namesOf(holders)}` };
  }
  if (mostSeen > 1) {
    return { verdict: "held-twice", words: `more than one host answers for the address: ${[...macs].join(", ")}` };
  }
  const [holder] = holders;
  if (holder !== undefined)
    return { verdict: "held-once", words: `${nameOf(holder)} has the address, nobody else answers` };
  if (macs.size > 1) {
    return { verdict: "held-twice", words: `different hosts answer on the two sides: ${[...macs].join(", ")}` };
  }
  const [mac] = macs;
  if (mac !== undefined)
    return { verdict: "held-once", words: `${mac} answers, and it is none of the hosts that were asked` };
  if (sights.some(({ seen, problem }) => problem !== null || seen?.problem != null)) {
    return { verdict: "unknown", words: "nobody answers where it could be asked" };
  }
  return { verdict: "held-by-nobody", words: "nobody answers for the address" };
}

const nameOf = ({ peer }: Sight): string => peer ?? "this host";
const namesOf = (sights: readonly Sight[]): string => sights.map(nameOf).join(", ");
