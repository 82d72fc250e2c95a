/**
 * The tables of `fence strict` on one host, as nf_tables has them: they outlive the keeper that made them; an element runs out on a tick of
 * the host's own clock, and taking out one that has run out fails. Which packets pass is asked of it by whoever wants an answer.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { FenceEntry } from "../core/nftables/fence.ts";
import type { FencePort } from "../ports/fence.ts";
import type { KernelError } from "../ports/network.ts";
import type { Prng } from "./prng.ts";

/** Lengths are cut to ticks, the first of which has begun; and a tick may be handled late (core/vrrp/fence.ts). */
const EARLY_MAX = 8_000;
const LATE_MAX = 15_000;
/** A tick: of less the kernel makes no timeout. */
const SHORTEST_MILLIS = 10;

const MISSING: KernelError = { errno: "ENOENT", what: "renew the fence" };

/** Until when each address is open, by the host's clock. */
type Table = Map<IpAddress, number>;

export class FakeFence {
  readonly #tables = new Map<number, Table>();
  readonly #now: () => number;
  readonly #prng: Prng;

  constructor(now: () => number, prng: Prng) {
    this.#now = now;
    this.#prng = prng;
  }

  /** Packets to and from the address are dropped. */
  closed(address: IpAddress): boolean {
    for (const table of this.#tables.values()) {
      const until = table.get(address);
      if (until !== undefined && this.#now() >= until) return true;
    }
    return false;
  }

  stands(address: IpAddress): boolean {
    return [...this.#tables.values()].some((table) => table.has(address));
  }

  /** Also what control does for a dead keeper. */
  sweep(): readonly string[] {
    const names = [...this.#tables.keys()].map((pid) => `inet holdfast_fence_${pid}`);
    this.#tables.clear();
    return names;
  }

  /** As one keeper sees it. */
  port(pid: number, alive: () => boolean): FencePort {
    return {
      set: (entries, afresh) => {
        if (!alive()) return null;
        const before = this.#tables.get(pid) ?? new Map<IpAddress, number>();
        const kept = (entry: FenceEntry): number =>
          (afresh ? undefined : before.get(entry.address)) ?? this.#end(entry);
        if (entries.length === 0) this.#tables.delete(pid);
        else this.#tables.set(pid, new Map(entries.map((entry) => [entry.address, kept(entry)])));
        return null;
      },
      renew: (entries) => (alive() ? this.#renew(this.#tables.get(pid), entries) : null),
      sweep: () => (alive() ? this.sweep() : []),
    };
  }

  #renew(table: Table | undefined, entries: readonly FenceEntry[]): KernelError | null {
    const timed = entries.filter(({ openMillis }) => openMillis >= SHORTEST_MILLIS);
    const now = this.#now();
    if (table === undefined || timed.some(({ address }) => now >= (table.get(address) ?? 0))) return MISSING;
    for (const entry of timed) table.set(entry.address, this.#end(entry));
    return null;
  }

  #end({ openMillis }: FenceEntry): number {
    const now = this.#now();
    if (openMillis < SHORTEST_MILLIS) return now;
    return now + Math.floor(openMillis) * 1_000 + this.#prng.between(-EARLY_MAX, LATE_MAX);
  }
}
