/**
 * Invariant I1 where a quorum store decides. `consistency` and `balanced`: nobody answers beside another, whatever is cut, frozen or forgotten, and nobody
 * for longer than `check` prints after its last renewal. `availability`: two only while one of them gets no answer of the store. Who serves by an
 * operator's order is as with `availability`, until it is granted again; and an order never outlives an answer. The arithmetic is written out once more
 * here, as in ../bounds.ts.
 */
import type { Policy } from "../../core/database/config.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { World } from "../world.ts";

interface Record {
  readonly host: string;
  readonly life: string | null;
  readonly epoch: number;
}

export interface Times {
  readonly ttl: number;
  readonly renew: number;
  readonly timeout: number;
}

/** From the end of the ttl until a kernel has surely removed the address, as `check` prints it. */
const SILENCE = 1_100_000;
/** A keeper that is late between the decision and the kernel. */
const LATENESS = 10_000;
/** Clocks of two hosts differ by at most this share. */
const DRIFT = 0.0005;

export interface RuleParts {
  readonly world: World;
  readonly address: IpAddress;
  readonly policy: Policy;
  readonly times: Times;
  /** Asked and answered without anything in the way. */
  readonly hears: (node: number) => boolean;
  readonly now: () => Reading;
  /** When the store last answered the daemon of that host, by its own clock; null: never. */
  readonly heardAt: (node: number) => number | null;
}

export class QuorumRules {
  readonly #parts: RuleParts;
  /** By node: when a write of it last landed, by its own clock. */
  readonly #landed = new Map<number, number>();
  /** Whose servers take writes. */
  readonly #open = new Set<number>();
  /** By node: when an order was given, by its own clock. */
  readonly #orders = new Map<number, number>();
  /** Who serves by an order, or may. */
  readonly #byOrder = new Set<number>();
  /** Since when two have answered though both hear the store. */
  #twoSince: number | null = null;
  #lostAt = Number.NEGATIVE_INFINITY;
  #leftFree = false;
  #blindUntil = Number.NEGATIVE_INFINITY;
  /** Nothing was written since it forgot. */
  #freshLoss = false;
  #answering: readonly number[] = [];
  /** Changes of the holder in the store. */
  holders = 0;
  /** Claims that went on without the store by an order. */
  overruled = 0;
  /** How often the store forgot while somebody answered. */
  losses = 0;

  constructor(parts: RuleParts) {
    this.#parts = parts;
  }

  get #strict(): boolean {
    return this.#parts.policy !== "availability";
  }

  swapped(before: Reading, now: Reading): void {
    const was = parse(before);
    const is = parse(now);
    if (is === null) return;
    const { world } = this.#parts;
    const who = is.life ?? "free";
    world.trace.add(world.now, "store", "quorum", `revision ${now.revision}: ${who} in epoch ${is.epoch}`);
    if (is.life === null) this.#givenBack(nodeOf(is));
    else this.#written(nodeOf(is), is.life !== was?.life && was?.life !== null);
    // What was lost is written again on what was left, by whoever still knows better.
    const loss = this.#freshLoss;
    this.#freshLoss = false;
    if (was !== null && !loss) this.#checkEpoch(was, is);
  }

  /** `fromAnother`: the record there was not given back. */
  #written(node: number, fromAnother: boolean): void {
    if (fromAnother) this.#checkEarly(node);
    this.#landed.set(node, this.#parts.world.host(node).now());
  }

  /** It binds nobody any more. */
  #givenBack(node: number): void {
    // Who serves by an order has no record: what lands is the late release of an earlier one.
    if (this.#strict && this.#open.has(node) && !this.#byOrder.has(node))
      this.#fail("release", `node ${node + 1} gives the record back and takes writes`);
    this.#landed.delete(node);
  }

  #checkEpoch(was: Record, is: Record): void {
    const same = is.life === null ? is.host === was.host : is.life === was.life;
    if (!same) this.holders++;
    if (same ? is.epoch === was.epoch : is.epoch > was.epoch) return;
    const [one, other] = [is, was].map(({ life }) => life ?? "a release");
    this.#fail("epoch", `${one} has epoch ${is.epoch} after ${other} had ${was.epoch}`);
  }

  server(node: number, open: boolean): void {
    if (open) this.#open.add(node);
    else this.#open.delete(node);
  }

  /** No record takes the place of another before the wait that `check` prints. */
  #checkEarly(node: number): void {
    const { world, times } = this.#parts;
    if (world.now < this.#blindUntil) return;
    for (const [other, at] of this.#landed) {
      const age = world.host(other).now() - at;
      if (other === node || age >= times.ttl + SILENCE) continue;
      const later = (age / 1e6).toFixed(3);
      this.#fail("early", `node ${node + 1} has the record ${later} s after node ${other + 1} has written it`);
    }
  }

  told(node: number, action: string): void {
    if (action === "ordered") this.#orders.set(node, this.#parts.world.host(node).now());
    if (action !== "overridden") return;
    const ordered = this.#orders.get(node);
    const heard = this.#parts.heardAt(node);
    this.#orders.delete(node);
    if (ordered === undefined)
      this.#fail("order", `node ${node + 1} goes on without the store, and nobody has ordered it`);
    else if (heard !== null && heard > ordered)
      this.#fail("order", `node ${node + 1} goes on without a store that has answered since the order`);
    this.overruled++;
    this.#byOrder.add(node);
  }

  /** What control tells its keeper: never more than the store has granted, counted from when the write was there. */
  permitted(node: number, until: number | null): void {
    if (!this.#strict || until === null || until <= this.#parts.world.host(node).now()) return;
    this.#byOrder.delete(node);
    const beyond = until - ((this.#landed.get(node) ?? Number.NEGATIVE_INFINITY) + this.#parts.times.ttl);
    if (beyond <= 0) return;
    this.#fail("permit", `node ${node + 1} may hold the address for ${(beyond / 1e6).toFixed(3)} s beyond its grant`);
  }

  /** `left`: what the store shows now. */
  forgotten(left: Reading): void {
    this.#lostAt = this.#parts.world.now;
    this.#leftFree = parse(left)?.life === null;
    this.#freshLoss = true;
    if (this.#answering.length > 0) this.losses++;
  }

  /**
   * What was set back to a record that was given back, before the holder's next renewal, cannot be known to a daemon that looks for the first time: what
   * follows from that is not covered (decision 99).
   */
  daemonStarts(): void {
    const { now } = this.#parts.world;
    if (this.#leftFree && now - this.#lostAt < this.#wait) this.#blindUntil = this.#lostAt + this.#wait;
  }

  get #wait(): number {
    return (this.#parts.times.ttl + SILENCE) * (1 + DRIFT);
  }

  /** After every event. */
  check(): void {
    const { world, address } = this.#parts;
    const answering = world.hosts.filter((host) => host.answers(address)).map(({ node }) => node);
    for (const node of this.#answering) if (!answering.includes(node)) this.#byOrder.delete(node);
    for (const node of answering) {
      if (!this.#answering.includes(node)) this.#began(node);
      this.#checkGrant(node);
    }
    this.#answering = answering;
    if (answering.length < 2) this.#twoSince = null;
    else this.#checkTwo(answering);
  }

  #checkTwo(nodes: readonly number[]): void {
    const { world, hears, times } = this.#parts;
    const names = nodes.map((node) => `node ${node + 1}`).join(" and ");
    if (this.#strict && world.now < this.#blindUntil) return;
    if (this.#strict && !nodes.some((node) => this.#byOrder.has(node))) {
      this.#fail("I1", `${names} answer at the same time`);
      return;
    }
    const excused = nodes.some((node) => !hears(node) || !world.host(node).serving);
    if (excused) this.#twoSince = null;
    else this.#twoSince ??= world.now;
    if (this.#twoSince === null || world.now - this.#twoSince <= settles(times)) return;
    this.#fail("I1", `${names} answer at the same time though the store answers both`);
  }

  /** No longer than its last write counts, and no lifetime beyond that; the kernel's lateness comes on top. */
  #checkGrant(node: number): void {
    if (!this.#strict || this.#byOrder.has(node)) return;
    const landed = this.#landed.get(node);
    const age = landed === undefined ? Number.POSITIVE_INFINITY : this.#parts.world.host(node).now() - landed;
    const { ttl } = this.#parts.times;
    if (age > ttl + SILENCE) {
      this.#fail("grant", `node ${node + 1} answers ${(age / 1e6).toFixed(3)} s after its last renewal`);
    }
    const { kernel } = this.#parts.world.host(node);
    const lifetime = (kernel.validUntil(this.#parts.address) ?? 0) - (landed ?? 0);
    if (lifetime > ttl + LATENESS) {
      this.#fail("grant", `node ${node + 1} has a lifetime of ${(lifetime / 1e6).toFixed(3)} s from its last renewal`);
    }
  }

  /** Whoever begins to answer has the record, unless the store has just forgotten that. */
  #began(node: number): void {
    const { now, world } = this.#parts;
    const record = parse(now());
    if (
      !this.#strict ||
      this.#byOrder.has(node) ||
      (record !== null && record.life !== null && nodeOf(record) === node)
    )
      return;
    if (world.now - this.#lostAt < this.#wait) return;
    this.#fail("record", `node ${node + 1} begins to answer, the record is ${record?.life ?? "nobody's"}`);
  }

  /** Everything is mended and has been for long. */
  checkCalm(): void {
    const { now, world, times } = this.#parts;
    const [holder, other] = this.#answering;
    if (holder === undefined || other !== undefined) {
      this.#fail("one-holder", `long after the last fault ${this.#answering.length} nodes answer`);
      return;
    }
    const record = parse(now());
    if (record === null || record.life === null || nodeOf(record) !== holder) {
      this.#fail("one-holder", `node ${holder + 1} answers, the record is ${record?.life ?? "nobody's"}`);
      return;
    }
    const age = world.host(holder).now() - (this.#landed.get(holder) ?? Number.NEGATIVE_INFINITY);
    if (age > 2 * times.renew + times.timeout) {
      this.#fail("one-holder", `node ${holder + 1} has not renewed its record for ${(age / 1e6).toFixed(3)} s`);
    }
  }

  #fail(rule: string, text: string): void {
    this.#parts.world.fail({ rule, text });
  }
}

/** A whole wait for what may have been, two looks that find the other alive, and the way to the keeper. */
const settles = ({ ttl, renew, timeout }: Times): number => (ttl + SILENCE) * (1 + 4 * DRIFT) + 4 * (renew + timeout);

const nodeOf = ({ host }: Record): number => Number(host.split(" ").at(-1)) - 1;

/** Without the product's decoder. */
function parse({ value }: Reading): Record | null {
  return value === null ? null : (JSON.parse(value) as Record);
}
