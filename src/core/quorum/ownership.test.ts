// Two daemons, one store, clocks that run apart and answers that are late or lost: never both may hold.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant, after as later, micros, millis, seconds } from "../lib/units.ts";
import {
  beginWrite,
  claimStep,
  isHeld,
  letGo,
  type Myself,
  NOTHING_KNOWN,
  type Ownership,
  observe,
  type Reading,
  releasing,
  type Write,
  written,
} from "./ownership.ts";
import { encodeRecord, readContent } from "./record.ts";
import { CLOCK_RATE_BOUND, SILENCE, shortestTtl, waitFor } from "./timing.ts";

const VIP = ["192.0.2.100"];
const GAP = millis(1_500);
const me = (life: string, ttl = seconds(4)): Myself => ({ host: `host-${life}`, life, addresses: VIP, ttl, gap: GAP });

/** A store with one key, changed by compare and swap alone. */
class Key {
  store = 0;
  revision = 0;
  value: string | null = null;

  read(): Reading {
    return { revision: String(this.revision), value: this.value };
  }

  swap(expected: Reading, value: string): boolean {
    if (expected.revision !== String(this.revision) || expected.value !== this.value) return false;
    this.store += 1;
    this.revision = this.store;
    this.value = value;
    return true;
  }

  /** Made anew, or set back to a copy. */
  becomes({ revision, value }: Reading): void {
    [this.store, this.revision, this.value] = [Number(revision), Number(revision), value];
  }

  /** By an operator. */
  remove(): void {
    [this.revision, this.value] = [0, null];
  }
}

const EMPTY: Reading = { revision: "0", value: null };

function claimed(key: Key, self: Myself, at: number): Ownership {
  const { own, write } = beginWrite(observe(NOTHING_KNOWN, key.read(), self, instant(at)), self, instant(at));
  expect(key.swap(write.expected, encodeRecord(write.record))).toBe(true);
  return written(own, { write, revision: String(key.revision) }, self, instant(at));
}

describe("a claim", () => {
  test("an absent record is written in epoch 1 after it has been absent for as long as a holder may serve, and counts from before it was sent", () => {
    const free = instant(waitFor({ ttl: seconds(4), silence: SILENCE }));
    const seen = observe(NOTHING_KNOWN, EMPTY, me("a"), instant(0));
    expect(claimStep(seen, me("a"), 0, instant(free - 1))).toEqual({ kind: "wait", until: free });
    expect(claimStep(seen, me("a"), 0, free)).toEqual({ kind: "write" });
    expect(beginWrite(seen, me("a"), free).write.record.epoch).toBe(1);
    expect(claimed(new Key(), me("a"), 1_000).until).toBe(later(instant(1_000), seconds(4)));
  });

  test("another's record is waited for from when it was first seen, to the microsecond", () => {
    const key = new Key();
    claimed(key, me("a"), 0);
    const seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(500));
    const free = later(instant(500), waitFor({ ttl: seconds(4), silence: SILENCE }));
    expect(claimStep(seen, me("b"), 0, instant(free - 1))).toEqual({ kind: "wait", until: free });
    expect(claimStep(seen, me("b"), 0, free)).toEqual({ kind: "write" });
    expect(beginWrite(seen, me("b"), free).write.record.epoch).toBe(2);
  });

  test("seeing the same revision again starts no new wait, a renewal does", () => {
    const key = new Key();
    const own = claimed(key, me("a"), 0);
    let seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(500));
    seen = observe(seen, key.read(), me("b"), instant(900));
    expect(seen.seen?.since).toBe(500);
    const { write } = beginWrite(own, me("a"), instant(1_000));
    key.swap(write.expected, encodeRecord(write.record));
    expect(observe(seen, key.read(), me("b"), instant(1_500)).seen?.since).toBe(1_500);
  });

  test("a holder that asks for longer is waited for that long, whatever this host has configured", () => {
    const key = new Key();
    claimed(key, me("a", seconds(20)), 0);
    const seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(0));
    const until = instant(waitFor({ ttl: seconds(20), silence: SILENCE }));
    expect(claimStep(seen, me("b"), 0, instant(0))).toEqual({ kind: "wait", until });
  });

  test("one that renews again and again is alive; one that has given back is not waited for", () => {
    const key = new Key();
    const own = claimed(key, me("a"), 0);
    const seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(0));
    expect(claimStep(seen, me("b"), 2, instant(1))).toMatchObject({ kind: "refuse" });
    const write = releasing(own, me("a"));
    if (write === null) throw new Error("it is its own");
    key.swap(write.expected, encodeRecord(write.record));
    const free = observe(seen, key.read(), me("b"), instant(1));
    expect(claimStep(free, me("b"), 2, instant(1))).toEqual({ kind: "write" });
    expect(releasing(free, me("b"))).toBeNull();
  });

  test("a record of another pair, or no record at all, is never written over", () => {
    for (const value of ["", "{}", "null", "[1]", '{"form":"holdfast-writer-1"}']) {
      const seen = observe(NOTHING_KNOWN, { revision: "7", value }, me("b"), instant(0));
      expect(claimStep(seen, me("b"), 0, instant(1e12))).toMatchObject({ kind: "foreign" });
    }
    const key = new Key();
    claimed(key, { ...me("a"), addresses: ["192.0.2.7"] }, 0);
    const seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(0));
    expect(claimStep(seen, me("b"), 0, instant(1e12))).toMatchObject({ kind: "foreign" });
  });
});

describe("a holder", () => {
  test("a write whose answer was lost counts from when it was sent, once it is seen", () => {
    const key = new Key();
    const first = claimed(key, me("a"), 0);
    const { own, write } = beginWrite(first, me("a"), instant(1_000));
    expect(own.until).toBe(first.until);
    key.swap(write.expected, encodeRecord(write.record));
    expect(observe(own, key.read(), me("a"), instant(9_000)).until).toBe(later(instant(1_000), seconds(4)));
  });

  test("another's record ends it at once", () => {
    const key = new Key();
    const own = claimed(key, me("a"), 0);
    const theirs = beginWrite(observe(NOTHING_KNOWN, key.read(), me("b"), instant(0)), me("b"), instant(0)).write;
    key.swap(theirs.expected, encodeRecord(theirs.record));
    expect(isHeld(observe(own, key.read(), me("a"), instant(1)), instant(1))).toBe(false);
  });
});

describe("a store that has lost what it knew", () => {
  const wait = waitFor({ ttl: seconds(4), silence: SILENCE });

  test("a record that is gone is waited for like its holder, with the holder's times, and its epoch goes on", () => {
    const key = new Key();
    claimed(key, me("a", seconds(20)), 0);
    const before = observe(NOTHING_KNOWN, key.read(), me("b"), instant(0));
    for (const lose of [() => key.remove(), () => key.becomes(EMPTY)]) {
      lose();
      const seen = observe(before, key.read(), me("b"), instant(1_000));
      const until = later(instant(1_000), waitFor({ ttl: seconds(20), silence: SILENCE }));
      expect(claimStep(seen, me("b"), 0, instant(until - 1))).toEqual({ kind: "wait", until });
      expect(claimStep(seen, me("b"), 0, until)).toEqual({ kind: "write" });
      expect(beginWrite(seen, me("b"), until).write.record.epoch).toBe(2);
    }
  });

  test("who still holds writes it again at once, in its epoch; whose hold has run out waits", () => {
    const key = new Key();
    const own = claimed(key, me("a"), 0);
    key.remove();
    const seen = observe(own, key.read(), me("a"), instant(1_000_000));
    expect(claimStep(seen, me("a"), 0, instant(1_000_000))).toEqual({ kind: "write" });
    expect(beginWrite(seen, me("a"), instant(1_000_000)).write).toMatchObject({
      expected: { revision: "0" },
      record: { epoch: 1 },
    });
    const late = observe(own, key.read(), me("a"), instant(4_000_001));
    expect(claimStep(late, me("a"), 0, instant(4_000_001))).toMatchObject({ kind: "wait" });
  });

  test("set back to a released record or to one's own: who does not hold any more waits, and epochs are not given twice", () => {
    const key = new Key();
    let own = claimed(key, me("a"), 0);
    const mine = key.read();
    const release = releasing(own, me("a"));
    if (release === null) throw new Error("it is its own");
    key.swap(release.expected, encodeRecord(release.record));
    own = observe(own, key.read(), me("a"), instant(1));
    const released = key.read();
    for (let turn = 0; turn < 3; turn += 1) {
      const { write } = beginWrite(observe(NOTHING_KNOWN, key.read(), me("b"), instant(2)), me("b"), instant(2));
      key.swap(write.expected, encodeRecord({ ...write.record, epoch: 5 }));
    }
    const current = observe(own, key.read(), me("a"), instant(3));
    for (const copy of [mine, released]) {
      const seen = observe(current, copy, me("a"), instant(10));
      expect(claimStep(seen, me("a"), 0, instant(9 + wait))).toMatchObject({ kind: "wait" });
      expect(claimStep(seen, me("a"), 0, instant(10 + wait))).toEqual({ kind: "write" });
      expect(beginWrite(seen, me("a"), instant(10 + wait)).write.record.epoch).toBe(6);
    }
  });

  test("set back under the holder: it goes on, whatever is there of it", () => {
    const key = new Key();
    const first = claimed(key, me("a"), 0);
    const copy = key.read();
    const { own, write } = beginWrite(first, me("a"), instant(1_000));
    key.swap(write.expected, encodeRecord(write.record));
    const renewed = written(own, { write, revision: String(key.revision) }, me("a"), instant(1_001));
    const seen = observe(renewed, copy, me("a"), instant(2_000));
    expect(seen.until).toBe(renewed.until);
    expect(claimStep(seen, me("a"), 0, instant(2_000))).toEqual({ kind: "write" });
    expect(beginWrite(seen, me("a"), instant(2_000)).write.expected).toMatchObject({ revision: copy.revision });
  });

  test("made anew, it counts through the same revisions: another record in the same one is no record that stood still", () => {
    const key = new Key();
    let own = claimed(key, me("a"), 0);
    let seen = observe(NOTHING_KNOWN, key.read(), me("b"), instant(0));
    key.becomes(EMPTY);
    own = observe(own, key.read(), me("a"), instant(3_000_000));
    const { write } = beginWrite(own, me("a"), instant(3_000_000));
    expect(key.swap(write.expected, encodeRecord(write.record))).toBe(true);
    expect(key.revision).toBe(1);
    const stale = beginWrite(seen, me("b"), instant(3_000_000)).write;
    expect(key.swap(stale.expected, encodeRecord(stale.record))).toBe(false);
    seen = observe(seen, key.read(), me("b"), instant(3_000_001));
    expect(seen.seen?.since).toBe(3_000_001);
  });

  test("a write of before the loss that is carried out late stands in a revision that was seen: what it gives back is not believed", () => {
    const key = new Key();
    let own = claimed(key, me("a"), 0);
    const before = key.read();
    const release = releasing(own, me("a"));
    if (release === null) throw new Error("it is its own");
    const { write } = beginWrite(own, me("a"), instant(1_000));
    key.swap(write.expected, encodeRecord(write.record));
    own = written(own, { write, revision: String(key.revision) }, me("a"), instant(1_001));
    const other = observe(NOTHING_KNOWN, key.read(), me("b"), instant(2_000));
    key.becomes(before);
    expect(key.swap(release.expected, encodeRecord(release.record))).toBe(true);
    expect(key.read().revision).toBe(other.latest);
    const seen = observe(other, key.read(), me("b"), instant(3_000));
    expect(claimStep(seen, me("b"), 0, instant(3_000))).toEqual({ kind: "wait", until: instant(3_000 + wait) });
    expect(observe(own, key.read(), me("a"), instant(3_000)).until).toBe(own.until);
  });

  test("what is let go does not count, though the store may not have heard of it", () => {
    expect(isHeld(letGo(claimed(new Key(), me("a"), 0)), instant(1))).toBe(false);
  });
});

test("what is written is read again", () => {
  const { gap: _gap, ...self } = me("a");
  const record = { ...self, epoch: 3, serial: 9, silence: SILENCE };
  expect(readContent(encodeRecord(record), me("b"))).toEqual({ kind: "record", record });
});

test("any text is read without an exception", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readContent(text, me("b")).kind !== "record"));
});

test("the wait covers ttl and silence at every pair of clock rates within the bound", () => {
  const rate = fc.double({ min: 1 / (1 + CLOCK_RATE_BOUND), max: 1 + CLOCK_RATE_BOUND, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 300_000 }), rate, rate, (ttl, holder, challenger) => {
      // Real time: a clock of rate r shows r microseconds in one. The kernel's silence is on the holder's clock, too.
      const silent = (millis(ttl) + SILENCE) / holder;
      const begins = waitFor({ ttl: millis(ttl), silence: SILENCE }) / challenger;
      expect(begins).toBeGreaterThanOrEqual(silent);
    }),
  );
});

test("the shortest ttl leaves a whole lifetime of the addresses after one lost answer", () => {
  expect(shortestTtl({ renew: millis(500), timeout: millis(700) }, seconds(2))).toBe(millis(3_900));
});

/** What one daemon does in one turn, with what the network makes of it. */
interface Turn {
  readonly who: 0 | 1;
  /** Microseconds of real time until it begins, until the store has it, until the answer is back. */
  readonly gap: number;
  readonly there: number;
  readonly back: number;
  readonly lostThere: boolean;
  /** So long after it was sent the store carries it out, and nobody hears of it; null: at once. */
  readonly late: number | null;
  readonly lostBack: boolean;
  readonly stale: boolean;
  /** It gives back what it holds. */
  readonly release: boolean;
  /** Before the turn the store forgets: everything, or what came after so many changes before now. */
  readonly loss: null | "all" | number;
}

const turn = fc.record<Turn>({
  who: fc.constantFrom<0 | 1>(0, 1),
  gap: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 500_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 8_000_000 }) },
  ),
  there: fc.integer({ min: 0, max: 2_000_000 }),
  back: fc.integer({ min: 0, max: 2_000_000 }),
  lostThere: fc.boolean(),
  late: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 12_000_000 }) },
  ),
  lostBack: fc.boolean(),
  stale: fc.boolean(),
  release: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  loss: fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.oneof(fc.constant<"all">("all"), fc.integer({ min: 1, max: 4 })) },
  ),
});

interface Span {
  readonly who: number;
  readonly from: number;
  to: number;
}

/** Two daemons, the store and the real time between them. */
class World {
  readonly up: Span[] = [];
  readonly #key = new Key();
  readonly #history: Reading[] = [this.#key.read()];
  readonly #selves = [me("a"), me("b")] as const;
  readonly #owns: [Ownership, Ownership] = [NOTHING_KNOWN, NOTHING_KNOWN];
  readonly #free: [number, number] = [0, 0];
  /** Sent, given up, and still under way. */
  #late: { readonly at: number; readonly write: Write }[] = [];
  readonly #rate: readonly [number, number];
  #now = 0;
  #mayLose = 0;
  /** While somebody held. */
  losses = 0;
  /** Late writes that the store has carried out. */
  landed = 0;

  constructor(rate: readonly [number, number]) {
    this.#rate = rate;
  }

  #local(who: 0 | 1, real: number) {
    return instant(micros(real * this.#rate[who]));
  }

  /** A look, which may be old, and then a write, as the engine does it. */
  turn(one: Turn): void {
    const { who } = one;
    this.#now = Math.max(this.#now + one.gap, this.#free[who]);
    this.#land();
    if (one.loss !== null) this.#lose(one.loss);
    const at = this.#local(who, this.#now);
    if (one.release && isHeld(this.#owns[who], at)) {
      this.#release(one);
      return;
    }
    const reading = this.#history.at(one.stale && this.#history.length > 1 ? -2 : -1) ?? this.#key.read();
    this.#owns[who] = observe(this.#owns[who], reading, this.#selves[who], at);
    if (claimStep(this.#owns[who], this.#selves[who], 0, at).kind === "write") this.#write(one, at);
  }

  /**
   * Of what both have seen, as they look every `renew`, or for so long already that they know that they have missed something. What a store forgets between
   * two looks nobody can miss. And not a second time while somebody waits because of the first.
   */
  #lose(loss: "all" | number): void {
    const { revision, value } = this.#key.read();
    const known = this.#owns.every(
      ({ seen, heardAt }, who) =>
        (seen?.revision === revision && seen.value === value) ||
        (heardAt !== null && this.#local(who as 0 | 1, this.#now) - heardAt > GAP),
    );
    if (this.#now < this.#mayLose || !known) return;
    this.#mayLose = this.#now + 3 * waitFor({ ttl: seconds(4), silence: SILENCE });
    if (this.up.some(({ to }) => to > this.#now)) this.losses += 1;
    this.#key.becomes(loss === "all" ? EMPTY : (this.#history.at(-1 - loss) ?? this.#history[0] ?? EMPTY));
    // A look is late by a change, not by a loss: what is asked from now on is answered out of what there is.
    this.#history.splice(0, Infinity, this.#key.read());
  }

  /** The address is gone before it is told; it may not arrive. */
  #release(one: Turn): void {
    const { who } = one;
    for (const span of this.up) if (span.who === who) span.to = Math.min(span.to, this.#now);
    const write = releasing(this.#owns[who], this.#selves[who]);
    this.#owns[who] = letGo(this.#owns[who]);
    if (write !== null && this.#arrives(one, write)) this.#swap(write);
  }

  #swap({ expected, record }: Write): boolean {
    const done = this.#key.swap(expected, encodeRecord(record));
    if (done) this.#history.push(this.#key.read());
    return done;
  }

  /** False: it is lost, or will be there when nobody waits for it any more. */
  #arrives({ lostThere, late }: Turn, write: Write): boolean {
    if (late !== null) this.#late.push({ at: this.#now + late, write });
    return !lostThere && late === null;
  }

  /** In the order in which they are there. */
  #land(): void {
    const due = this.#late.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    this.#late = this.#late.filter(({ at }) => at > this.#now);
    for (const { write } of due) if (this.#swap(write)) this.landed += 1;
  }

  #write(one: Turn, at: ReturnType<typeof instant>): void {
    const { who } = one;
    const self = this.#selves[who];
    const { own, write } = beginWrite(this.#owns[who], self, at);
    this.#owns[who] = own;
    const arrives = this.#arrives(one, write);
    const done = arrives && this.#swap(write);
    // The store is asked in the order of real time.
    this.#now += one.there;
    const answered = this.#now + one.back;
    this.#free[who] = answered;
    if (!arrives || one.lostBack) return;
    const heard = this.#local(who, answered);
    this.#owns[who] = done
      ? written(own, { write, revision: String(this.#key.revision) }, self, heard)
      : observe(own, this.#key.read(), self, heard);
    const { until } = this.#owns[who];
    if (until === null || !isHeld(this.#owns[who], heard)) return;
    this.up.push({ who, from: answered, to: (until + SILENCE) / this.#rate[who] });
  }
}

test("whatever is lost, late, old or forgotten: the addresses of the two are never up together", () => {
  const rate = fc.constantFrom(1 / (1 + CLOCK_RATE_BOUND), 1, 1 + CLOCK_RATE_BOUND);
  let changes = 0;
  let losses = 0;
  let landed = 0;
  fc.assert(
    fc.property(fc.array(turn, { minLength: 60, maxLength: 200 }), fc.tuple(rate, rate), (turns, rates) => {
      const world = new World(rates);
      for (const one of turns) world.turn(one);
      losses += world.losses;
      landed += world.landed;
      for (const one of world.up) {
        for (const other of world.up) {
          if (one.who === other.who) continue;
          changes += 1;
          expect(one.to <= other.from || other.to <= one.from).toBe(true);
        }
      }
    }),
    { numRuns: 2_000 },
  );
  // It has really changed hands, or it would prove nothing.
  expect(changes).toBeGreaterThan(100);
  expect(losses).toBeGreaterThan(100);
  expect(landed).toBeGreaterThan(100);
});
