/**
 * A writer that has its address and is closed all the same: a peer's claim that came to nothing, a planned move that found another server
 * open, or somebody by hand. Clients reach a server that refuses them, so it is opened again or its address goes.
 */
import type { Peer } from "./takeover.ts";

export type StrayDecision =
  /** A peer's claim may be at work: it takes the address, or opens this server again. */
  { readonly kind: "wait" } | { readonly kind: "let-go"; readonly why: string } | { readonly kind: "open" };

export function decideStray(peers: readonly Peer[], closedMillis: number, claimMillis: number): StrayDecision {
  const open = peers.find(({ state }) => state.kind === "up" && state.facts.closedBy === null);
  if (open !== undefined) return { kind: "let-go", why: `${open.address} is open for writes, and this server is not` };
  return closedMillis < claimMillis ? { kind: "wait" } : { kind: "open" };
}
