/**
 * What hooks, FIFOs and mail are told of a report: keepalived's states, which differ from ours in one case. An instance that a
 * reload removes stops, and that is told as FAULT, or as DELETED where notify_deleted is given (keepalived.conf(5)).
 */
import type { VrrpStateName } from "../vrrp/state.ts";

export type ToldState = Exclude<VrrpStateName, "INIT"> | "DELETED";

export interface Circumstances {
  /** The whole daemon stops: STOP means stop. */
  readonly stopping: boolean;
  /** notify_deleted is given. */
  readonly deleted: boolean;
}

/** Null: nobody is told of it. */
export function toldState(to: VrrpStateName, { stopping, deleted }: Circumstances): ToldState | null {
  if (to === "INIT") return null;
  if (to !== "STOP" || stopping) return to;
  return deleted ? "DELETED" : "FAULT";
}
