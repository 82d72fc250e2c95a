/**
 * What shows that two hosts are master of one virtual router at the same time, and which of the two will let go. Nobody is made to yield here: by
 * adverts VRRP settles it (RFC 9568 section 6.4.3: the higher priority stays, of equal ones the higher address), by its record the quorum store; where neither
 * can, an operator has to know.
 */
import type { IpAddress } from "../lib/ip.ts";

export type Sign =
  /** Its adverts are heard here, again and again, although ours rank higher: it does not hear them. */
  | { readonly kind: "adverts"; readonly source: IpAddress; readonly priority: number; readonly ours: number }
  /** Asked on the link, it says that the address is its own. */
  | { readonly kind: "address"; readonly address: IpAddress; readonly mac: string; readonly interface: string }
  /** Its daemon says over the peer link that it holds the addresses. */
  | { readonly kind: "peer"; readonly peer: string; readonly priority: number; readonly ours: number }
  /** Its daemon has opened its server of the group in that epoch, and this one in `ours`, which is not newer. */
  | {
      readonly kind: "writer";
      readonly group: string;
      readonly peer: string;
      readonly epoch: number;
      readonly ours: number;
    };

export type Yielding = "other" | "this-host" | "undecided" | "nobody";

export interface Resolution {
  readonly yields: Yielding;
  readonly why: string;
}

export function signInWords(sign: Sign): string {
  switch (sign.kind) {
    case "adverts":
      return `adverts of ${sign.source} with priority ${sign.priority} are heard`;
    case "address":
      return `${sign.mac} answers for ${sign.address} on ${sign.interface}`;
    case "peer":
      return `${sign.peer} says that it holds the addresses, too, with priority ${sign.priority}`;
    case "writer":
      return `${sign.peer} has opened ${sign.group} in epoch ${sign.epoch}, this host in epoch ${sign.ours}`;
  }
}

/** By the sign that says most. `signs`: at least one. */
export function resolve(signs: readonly Sign[]): Resolution {
  const heard = signs.find((one) => one.kind === "adverts");
  if (heard !== undefined) {
    const rank =
      heard.priority === heard.ours
        ? "the lower address"
        : `the lower priority, ${heard.priority} against ${heard.ours}`;
    return { yields: "other", why: `${heard.source} has ${rank}: it yields as soon as it hears this host's adverts` };
  }
  const peer = signs.find((one) => one.kind === "peer");
  if (peer !== undefined) return byPriority(peer);
  const writer = signs.find((one) => one.kind === "writer");
  if (writer !== undefined) {
    const why = `Both have opened their server of ${writer.group}: the one without the address has to be closed`;
    return { yields: "undecided", why: `${why}; holdfast status on both shows which` };
  }
  const address = signs.find((one) => one.kind === "address");
  const whom = address === undefined ? "the address" : address.address;
  const why = `Whoever answers sends no adverts that are heard here, so nobody yields by itself`;
  return { yields: "nobody", why: `${why}: \`holdfast doctor --vip ${whom}\` says who it is` };
}

/** The daemons reach each other, and their adverts do not: a firewall, or a switch that loses multicast. */
function byPriority({ peer, priority, ours }: Extract<Sign, { kind: "peer" }>): Resolution {
  const blocked = "The adverts of the two do not reach each other (IP protocol 112); as soon as they do,";
  if (priority === ours) return { yields: "undecided", why: `${blocked} the host with the lower address yields` };
  return priority < ours
    ? { yields: "other", why: `${blocked} ${peer} yields, whose priority is lower` }
    : { yields: "this-host", why: `${blocked} this host yields, whose priority is lower` };
}
