/**
 * One Ethernet segment in virtual time: who reaches whom, and what the wire does to a frame on the way. Endpoints are
 * numbers: the nodes, then the client, then the gateway. It carries closures, not bytes; what a frame means is the
 * receiver's business.
 */
import type { Disturbances } from "./disturbance.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Prng } from "./prng.ts";

/** Weather of the whole segment. All zero is a clean wire, which still needs LATENCY_MIN to LATENCY_MAX. */
export interface Impairment {
  /** Probability that a frame is lost. */
  readonly loss: number;
  /** Longest extra delay in microseconds; every frame draws its own, so a large one also reorders. */
  readonly delay: number;
  readonly duplication: number;
}

export const CLEAN: Impairment = { loss: 0, delay: 0, duplication: 0 };
export const LATENCY_MIN = 50;
export const LATENCY_MAX = 400;

export interface NetworkParts {
  /** Nodes come first, then the others. */
  readonly nodes: number;
  readonly endpoints: number;
  readonly queue: EventQueue;
  readonly now: () => number;
  readonly prng: Prng;
  readonly disturbances: Disturbances;
}

export class Network {
  readonly #parts: NetworkParts;
  /** blocked[from * endpoints + to]: number of faults that keep frames from getting there. */
  readonly #blocked: number[];
  #impairment: Impairment = CLEAN;
  #cuts = 0;
  lost = 0;
  delivered = 0;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.#blocked = new Array(parts.endpoints * parts.endpoints).fill(0);
  }

  reaches(from: number, to: number): boolean {
    return this.#blocked[from * this.#parts.endpoints + to] === 0;
  }

  /** Both ways. */
  connected(a: number, b: number): boolean {
    return this.reaches(a, b) && this.reaches(b, a);
  }

  /** Everybody reaches everybody, and the wire is clean. */
  get whole(): boolean {
    return this.#impairment === CLEAN && this.#cuts === 0;
  }

  impair(impairment: Impairment): void {
    this.#impairment = impairment;
    this.#parts.disturbances.segment(impairment !== CLEAN);
  }

  clear(): void {
    this.impair(CLEAN);
  }

  /** Cuts one direction; returns the way to mend it. */
  cut(from: number, to: number): () => void {
    return this.cutAll([[from, to]]);
  }

  /** Nobody of one side reaches anybody of the other. */
  partition(side: readonly number[]): () => void {
    const cuts: [number, number][] = [];
    for (let a = 0; a < this.#parts.endpoints; a++) {
      for (let b = 0; b < this.#parts.endpoints; b++) {
        if (side.includes(a) !== side.includes(b)) cuts.push([a, b]);
      }
    }
    return this.cutAll(cuts);
  }

  cutAll(cuts: readonly (readonly [number, number])[]): () => void {
    this.#change(cuts, 1);
    let mended = false;
    return () => {
      if (mended) return;
      mended = true;
      this.#change(cuts, -1);
    };
  }

  /** Puts one frame on the wire; `arrive` runs once, twice, or never. */
  send(from: number, to: number, arrive: () => void): void {
    const { prng } = this.#parts;
    if (!this.reaches(from, to) || (this.#impairment.loss > 0 && prng.chance(this.#impairment.loss))) {
      this.lost++;
      return;
    }
    this.#schedule(from, to, arrive);
    if (this.#impairment.duplication > 0 && prng.chance(this.#impairment.duplication)) this.#schedule(from, to, arrive);
  }

  #schedule(from: number, to: number, arrive: () => void): void {
    const { prng, queue, now } = this.#parts;
    const extra = this.#impairment.delay > 0 ? prng.next() ** 3 * this.#impairment.delay : 0;
    // The client runs nothing that could be busy: what reaches it keeps the order in which it was sent.
    const base = to < this.#parts.nodes ? prng.between(LATENCY_MIN, LATENCY_MAX) : LATENCY_MIN;
    queue.push(now() + base + extra, () => {
      // A frame that is under way when the cable is cut does not arrive.
      if (!this.reaches(from, to)) return;
      this.delivered++;
      arrive();
    });
  }

  #change(cuts: readonly (readonly [number, number])[], by: number): void {
    this.#cuts += by * cuts.length;
    for (const [from, to] of cuts) {
      const index = from * this.#parts.endpoints + to;
      this.#blocked[index] = (this.#blocked[index] ?? 0) + by;
      this.#parts.disturbances.pair(from, to);
    }
  }
}
