/**
 * Spaces the announcements of addresses (vrrp_garp_interval, vrrp_gna_interval, garp_group): a frame that may not go yet waits
 * here, and the keeper's loop sends it when its time has come; nothing ever sleeps. As keepalived does it, an address waits once,
 * however often a burst repeats it: the first frame goes at once, then every waiting address one interval after the other.
 */
import { familyOf, type IpAddress } from "../core/lib/ip.ts";
import { sameValue } from "../core/lib/same-value.ts";
import type { Micros } from "../core/lib/units.ts";
import { type AnnouncementSpacing, NO_SPACING } from "../core/routing/host.ts";
import type { Link } from "../ports/network.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export interface AnnouncementOutlet {
  now(): number;
  /** Puts one burst on the wire now. */
  announce(runtime: Runtime, link: Link, addresses: readonly IpAddress[], repeat: number): void;
}

interface Waiting {
  readonly runtime: Runtime;
  readonly link: Link;
  readonly address: IpAddress;
  /** Its place among the addresses of its instance. */
  readonly place: number;
}

/** Interfaces that share one spacing, for one family. */
interface Lane {
  readonly interval: Micros;
  nextAt: number;
  readonly waiting: Map<string, Waiting>;
}

export class AnnouncementQueue {
  readonly #outlet: AnnouncementOutlet;
  #spacing: AnnouncementSpacing = NO_SPACING;
  readonly #lanes = new Map<string, Lane>();

  constructor(outlet: AnnouncementOutlet) {
    this.#outlet = outlet;
  }

  configure(spacing: AnnouncementSpacing): void {
    if (sameValue(spacing, this.#spacing)) return;
    this.#spacing = spacing;
    // What waits goes with the next burst or refresh; the new intervals count from now on.
    this.#lanes.clear();
  }

  send(runtime: Runtime, link: Link, addresses: readonly IpAddress[], repeat: number): void {
    const free: IpAddress[] = [];
    const spaced: IpAddress[] = [];
    for (const address of addresses) (this.#lane(link.name, address) === null ? free : spaced).push(address);
    if (free.length > 0) this.#outlet.announce(runtime, link, free, repeat);
    for (let round = 0; round < repeat && spaced.length > 0; round++) {
      for (const [place, address] of spaced.entries()) this.#offer({ runtime, link, address, place });
    }
  }

  /** What this instance still wanted to say is no longer true. */
  forget(runtime: Runtime): void {
    for (const { waiting } of this.#lanes.values()) {
      for (const [key, entry] of waiting) if (entry.runtime === runtime) waiting.delete(key);
    }
  }

  /** When the next frame may go; infinity when none waits. */
  get deadline(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { nextAt, waiting } of this.#lanes.values()) if (waiting.size > 0 && nextAt < first) first = nextAt;
    return first;
  }

  /** Sends what is due: at most one frame a lane. */
  run(): void {
    if (this.#lanes.size === 0) return;
    const now = this.#outlet.now();
    for (const lane of this.#lanes.values()) {
      if (lane.waiting.size === 0 || now < lane.nextAt) continue;
      const next = firstOf(lane.waiting);
      lane.waiting.delete(keyOf(next));
      this.#sendOne(lane, next);
    }
  }

  #offer(entry: Waiting): void {
    const lane = this.#lane(entry.link.name, entry.address);
    if (lane === null) return;
    if (this.#outlet.now() >= lane.nextAt) this.#sendOne(lane, entry);
    else lane.waiting.set(keyOf(entry), entry);
  }

  #sendOne(lane: Lane, { runtime, link, address }: Waiting): void {
    lane.nextAt = this.#outlet.now() + lane.interval;
    this.#outlet.announce(runtime, link, [address], 1);
  }

  /** Null when nothing is spaced on this interface. */
  #lane(device: string, address: IpAddress): Lane | null {
    const kind = familyOf(address) === 4 ? "arp" : "na";
    const group = this.#spacing.groups.findIndex(({ interfaces }) => interfaces.includes(device));
    const interval = (this.#spacing.groups[group] ?? this.#spacing)[kind];
    if (interval === 0) return null;
    const key = `${kind} ${group >= 0 ? group : device}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane: Lane = { interval, nextAt: 0, waiting: new Map() };
    this.#lanes.set(key, lane);
    return lane;
  }
}

const keyOf = ({ runtime, link, address }: Waiting): string => `${runtime.slot} ${link.index} ${address}`;

/** In the order of instances and of their addresses. */
function firstOf(waiting: ReadonlyMap<string, Waiting>): Waiting {
  const entries = [...waiting.values()].sort((a, b) => a.runtime.slot - b.runtime.slot || a.place - b.place);
  return entries[0] as Waiting;
}
