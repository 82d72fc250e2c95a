/** Control's orders about one virtual router that serves. */
import type { Instant } from "../core/lib/units.ts";
import type { ToKeeper } from "../core/link/messages.ts";
import type { VrrpEvent } from "../core/vrrp/events.ts";
import { withSiblings } from "./vrrp-roster.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export type VrrpOrder = Extract<ToKeeper, { type: "hand-over" | "permit" | "retry-claim" }>;

const HAND_OVER = { kind: "hand-over" } as const;
/** A refused claim may be tried again. */
const CHECK_SUCCEEDED = { kind: "check-succeeded" } as const;

/** A hand-over is that of the whole sync group; what the quorum store grants is one instance's. */
export function carryOut(
  order: VrrpOrder,
  runtimes: readonly Runtime[],
  dispatch: (runtime: Runtime, event: VrrpEvent) => void,
): void {
  if (order.type === "hand-over") {
    for (const one of withSiblings(runtimes, order.instance)) dispatch(one, HAND_OVER);
    return;
  }
  const event: VrrpEvent =
    order.type === "permit" ? { kind: "permit", until: order.until as Instant | null } : CHECK_SUCCEEDED;
  for (const one of runtimes) if (one.config.name === order.instance) dispatch(one, event);
}
