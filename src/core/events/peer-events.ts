/** Events about the other hosts of a pair as their daemons tell them over the peer link. None of them changes what an instance does. */

export interface PeerEventBody {
  readonly kind: "peer-link";
  /** "192.168.11.82:8112"; of `refused` the address alone, of `listening` and `not-listening` the own place. */
  readonly peer: string;
  readonly action: "connected" | "lost" | "refused" | "listening" | "not-listening";
  /** What the peer calls itself, as far as it has said so. */
  readonly host: string | null;
  readonly version: string | null;
  /** Why it was lost or refused, or what does not let us listen. */
  readonly detail: string;
}

const KINDS: ReadonlySet<string> = new Set<PeerEventBody["kind"]>(["peer-link"]);

export const isPeerEvent = (body: { readonly kind: string }): body is PeerEventBody => KINDS.has(body.kind);
