/**
 * Addresses that are in use elsewhere while they are held here: tells the port which ones to listen for, and turns what it
 * hears into a counter and an event.
 *
 * It never fights. An address is not defended with announcements (RFC 5227 section 2.4 would) and MASTER is not given up: two
 * masters are for the election to settle, which is decided by adverts; the winner then announces itself (RFC 9568 section 6.4.3).
 * Announcing against the other would only make the clients flap between two hosts, and yielding to any ARP frame would let
 * anybody on the segment switch the service off.
 */
import { macText } from "../core/arp/frame.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { seconds } from "../core/lib/units.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import { stateName } from "../core/vrrp/machine.ts";
import type { AddressConflict, ConflictPort, Link } from "../ports/network.ts";
import type { EffectRunner } from "./vrrp-effects.ts";
import type { Runtime } from "./vrrp-runtime.ts";

/** Pause between two events about the same address and MAC. */
const TELL_AGAIN = seconds(10);
/** Different ones told in that time, for each instance: forged MACs must not fill log and journal. */
const TOLD_MAX = 8;

/** Which interface carries an address. */
export interface AddressPlaces {
  readonly links: readonly Link[];
  deviceIndex(runtime: Runtime, address: VirtualAddress): number | null;
}

export class ConflictDesk {
  readonly #port: ConflictPort;
  #links: readonly Link[] = [];
  #seen: readonly (readonly VirtualAddress[])[] = [];

  constructor(port: ConflictPort) {
    this.#port = port;
  }

  /** Keeps the port up to date; costs a comparison per instance while nothing has changed. */
  follow(runtimes: readonly Runtime[], places: AddressPlaces): void {
    if (!this.#changed(runtimes, places.links)) return;
    this.#links = places.links;
    this.#seen = runtimes.map((runtime) => runtime.held);
    const held = new Map<number, Set<IpAddress>>();
    for (const runtime of runtimes) {
      for (const entry of runtime.held) {
        const index = places.deviceIndex(runtime, entry);
        if (index !== null) held.set(index, (held.get(index) ?? new Set()).add(entry.address));
      }
    }
    const list = [...held].map(([interfaceIndex, addresses]) => ({ interfaceIndex, addresses }));
    this.#port.watch(list, new Set(places.links.map((link) => macText(link.mac))));
  }

  /** `held` is replaced whenever it changes, never written to. */
  #changed(runtimes: readonly Runtime[], links: readonly Link[]): boolean {
    if (links !== this.#links || runtimes.length !== this.#seen.length) return true;
    for (let position = 0; position < runtimes.length; position++) {
      if (runtimes[position]?.held !== this.#seen[position]) return true;
    }
    return false;
  }
}

/** Counts and tells a conflict, if a MASTER holds that address there at this moment. */
export function tellConflict(
  conflict: AddressConflict,
  runtimes: readonly Runtime[],
  places: AddressPlaces,
  effects: EffectRunner,
): void {
  const { interfaceIndex, address, mac } = conflict;
  const runtime = runtimes.find((candidate) => holds(candidate, conflict, places));
  if (runtime === undefined) return;
  runtime.counters.addressConflicts++;
  if (!mayTell(runtime, `${address} ${mac}`, effects)) return;
  const on = places.links.find((link) => link.index === interfaceIndex)?.name ?? runtime.config.interface;
  effects.event({ kind: "address-conflict", instance: runtime.config.name, interface: on, address, mac });
}

function holds(runtime: Runtime, { address, interfaceIndex }: AddressConflict, places: AddressPlaces): boolean {
  if (stateName(runtime.state) !== "MASTER") return false;
  return runtime.held.some(
    (entry) => entry.address === address && places.deviceIndex(runtime, entry) === interfaceIndex,
  );
}

function mayTell({ conflictsTold }: Runtime, key: string, effects: EffectRunner): boolean {
  const now = effects.ports.clock.now();
  for (const [told, at] of conflictsTold) if (now - at >= TELL_AGAIN) conflictsTold.delete(told);
  if (conflictsTold.has(key) || conflictsTold.size >= TOLD_MAX) return false;
  conflictsTold.set(key, now);
  return true;
}
