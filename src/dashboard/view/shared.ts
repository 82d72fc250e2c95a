/** What every part of the page is given: words, what is known, the time, and how something is asked of the operator. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Live, Snapshot } from "../live.ts";
import type { HostReport } from "../model/hosts.ts";
import type { Words } from "../words/words.ts";
import type { Order } from "./orders.ts";

export interface Shared {
  readonly words: Words;
  readonly live: Live;
  readonly snapshot: Snapshot;
  /** The one that was chosen: instances, checks and timeline are its. */
  readonly host: HostReport;
  /** By the daemon's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Opens the dialog that shows a plan and asks. */
  readonly order: (order: Order) => void;
}

export const SharedContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (shared === null) throw new Error("outside of the page");
  return shared;
}
