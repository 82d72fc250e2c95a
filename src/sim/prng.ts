/**
 * The simulator's only source of chance: sfc32, seeded through splitmix32. Streams are forked by name, so that one
 * more draw in the network does not move every fault. Nothing here is fit for secrets.
 */
export interface Prng {
  /** At least 0, below 1. */
  next(): number;
  /** A number between two bounds, evenly spread. */
  between(low: number, high: number): number;
  /** A whole number from low to high, both included. */
  integer(low: number, high: number): number;
  /** Spread evenly over orders of magnitude: short times as often as long ones. */
  logBetween(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** An independent stream that depends on the seed and the name only. */
  fork(name: string): Prng;
}

export function createPrng(seed: number): Prng {
  return make(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
}

function make(low: number, high: number): Prng {
  const next = sfc32(low, high);
  const between = (from: number, to: number): number => from + (to - from) * next();
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between,
    integer,
    logBetween: (from, to) => Math.exp(between(Math.log(from), Math.log(to))),
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new Error("pick from an empty list");
      return item;
    },
    fork: (name) => make((low ^ hashText(name)) >>> 0, (high + 0x9e3779b9) >>> 0),
  };
}

/** FNV-1a over the characters of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

function sfc32(low: number, high: number): () => number {
  let seed = (low ^ Math.imul(high, 0x85ebca6b)) >>> 0;
  const split = (): number => {
    seed = (seed + 0x9e3779b9) | 0;
    let mixed = seed ^ (seed >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) | 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let counter = 1;
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let round = 0; round < 12; round++) draw();
  return draw;
}
