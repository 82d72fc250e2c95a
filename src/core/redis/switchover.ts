/**
 * A planned move of the writer, seen from the host that gives it up: everything is looked at before anything changes, then writes are paused
 * (CLIENT PAUSE WRITE: clients wait, nothing fails), and the server is closed and the address let go when a peer has every byte.
 */
import { hasAllOf } from "./history.ts";
import type { MemberFacts } from "./member.ts";
import { factsOfPeer, isOpen, type Peer } from "./peer.ts";

export interface SwitchoverFacts {
  readonly own: MemberFacts;
  readonly peers: readonly Peer[];
  /** This run has paused the writes. */
  readonly paused: boolean;
}

export type SwitchoverDecision =
  | { readonly kind: "refuse"; readonly reason: string }
  /** Not now, but nothing has to be mended for it to pass. */
  | { readonly kind: "not-yet"; readonly reason: string }
  | { readonly kind: "pause" }
  | { readonly kind: "wait"; readonly what: string }
  | { readonly kind: "hand-over" };

/** Bytes that a successor may be behind when the writes stop: some milliseconds on any line. */
const MOST_BEHIND = 1_048_576;

export function decideSwitchover({ own, peers, paused }: SwitchoverFacts): SwitchoverDecision {
  if (own.sentinel) return { kind: "refuse", reason: "a Sentinel manages this server" };
  if (!isOpen(own)) return { kind: "refuse", reason: "the own server does not take writes" };
  const up = peers.filter(({ state }) => state.kind === "up");
  if (up.length === 0) return { kind: "refuse", reason: absent(peers) };
  for (const peer of up) {
    const hindrance = hinderedBy(own, peer);
    if (hindrance !== null) return hindrance;
  }
  if (!paused) return { kind: "pause" };
  const behind = up.find(
    (peer) => hasAllOf((peer.state as { facts: MemberFacts }).facts.history, own.history) !== true,
  );
  return behind === undefined ? { kind: "hand-over" } : { kind: "wait", what: `${behind.address} has everything` };
}

const absent = (peers: readonly Peer[]): string =>
  peers.length === 0
    ? "no `peer` is configured"
    : `no peer answers (${peers.map(({ address, state }) => `${address}: ${"detail" in state ? state.detail : ""}`).join("; ")})`;

function hinderedBy(own: MemberFacts, peer: Peer): SwitchoverDecision | null {
  const theirs = factsOfPeer(peer);
  const { address } = peer;
  if (theirs === null) return null;
  if (theirs.source === null) return { kind: "refuse", reason: `${address} takes writes as well` };
  if (theirs.mark === null) return { kind: "refuse", reason: `${address} has no daemon that looks after it` };
  if (theirs.loading !== null || theirs.source.syncing)
    return { kind: "not-yet", reason: `${address} is being filled` };
  if (!theirs.source.up || theirs.history.id !== own.history.id) {
    return { kind: "not-yet", reason: `${address} does not follow this server` };
  }
  const behind = own.history.offset - theirs.history.offset;
  return behind > MOST_BEHIND ? { kind: "not-yet", reason: `${address} is ${behind} bytes behind` } : null;
}

export const PAUSE_STEP = "pause writes (CLIENT PAUSE WRITE)";
export const CLOSE_STEP = "close the own server for writes (REPLICAOF 127.0.0.1 1) and end its sessions";
export const HAND_OVER_STEP = "let the address go";

/** What would be done, for `--dry-run`. */
export function planSwitchover(facts: SwitchoverFacts): { readonly steps: readonly string[]; readonly end: string } {
  const decision = decideSwitchover(facts);
  if (decision.kind === "refuse") return { steps: [], end: decision.reason };
  const before = decision.kind === "not-yet" ? [`wait until this is over: ${decision.reason}`] : [];
  const waits = facts.peers
    .filter(({ state }) => state.kind === "up")
    .map(({ address }) => `wait until ${address} has everything`);
  return {
    steps: [...before, PAUSE_STEP, ...waits, CLOSE_STEP, HAND_OVER_STEP, "wait until a peer takes writes"],
    end: "ready",
  };
}
