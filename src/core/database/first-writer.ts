/** `holdfast init-writer`: when an operator may name a host the first writer of a managed group. */

export const NAMING_STEP = "an operator has named this host the first writer";

export interface NamingOutcome {
  readonly named: boolean;
  readonly detail: string;
}

interface PeerSeen {
  readonly address: string;
  readonly state: { readonly kind: string };
}

/** Why there is nothing to name; null when nobody else can decide. */
export function standsAgainst(
  { open, ownProblem }: { readonly open: boolean; readonly ownProblem: string | null },
  peers: readonly PeerSeen[],
): string | null {
  if (open) return "this host is the writer already";
  if (ownProblem !== null) return `the own server cannot be asked: ${ownProblem}`;
  const alive = peers.find(({ state }) => state.kind === "up" || state.kind === "unusable");
  return alive === undefined
    ? null
    : `${alive.address} answers: a claim compares the two servers by itself, and whoever has everything becomes the writer`;
}
