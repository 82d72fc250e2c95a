/**
 * A client on the segment: its ARP cache learns from gratuitous ARP, the last announcement wins. An entry that has not been
 * confirmed for a while is asked for again; whoever answers for the address then is believed.
 */
import type { IpAddress } from "../core/lib/ip.ts";

export class Client {
  readonly #cache = new Map<IpAddress, number>();

  learn(address: IpAddress, node: number): void {
    this.#cache.set(address, node);
  }

  /** The node that this client's packets for the address go to. */
  owner(address: IpAddress): number | null {
    return this.#cache.get(address) ?? null;
  }

  /** The entry was not confirmed by its owner: forget it and take the first who answers. */
  revalidate(address: IpAddress, answers: (node: number) => boolean, nodes: number): void {
    const known = this.#cache.get(address);
    if (known !== undefined && answers(known)) return;
    for (let node = 0; node < nodes; node++) {
      if (answers(node)) {
        this.#cache.set(address, node);
        return;
      }
    }
    this.#cache.delete(address);
  }
}
