/**
 * TCP between the hosts, as far as a database notices: what is sent arrives in the end unless the receiver is gone, after a cut by being
 * sent again with growing pauses, also when the sender has lost interest meanwhile. A host talks to itself without a network.
 */
import type { World } from "../world.ts";

const LOCAL_MICROS = 40;
const LATENCY_MIN = 60;
const LATENCY_MAX = 400;
/** First retransmission, and the longest pause between two (Linux: TCP_RTO_MIN 200 ms; the longest is shortened here). */
const RETRY_MIN = 200_000;
const RETRY_MAX = 5_000_000;

export class Wire {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Frames get from one endpoint to the other now; endpoints beyond the nodes have no faults of their own. */
  reaches(from: number, to: number): boolean {
    if (from === to) return this.#runs(from);
    return this.#world.network.reaches(from, to) && this.#onNetwork(from) && this.#onNetwork(to);
  }

  connected(one: number, other: number): boolean {
    return this.reaches(one, other) && this.reaches(other, one);
  }

  latency(from: number, to: number): number {
    return from === to ? LOCAL_MICROS : this.#world.prng.between(LATENCY_MIN, LATENCY_MAX);
  }

  /** `arrive` runs once, unless `gone` says that nobody is there any more. */
  send(from: number, to: number, arrive: () => void, gone: () => boolean = () => false): void {
    const attempt = (pause: number): void => {
      if (gone()) return;
      if (this.reaches(from, to)) arrive();
      else this.#world.after(pause, () => attempt(Math.min(pause * 2, RETRY_MAX)));
    };
    this.#world.after(this.latency(from, to), () => attempt(RETRY_MIN));
  }

  #runs(node: number): boolean {
    const host = this.#world.hosts[node];
    return host === undefined || (host.powered && !host.paused);
  }

  #onNetwork(node: number): boolean {
    return this.#runs(node) && this.#world.hosts[node]?.kernel.usable !== false;
  }
}
