/** What hosts tell the checkers, at the moment it happens. The checkers look on; they never act. */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import type { RemovalReason } from "./fake-kernel.ts";

export interface Observer {
  keeperStarted(node: number): void;
  keeperGone(node: number): void;
  /** Control and whatever programs it ran are gone. */
  daemonGone(node: number): void;
  /** An event of the keeper, in the order of its effects. */
  keeperEvent(node: number, body: HoldfastEventBody): void;
  /** A frame leaves the host; guard: control speaks for a dead keeper. */
  advertSent(node: number, packet: Uint8Array, guard: boolean): void;
  /** The keeper is about to be given a packet; the answer is called when it has dealt with it. */
  advertHeard(node: number, packet: Uint8Array): () => void;
  addressAdded(node: number, address: IpAddress, action: "add" | "renew"): void;
  addressRemoved(node: number, address: IpAddress, reason: RemovalReason): void;
  gate(node: number, instance: string, what: "asked" | "opened" | "refused", gate: number): void;
  /** words: the program and its arguments. */
  hook(node: number, instance: string, what: "started" | "ended", words: readonly string[]): void;
}
