/** Ports that do nothing, for where there is no routing and no packet filter: the warm-up, the simulator's single network. */
import type { FencePort } from "../ports/fence.ts";
import type { InterfaceSettings, RoutingPort } from "../ports/routing.ts";

export const IDLE_ROUTING: RoutingPort = {
  apply: (changes) => changes.map((change) => ({ change, result: "done", error: null })),
};

export const IDLE_SETTINGS: InterfaceSettings = {
  read: () => null,
  write: () => null,
};

export const IDLE_FENCE: FencePort = { set: () => null, renew: () => null, sweep: () => [] };
