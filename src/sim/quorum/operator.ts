/**
 * Somebody at a terminal who orders whenever the daemon takes it that a host goes on without the store (decision 119), and who is not always right: whether
 * the other host serves is not looked at. The daemon has to refuse what it can know to be wrong, and to forget the order as soon as the store answers.
 */
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";

/** Looks at one of the hosts every so often at most. */
const LOOKS = 1_000_000;

export class Operator {
  readonly #world: World;
  readonly #prng: Prng;
  /** By node: the order, to the daemon that runs there. */
  readonly #daemons = new Map<number, () => string | null>();

  constructor(world: World, prng: Prng) {
    this.#world = world;
    this.#prng = prng;
  }

  reaches(node: number, overrule: () => string | null): void {
    this.#daemons.set(node, overrule);
  }

  begin(): void {
    this.#world.after(this.#prng.between(0, LOOKS), () => {
      this.#look();
      this.begin();
    });
  }

  #look(): void {
    const host = this.#prng.pick(this.#world.hosts);
    if (!host.powered || host.paused) return;
    const order = this.#daemons.get(host.node);
    if (order?.() === null) this.#world.note(`an operator overrules the store on node ${host.node + 1}`);
  }
}
