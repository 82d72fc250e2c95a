/** Two masters of one virtual router at the same time: when it is seen, and when it is over. It changes nothing by itself. */
import type { Yielding } from "../split-brain/signs.ts";

export interface SplitBrainEventBody {
  readonly kind: "split-brain";
  readonly instance: string;
  readonly action: "seen" | "over";
  /** In words, at least one; of `over` those that were seen last. */
  readonly signs: readonly string[];
  /** Who will let go, or has: `nobody` and `undecided` need somebody. */
  readonly yields: Yielding;
  /** Of `seen`: why, and what is to be done. Of `over`: how it ended. */
  readonly detail: string;
  /** From its first sign to this event. */
  readonly forMillis: number;
}

const KINDS: ReadonlySet<string> = new Set<SplitBrainEventBody["kind"]>(["split-brain"]);

export const isSplitBrainEvent = (body: { readonly kind: string }): body is SplitBrainEventBody => KINDS.has(body.kind);
